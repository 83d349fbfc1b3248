"""The images of a case as a short list: a row a series and a photograph."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, col, func, select

from api.imaging.access import CaseImages
from api.imaging.files import description_of
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


@dataclass(frozen=True)
class SeriesRow:
    """A series with checked images: DICOM uids, what it is, how many images it has."""

    study_uid: str
    series_uid: str
    word: str
    description: str
    images: int
    size: int


def series_of(session: Session, images: CaseImages) -> Sequence[SeriesRow]:
    """In the order of the studies and of the series' numbers."""
    statement = (
        select(Series, Study.study_uid, func.count(), func.sum(StoredFile.size))
        .join(Study, col(Study.id) == col(Series.study_id))
        .join(Instance, col(Instance.series_id) == col(Series.id))
        .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
        .where(Series.case_id == images.case.id, StoredFile.state == FileState.READY)
        .group_by(col(Series.id))
        .order_by(col(Study.created_at), col(Series.number), col(Series.series_uid))
    )
    return [
        SeriesRow(
            study_uid=study_uid,
            series_uid=series.series_uid,
            word=_WORDS.get(series.modality, N_("Images")),
            description=description_of(images.key, series),
            images=total,
            size=int(size or 0),
        )
        for series, study_uid, total, size in session.exec(images.narrow(statement)).all()
    ]


def series_views(rows: Sequence[SeriesRow], root: str) -> tuple[StudyView, ...]:
    """``root`` is the DICOMweb service that draws the small pictures."""
    return tuple(
        StudyView(
            id=row.series_uid,
            name=row.description or row.word,
            detail=row.word,
            images=row.images,
            size=row.size,
            state="ready",
            preview=f"{root}/studies/{row.study_uid}/series/{row.series_uid}/thumbnail",
        )
        for row in rows
    )
