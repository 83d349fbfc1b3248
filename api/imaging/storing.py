"""STOW-RS (PS3.18 §10.5): instances into a case, on the way that uploads go: stored sealed, then checked, then answered.

The body goes into one blob, part by part, as it arrives. A request that breaks off leaves nothing behind.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, cast

from pydantic import JsonValue
from sqlmodel import Session, col, select
from starlette.requests import ClientDisconnect

from activities.imaging.parser.problems import ProblemCode
from api.imaging.multipart import Begin, MalformedMultipart, NotMultipart, PartReader
from api.rechecking import Recheck
from api.tus.protocol import UploadTooLarge
from api.tus.receiving import SILENCE_SECONDS, in_thread
from infra.packs import Pack
from schemas.errors import OdontoError
from schemas.files import FileState
from schemas.tables.imaging import Instance, Series, StoredFile, Study
from schemas.translation import N_

_BUFFER: Final = 1 << 20
MAX_PARTS: Final = 5000

CANNOT_UNDERSTAND: Final = 0xC000
DUPLICATE_INSTANCE: Final = 0x0111
OTHER_STUDY: Final = 0xA900
OUT_OF_RESOURCES: Final = 0xA700
PROCESSING_FAILURE: Final = 0x0110
SYNTAX_NOT_SUPPORTED: Final = 0xC122
REASONS: Final = {
    ProblemCode.CONFLICTING_INSTANCE: DUPLICATE_INSTANCE,
    ProblemCode.UNSUPPORTED_SYNTAX: SYNTAX_NOT_SUPPORTED,
    ProblemCode.OVER_LIMITS: OUT_OF_RESOURCES,
    ProblemCode.TOO_SLOW: OUT_OF_RESOURCES,
    ProblemCode.UNSAFE: PROCESSING_FAILURE,
    ProblemCode.BLOB_DAMAGED: PROCESSING_FAILURE,
}
"""Failure Reason (0008,1197; PS3.18 table I.2-2) of what is wrong with a file; of everything else, that it was not understood."""


class TooManyParts(OdontoError):
    code = "too_many_parts"
    status = 413
    title = N_("One request brings at most 5,000 instances. Send the rest with another one.")


class Interrupted(OdontoError):
    """The client is gone; nobody reads this."""

    code = "interrupted"
    status = 400


async def receive(
    body: AsyncIterator[bytes], boundary: bytes, pack: Pack, *, most: int, still: Callable[[], object]
) -> None:
    """Takes the body's parts into the pack, as long as ``still`` does not raise. Raises what says why it cannot; the pack is the caller's to abort then."""
    reader = PartReader(boundary)
    pending: list[Begin | bytes] = []
    recheck = Recheck(still, in_thread)
    waiting, arrived = 0, 0
    async for chunk in _heard(body):
        arrived += len(chunk)
        if arrived > most:
            raise UploadTooLarge()
        await recheck.when_due()
        pending.extend(reader.feed(chunk))
        waiting += len(chunk)
        if waiting >= _BUFFER:
            await in_thread(_take, pack, pending)
            pending, waiting = [], 0
    await in_thread(_take, pack, pending)
    if not reader.is_whole or not pack.files:
        raise MalformedMultipart()


async def _heard(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    chunks = aiter(body)
    while True:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except (TimeoutError, ClientDisconnect):
            raise Interrupted() from None
        yield chunk


def _take(pack: Pack, pieces: Sequence[Begin | bytes]) -> None:
    """What belongs to one file goes in as one piece: it is sealed and hashed aside then."""
    for begins, group in groupby(pieces, key=lambda piece: isinstance(piece, Begin)):
        if begins:
            for piece in group:
                _begin(pack, cast(Begin, piece))
        else:
            pack.append(b"".join(cast(Iterator[bytes], group)))


def _begin(pack: Pack, part: Begin) -> None:
    kind = part.headers.get("content-type", "application/dicom").partition(";")[0].strip().lower()
    if kind != "application/dicom":
        raise NotMultipart()
    if pack.files >= MAX_PARTS:
        raise TooManyParts()
    pack.begin_file(f"instance-{pack.files + 1:04}.dcm")


@dataclass(frozen=True)
class Stored:
    """What became of one part. ``failure`` None: it is in the case. ``file_id`` is what came with this request."""

    file_id: str
    sop_class: str
    sop_uid: str
    url: str
    failure: int | None = None

    def item(self) -> dict[str, JsonValue]:
        found: dict[str, JsonValue] = {}
        for tag, value in (("00081150", self.sop_class), ("00081155", self.sop_uid)):
            found[tag] = {"vr": "UI", "Value": [value]} if value else {"vr": "UI"}
        if self.failure is not None:
            return found | {"00081197": {"vr": "US", "Value": [self.failure]}}
        return found | {"00081190": {"vr": "UR", "Value": [self.url]}}


def outcome_of(
    session: Session, case_id: str, file_ids: Sequence[str], root: str, study_uid: str | None
) -> list[Stored]:
    """What the check said of each file, in their order. An image that was in the case already counts as stored.

    ``study_uid``: the one study that they were sent to; images of others are failures.
    """
    files = {
        file.id: file
        for file in session.exec(
            select(StoredFile).where(StoredFile.case_id == case_id, col(StoredFile.id).in_(file_ids))
        ).all()
    }
    known = {
        file.sha256: (instance, series, study)
        for instance, series, study, file in session.exec(
            select(Instance, Series, Study, StoredFile)
            .join(Series, col(Series.id) == col(Instance.series_id))
            .join(Study, col(Study.id) == col(Series.study_id))
            .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
            .where(
                Instance.case_id == case_id,
                StoredFile.state == FileState.READY,
                col(StoredFile.sha256).in_({file.sha256 for file in files.values()}),
            )
        ).all()
    }
    return [_stored(files[file_id], known.get(files[file_id].sha256), root, study_uid) for file_id in file_ids]


def _stored(file: StoredFile, found: tuple[Instance, Series, Study] | None, root: str, study_uid: str | None) -> Stored:
    if found is None:
        code = ProblemCode(file.problem_code) if file.problem_code in set(ProblemCode) else None
        reason = REASONS.get(code, CANNOT_UNDERSTAND) if code else CANNOT_UNDERSTAND
        return Stored(file.id, "", "", "", reason)
    instance, series, study = found
    url = f"{root}/studies/{study.study_uid}/series/{series.series_uid}/instances/{instance.sop_uid}"
    failure = OTHER_STUDY if study_uid is not None and study.study_uid != study_uid else None
    return Stored(file.id, instance.sop_class_uid, instance.sop_uid, url, failure)


def answer_of(stored: Sequence[Stored], root: str, study_uid: str | None) -> tuple[int, dict[str, JsonValue]]:
    """The status and the Store Instances Response Module (PS3.18 table I.2-1)."""
    failed: list[JsonValue] = [each.item() for each in stored if each.failure is not None]
    kept: list[JsonValue] = [each.item() for each in stored if each.failure is None]
    module: dict[str, JsonValue] = {}
    if study_uid is not None:
        module["00081190"] = {"vr": "UR", "Value": [f"{root}/studies/{study_uid}"]}
    if failed:
        module["00081198"] = {"vr": "SQ", "Value": failed}
    if kept:
        module["00081199"] = {"vr": "SQ", "Value": kept}
    return (200 if not failed else 202 if kept else 409), module
