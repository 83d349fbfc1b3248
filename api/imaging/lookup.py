"""Finding studies, series and instances for a requester. Only images that were checked are there (invariant 11).

The same study may be in several cases, of one practice or of two. Whoever may see more than one copy gets the newest.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, func, select

from api.imaging.access import CaseImages, ImageAccess
from infra.sealing import column_aad, open_sealed
from schemas.errors import NotFound
from schemas.files import FileState
from schemas.tables.case import Case
from schemas.tables.imaging import Instance, Series, StoredFile, Study

_STUDIES_AT_ONCE: Final = 1000
_REFERENCE: Final = b'"BulkDataURI":"'


@dataclass(frozen=True)
class FoundStudy:
    study: Study
    images: CaseImages


@dataclass(frozen=True)
class FoundInstance:
    """An instance with its file, which is checked and of the requester's."""

    instance: Instance
    series: Series
    file: StoredFile
    images: CaseImages

    @property
    def etag(self) -> str:
        """Names the file's content; frames and metadata follow from it."""
        return f'"{self.file.sha256[:32]}"'

    @property
    def is_served_decoded(self) -> bool:
        """Whether the frames as stored are of no use to a browser."""
        return self.instance.frame_index == "[]"

    def metadata(self, root: str) -> bytes:
        """DICOM JSON; ``root`` is the DICOMweb root below which bulk data is to be had."""
        place = column_aad("instance", self.instance.id, "metadata_json")
        metadata = open_sealed(self.images.key, self.instance.metadata_json, place)
        if self.instance.bulk_index == "[]":
            return metadata
        # No value can hold this: in a JSON string its quotation marks are escaped.
        (study,) = json.loads(metadata)["0020000D"]["Value"]
        below = f"{root}/studies/{study}/series/{self.series.series_uid}/instances/{self.instance.sop_uid}/"
        return metadata.replace(_REFERENCE, _REFERENCE + json.dumps(below)[1:-1].encode())

    def bulk(self, tag: int) -> tuple[int, int]:
        """Offset and length of a value that the metadata leaves out. Raises NotFound."""
        for each, offset, length in json.loads(self.instance.bulk_index):
            if each == tag:
                return offset, length
        raise NotFound()


def studies(session: Session, access: ImageAccess, study_uid: str | None = None) -> Iterator[FoundStudy]:
    """The requester's studies, the newest first; read from the database as far as somebody goes on."""
    statement = select(Study, Case).join(Case, col(Case.id) == col(Study.case_id))
    if study_uid is not None:
        statement = statement.where(Study.study_uid == study_uid)
    statement = access.narrow(statement).order_by(col(Study.created_at).desc(), col(Study.id))
    for begin in count(0, _STUDIES_AT_ONCE):
        rows = session.exec(statement.offset(begin).limit(_STUDIES_AT_ONCE)).all()
        opened = access.opens(session, list({case.id: case for _, case in rows}.values()))
        for study, case in rows:
            if case.id in opened:
                yield FoundStudy(study, opened[case.id])
        if len(rows) < _STUDIES_AT_ONCE:
            return


def series_of(session: Session, found: FoundStudy) -> Sequence[tuple[Series, int]]:
    """The study's series with the number of their checked instances, those without any left out."""
    statement = (
        select(Series, func.count())
        .join(Instance, col(Instance.series_id) == col(Series.id))
        .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
        .where(Series.study_id == found.study.id, StoredFile.state == FileState.READY)
        .group_by(col(Series.id))
        .order_by(col(Series.number), col(Series.series_uid))
    )
    rows: Sequence[tuple[Series, int]] = session.exec(found.images.narrow(statement)).all()
    return rows


def instances(
    session: Session, found: FoundStudy, series_uid: str | None = None, sop_uid: str | None = None
) -> Sequence[FoundInstance]:
    """Checked instances of a study in their order; of one series, or one instance."""
    rows = session.execute(*_asked(found, series_uid, sop_uid, whole=True))
    return [FoundInstance(instance, series, file, found.images) for instance, series, file in rows]


class Listed(NamedTuple):
    """Of an instance, what names it and its content."""

    study_uid: str
    series_uid: str
    sop_uid: str
    instance_id: str
    sha256: str

    @property
    def uids(self) -> tuple[str, str, str]:
        return self[:3]

    @property
    def etag(self) -> str:
        """As of FoundInstance."""
        return f'"{self.sha256[:32]}"'


def listing(
    session: Session, found: FoundStudy, series_uid: str | None = None, sop_uid: str | None = None
) -> Sequence[Listed]:
    """The same without what is large."""
    rows = session.execute(*_asked(found, series_uid, sop_uid, whole=False))
    return [Listed(found.study.study_uid, *row) for row in rows]


def _asked(
    found: FoundStudy, series_uid: str | None, sop_uid: str | None, *, whole: bool
) -> tuple[Any, dict[str, str]]:
    """A statement and its parameters."""
    parameters = {"study_id": found.study.id, "series_uid": series_uid, "sop_uid": sop_uid}
    named = {name: value for name, value in parameters.items() if value is not None}
    return found.images.narrow(_statement(frozenset(named), whole=whole)), named


@cache
def _statement(named: frozenset[str], *, whole: bool) -> Any:
    """Made once each: every frame asks this, and to build it costs more than to run it."""
    wanted = (
        (Instance, Series, StoredFile)
        if whole
        else (col(Series.series_uid), col(Instance.sop_uid), col(Instance.id), col(StoredFile.sha256))
    )
    statement = (
        rows_of(*wanted)
        .select_from(Instance)
        .join(Series, col(Series.id) == col(Instance.series_id))
        .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
        .where(col(Series.study_id) == bindparam("study_id"), col(StoredFile.state) == FileState.READY)
        .order_by(col(Series.number), col(Series.series_uid), col(Instance.number), col(Instance.sop_uid))
    )
    if "series_uid" in named:
        statement = statement.where(col(Series.series_uid) == bindparam("series_uid"))
    return statement.where(col(Instance.sop_uid) == bindparam("sop_uid")) if "sop_uid" in named else statement


def need_instances(
    session: Session, access: ImageAccess, study_uid: str, series_uid: str | None = None, sop_uid: str | None = None
) -> Sequence[FoundInstance]:
    """The same for a requester, of the newest case that has them. Raises NotFound when there are none."""
    for study in studies(session, access, study_uid):
        found = instances(session, study, series_uid, sop_uid)
        if found:
            return found
    raise NotFound()
