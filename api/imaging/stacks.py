"""The series in which images are read: those that they came in, and what the practice has moved (docs/decisions/0019).

DICOMweb knows nothing of this: it answers with the attributes of the files.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, func, select

from api.imaging.access import CaseImages
from schemas.files import FileState
from schemas.tables.arrangement import PlacedImage
from schemas.tables.imaging import Instance, Series, StoredFile, Study

READ_IN: Final[ColumnElement[str]] = func.coalesce(PlacedImage.series_id, Instance.series_id)
"""The DICOM series beside which an instance is listed, of statements that :func:`with_places` has joined."""
_STACK: Final[ColumnElement[str]] = func.coalesce(PlacedImage.stack_id, Instance.series_id)


def with_places(statement: Any) -> Any:
    """A statement over ``Instance`` that knows where each of them is read."""
    return statement.join(PlacedImage, col(PlacedImage.id) == col(Instance.id), isouter=True)


@dataclass(frozen=True, slots=True)
class Moved:
    """An instance that is read elsewhere than where it came: with its own series and study."""

    instance_id: str
    sop_uid: str
    number: int | None
    stack_id: str
    listed_in: str
    series: Series
    study_uid: str
    first_set: int | None


@dataclass(frozen=True, slots=True)
class Stack:
    """Images that are read as one series. ``id`` is the DICOM series' or, of one apart, the instance's it is named for;
    ``series`` is that beside which it stands; ``size`` in bytes."""

    id: str
    series: Series
    study: Study
    images: int
    size: int
    moved_in: tuple[Moved, ...] = ()
    moved_away: tuple[Moved, ...] = ()

    @property
    def is_apart(self) -> bool:
        return self.id != self.series.id

    def thumbnail(self, root: str) -> str:
        """Of an image that came in the series, where one is left."""
        if self.images > len(self.moved_in):
            return f"{root}/studies/{self.study.study_uid}/series/{self.series.series_uid}/thumbnail"
        return thumbnail_of(self.moved_in[0], root)


def stacks_of(session: Session, images: CaseImages) -> list[Stack]:
    """Of checked images that this requester sees: by study, by the series' number, those apart after their series."""
    counted = with_places(
        rows_of(_STACK, func.count(), func.sum(StoredFile.size))
        .select_from(Instance)
        .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
    )
    ready = (col(Instance.case_id) == images.case.id, col(StoredFile.state) == FileState.READY)
    counts = {
        stack_id: (total, int(size or 0))
        for stack_id, total, size in session.connection().execute(images.narrow(counted.where(*ready).group_by(_STACK)))
    }
    rows = session.exec(
        select(Series, Study)
        .join(Study, col(Study.id) == col(Series.study_id))
        .where(Series.case_id == images.case.id)
        .order_by(col(Study.created_at), col(Series.number), col(Series.series_uid))
    ).all()
    moved = moved_images(session, images)
    found = []
    for series, study in rows:
        apart = dict.fromkeys(
            each.stack_id for each in moved if each.listed_in == series.id and each.stack_id != series.id
        )
        for stack_id in (series.id, *apart):
            if stack_id in counts:
                found.append(_stack(stack_id, series, study, counts[stack_id], moved))
    return found


def thumbnail_of(moved: Moved, root: str) -> str:
    """Where the DICOMweb service at ``root`` draws the image small."""
    series = f"{root}/studies/{moved.study_uid}/series/{moved.series.series_uid}"
    return f"{series}/instances/{moved.sop_uid}/thumbnail"


def _stack(stack_id: str, series: Series, study: Study, counted: tuple[int, int], moved: Sequence[Moved]) -> Stack:
    return Stack(
        stack_id,
        series,
        study,
        *counted,
        moved_in=tuple(each for each in moved if each.stack_id == stack_id),
        moved_away=tuple(each for each in moved if each.series.id == series.id != each.stack_id)
        if stack_id == series.id
        else (),
    )


def moved_images(session: Session, images: CaseImages) -> list[Moved]:
    """In the order in which they were moved."""
    statement = (
        select(PlacedImage, Instance, StoredFile, Series)
        .join(Instance, col(Instance.id) == col(PlacedImage.id))
        .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
        .join(Series, col(Series.id) == col(Instance.series_id))
        .where(PlacedImage.case_id == images.case.id, StoredFile.state == FileState.READY)
        .order_by(col(PlacedImage.placed_at), col(PlacedImage.id))
    )
    return [
        Moved(
            row.id,
            row.sop_uid,
            row.number,
            placed.stack_id,
            placed.series_id or series.id,
            series,
            session.get_one(Study, series.study_id).study_uid,
            file.first_set,
        )
        for placed, row, file, series in session.exec(images.narrow(statement)).all()
    ]


@dataclass(frozen=True, slots=True)
class PhotoStacks:
    """Photographs that are read together, by the one with which they stand; ``followers`` are all the others."""

    by_first: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def followers(self) -> frozenset[str]:
        return frozenset(each for others in self.by_first.values() for each in others)


def photo_stacks(session: Session, case_id: str) -> PhotoStacks:
    rows = session.exec(
        select(PlacedImage.stack_id, PlacedImage.id)
        .where(PlacedImage.case_id == case_id, col(PlacedImage.series_id).is_(None))
        .order_by(col(PlacedImage.placed_at), col(PlacedImage.id))
    ).all()
    found: dict[str, tuple[str, ...]] = {}
    for first, other in rows:
        found[first] = (*found.get(first, ()), other)
    return PhotoStacks(found)
