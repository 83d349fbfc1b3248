"""Opening an archive of a case: its entries become files of the case, side by side in one blob.

Safe to kill at any point. Until the last transaction, the blob that is being written is noted as one to be deleted; that
transaction takes the note back, writes a row for every entry, and lets go of the archive. What a killed attempt left is
swept, and the next attempt begins with a blob of its own.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Final

from sqlmodel import Session, select

from activities.imaging.parser.pool import ParserPool
from activities.imaging.parser.problems import SENTENCES, FileProblem, ProblemCode
from activities.imaging.parser.results import Member
from infra.audit import write_audit
from infra.blobs.store import BlobReader, BlobStore, BlobWriter
from infra.database import Database, now
from infra.file_batches import begin_batch
from infra.file_names import name_of, sealed_name
from infra.keys import DataKey
from infra.removals import discard, keep, let_go, remove
from infra.stored_files import let_go_of, open_stored
from infra.uploads.room import NeedRoom
from schemas.files import FileKind, FileState
from schemas.ids import new_id
from schemas.messages import SYSTEM_ACTOR
from schemas.tables.case import Case
from schemas.tables.imaging import StoredFile

ABANDONED_AFTER: Final = timedelta(hours=2)
"""What is not done by then was killed: longer than an activity may run."""

Tell = Callable[[int, int], None]
"""(entries unpacked, entries in all)."""


@dataclass(frozen=True)
class _Unpacked:
    """An entry, and where its bytes lie in the pack: none of one that is not whole."""

    path: str
    problem: ProblemCode | None = None
    offset: int = 0
    size: int = 0
    sha256: str = hashlib.sha256().hexdigest()


class ArchiveOpener:
    """Blocking."""

    def __init__(self, database: Database, blobs: BlobStore, pool: ParserPool, need_room: NeedRoom) -> None:
        self._database = database
        self._blobs = blobs
        self._pool = pool
        self._need_room = need_room

    def open(self, file: StoredFile, key: DataKey, members: Sequence[Member], tell: Tell) -> bool:
        """Whether its entries are files of the case now; False where somebody removed or opened it meanwhile.

        Raises what the blob store raises, StorageFull also where it would take the last of the room; the archive then waits
        as before.
        """
        self._need_room(sum(member.size for member in members))
        pack_id = new_id("fil")
        with self._database.write() as session:
            let_go(session, [pack_id], at=now() + ABANDONED_AFTER)
        try:
            with (
                open_stored(self._blobs, file, key.secret) as reader,
                self._blobs.writer(pack_id, key.secret) as writer,
            ):
                unpacked = []
                for done, member in enumerate(members):
                    tell(done, len(members))
                    unpacked.append(self._unpack(reader, writer, member))
                writer.finish()
            with self._database.write() as session:
                spare = _replace(session, file, key, pack_id, unpacked)
        except Exception:
            discard(self._database, self._blobs, pack_id)
            raise
        if spare is None:
            discard(self._database, self._blobs, pack_id)
            return False
        remove(self._database, self._blobs, spare)
        return True

    def _unpack(self, reader: BlobReader, writer: BlobWriter, member: Member) -> _Unpacked:
        """An entry that is not whole is said to be so, and costs no other. What was written of it is passed over."""
        for attempt in (1, 2):  # a reader may have died of an earlier file
            offset, digest = writer.offset, hashlib.sha256()

            def take(piece: bytes, digest: "hashlib._Hash" = digest) -> None:
                digest.update(piece)
                writer.append(piece)

            try:
                self._pool.unpack(reader, member, take)
            except FileProblem as found:
                if attempt == 2 or found.code is not ProblemCode.UNSAFE:
                    return _Unpacked(member.path, problem=found.code)
            else:
                break
        return _Unpacked(member.path, None, offset, member.size, digest.hexdigest())


def _replace(
    session: Session, file: StoredFile, key: DataKey, pack_id: str, unpacked: Sequence[_Unpacked]
) -> list[str] | None:
    """The archive's row gives way to those of its entries; returns the blobs to delete. None: it is not there any more."""
    session.get_one(Case, file.case_id, with_for_update=True)
    archive = session.exec(
        select(StoredFile).where(StoredFile.id == file.id, StoredFile.state == FileState.STORED).with_for_update()
    ).one_or_none()
    if not keep(session, pack_id) or archive is None:
        return None
    moment = now()
    batch = begin_batch(session, key, archive, name=name_of(key, archive)["name"])
    session.add_all(_rows(archive, key, pack_id, batch.id, unpacked))
    archive.kind, archive.state, archive.checked_at = FileKind.ARCHIVE, FileState.REMOVED, moment
    session.flush()
    spare = let_go_of(session, [archive])
    detail = {"files": len(unpacked)}
    write_audit(
        session,
        scope=archive.case_id,
        act="file.unpack",
        actor=SYSTEM_ACTOR,
        at=moment,
        subject_id=file.id,
        detail=detail,
    )
    return spare


def _rows(
    archive: StoredFile, key: DataKey, pack_id: str, batch_id: str, unpacked: Sequence[_Unpacked]
) -> Iterator[StoredFile]:
    above = name_of(key, archive)
    for entry in unpacked:
        file_id = new_id("fil")
        path = f"{above['path'] or above['name']}/{entry.path}"
        yield StoredFile(
            id=file_id,
            case_id=archive.case_id,
            practice_id=archive.practice_id,
            parent_id=archive.id,
            batch_id=batch_id,
            name=sealed_name(key, "stored_file", file_id, name=PurePosixPath(entry.path).name, path=path),
            blob_id=pack_id,
            blob_offset=entry.offset,
            size=entry.size,
            sha256=entry.sha256,
            kind=FileKind.UNKNOWN if entry.problem is None else FileKind.OTHER,
            state=FileState.STORED if entry.problem is None else FileState.UNREADABLE,
            problem_code=None if entry.problem is None else entry.problem.value,
            problem=None if entry.problem is None else SENTENCES[entry.problem],
            first_set=archive.first_set,
            uploaded_by=archive.uploaded_by,
            created_at=archive.created_at,
        )
