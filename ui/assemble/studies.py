"""The images of a case as a short list in the practice's order: a row a series."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, col, select

from api.imaging.access import CaseImages
from api.imaging.files import description_of
from api.reading_order import ReadGroup, ReadSeries, reading_order, series_name
from schemas.files import FileState
from schemas.tables.imaging import Instance, Series, StoredFile, Study
from schemas.translation import N_
from ui.views import StudyView

_WORDS: Final = {
    "CT": N_("Cone beam CT"),
    "PX": N_("Panoramic radiograph"),
    "IO": N_("Intraoral radiograph"),
    "DX": N_("Radiograph"),
    "CR": N_("Radiograph"),
    "XC": N_("Photograph"),
}


def kind_word(modality: str) -> str:
    """What images of a modality (0008,0060) are, in the interface's own language."""
    return _WORDS.get(modality, N_("Images"))


@dataclass(frozen=True)
class SeriesRow:
    """A series with checked images, as it is read. ``id`` is its UID, or of images apart the practice's series; ``name`` is the
    practice's, or empty; ``preview`` without its root."""

    id: str
    word: str
    name: str
    description: str
    images: int
    size: int
    preview: str


def study_uids(session: Session, images: CaseImages) -> list[str]:
    """The studies that have checked images, as DICOMweb answers of them."""
    statement = (
        select(Study.study_uid, Study.created_at)
        .join(Series, col(Series.study_id) == col(Study.id))
        .join(Instance, col(Instance.series_id) == col(Series.id))
        .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
        .where(Study.case_id == images.case.id, StoredFile.state == FileState.READY)
        .distinct()
        .order_by(col(Study.created_at), col(Study.study_uid))
    )
    return [study_uid for study_uid, _ in session.exec(images.narrow(statement)).all()]


def series_of(session: Session, images: CaseImages) -> Sequence[SeriesRow]:
    """In the practice's order."""
    return series_rows(images, reading_order(session, images))


def series_rows(images: CaseImages, groups: Sequence[ReadGroup]) -> list[SeriesRow]:
    return [series_row(images, each) for group in groups for each in group.entries if isinstance(each, ReadSeries)]


def series_row(images: CaseImages, entry: ReadSeries) -> SeriesRow:
    stack = entry.stack
    return SeriesRow(
        id=stack.id if stack.is_apart else stack.series.series_uid,
        word=kind_word(stack.series.modality),
        name=series_name(images, entry),
        description=description_of(images.key, stack.series),
        images=stack.images,
        size=stack.size,
        preview=stack.thumbnail(""),
    )


def series_views(rows: Sequence[SeriesRow], root: str) -> tuple[StudyView, ...]:
    """``root`` is the DICOMweb service that draws the small pictures."""
    return tuple(
        StudyView(
            id=row.id,
            name=row.name or row.description or row.word,
            detail=row.word,
            images=row.images,
            size=row.size,
            state="ready",
            preview=f"{root}{row.preview}",
        )
        for row in rows
    )
