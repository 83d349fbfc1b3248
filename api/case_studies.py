"""A case's studies as its page shows them: a line each, whatever the number of their images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import case
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, func, select

from activities.imaging.identity import identity_in
from activities.imaging.image_sets import removable
from activities.records.projection import state_of
from api.imaging.access import CaseImages, root_of_case
from api.imaging.files import description_of
from api.imaging.stacks import READ_IN, moved_images, thumbnail_of, with_places
from api.standing import CaseAccess
from schemas.access import Right
from schemas.files import FileKind, FileState
from schemas.identity import IdentityOutcome
from schemas.state import IdentityStanding
from schemas.tables.arrangement import PlacedImage
from schemas.tables.imaging import Instance, Series, StoredFile, Study

_BEARS_WRITING: Final = case((col(Instance.burned_in) == "no", 0), else_=1)
_IS_STRANGERS: Final = case((col(Instance.identity) == IdentityOutcome.CONTRADICTORY, 1), else_=0)


@dataclass(frozen=True, slots=True)
class StudyLine:
    """``frames`` are images of all its series; ``size`` is in bytes; ``thumbnail`` is of its largest series.

    ``stranger`` is the name in the images while they contradict the case's patient, for those who decide on that;
    ``bears_writing`` whether a picture may show the patient's name.
    """

    study_id: str
    modalities: tuple[str, ...]
    descriptions: tuple[str, ...]
    frames: int
    size: int
    is_removable: bool
    thumbnail: str
    stranger: str | None = None
    bears_writing: bool = False


def studies_of(session: Session, access: CaseAccess, images: CaseImages) -> tuple[StudyLine, ...]:
    """The studies of which this person may see an image, in the order of arrival."""
    shows_strangers = _shows_strangers(access)
    totals = with_places(
        rows_of(
            READ_IN,
            func.sum(Instance.frames),
            func.sum(StoredFile.size),
            func.max(func.coalesce(StoredFile.first_set, 0)),
            func.max(_IS_STRANGERS),
            func.max(_BEARS_WRITING),
            func.count() - func.count(col(PlacedImage.id)),
        )
        .select_from(Instance)
        .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
        .where(
            col(Instance.case_id) == images.case.id,
            col(StoredFile.state) == FileState.READY,
            col(StoredFile.kind) == FileKind.DICOM,
        )
    ).group_by(READ_IN)
    by_series = {series_id: rest for series_id, *rest in session.connection().execute(images.narrow(totals))}
    rows = session.exec(
        select(Series, Study)
        .join(Study, col(Study.id) == col(Series.study_id))
        .where(Series.case_id == images.case.id)
        .order_by(col(Study.created_at), col(Series.number), col(Series.id))
    ).all()
    by_study: dict[str, list[_Part]] = {}
    for series, study in rows:
        if series.id in by_series:
            frames, size, newest_set, strange, written, own = by_series[series.id]
            loose = removable(images.case, newest_set or None)
            strangers = bool(strange) and shows_strangers
            part = _Part(series, study, frames, size, loose, strangers, bool(written), own > 0)
            by_study.setdefault(study.id, []).append(part)
    return tuple(_study_line(session, images, parts) for parts in by_study.values())


class _Part(NamedTuple):
    series: Series
    study: Study
    frames: int
    size: int
    is_loose: bool
    is_strangers: bool
    bears_writing: bool
    has_own: bool
    """Whether an image is left of those that the series came with."""


def _study_line(session: Session, images: CaseImages, parts: Sequence[_Part]) -> StudyLine:
    largest = max(parts, key=lambda part: (part.has_own, part.frames))
    texts = (description_of(images.key, part.series) for part in parts)
    return StudyLine(
        study_id=largest.study.id,
        modalities=tuple(dict.fromkeys(part.series.modality for part in parts)),
        descriptions=tuple(dict.fromkeys(text for text in texts if text)),
        frames=sum(part.frames for part in parts),
        size=sum(part.size for part in parts),
        is_removable=all(part.is_loose for part in parts),
        thumbnail=_thumbnail(session, images, largest),
        stranger=next((_named_in(session, images, part.series) for part in parts if part.is_strangers), None),
        bears_writing=any(part.bears_writing for part in parts),
    )


def _thumbnail(session: Session, images: CaseImages, part: _Part) -> str:
    root = root_of_case(images.case.id)
    if part.has_own:
        return f"{root}/studies/{part.study.study_uid}/series/{part.series.series_uid}/thumbnail"
    moved = next(each for each in moved_images(session, images) if each.listed_in == part.series.id)
    return thumbnail_of(moved, root)


def _named_in(session: Session, images: CaseImages, series: Series) -> str:
    """Patient's Name (0010,0010) as it is read, or empty, of the first image in the series that is not the patient's."""
    strange = session.exec(
        images.narrow(
            with_places(select(Instance))
            .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
            .where(
                series.id == READ_IN,
                Instance.identity == IdentityOutcome.CONTRADICTORY,
                StoredFile.state == FileState.READY,
            )
            .order_by(col(Instance.number), col(Instance.id))
        )
    ).first()
    return "" if strange is None else identity_in(images.key, strange.id, strange.metadata_json).full_name


def _shows_strangers(access: CaseAccess) -> bool:
    standing = state_of(access.row).identity.standing
    return access.may(Right.SEE_IDENTITY_CHECK) and standing is not IdentityStanding.OVERRIDDEN
