"""Taking a file out of a case before anybody has read it."""

from sqlmodel import Session, col, select

from activities.imaging.parser.problems import ProblemCode
from activities.imaging.previews import drop_previews
from schemas.tables.imaging import Instance, Series, StoredFile, Study


def remove_file(session: Session, file: StoredFile) -> None:
    """Marks the file as removed and takes back what ingest wrote of it; its blob is for the caller to delete, afterwards.

    Files that clashed with it under one SOP instance UID are to be checked again.
    """
    subjects = [file.id]
    for instance in session.exec(select(Instance).where(Instance.file_id == file.id)).all():
        subjects += [instance.id, instance.series_id]  # the series' preview may show this image
        session.delete(instance)
        session.flush()
        _drop_empty(session, instance.series_id)
    drop_previews(session, subjects)
    if file.kind == "dicom":
        clashed = session.exec(
            select(StoredFile).where(
                StoredFile.case_id == file.case_id,
                StoredFile.state == "unreadable",
                col(StoredFile.problem_code) == ProblemCode.CONFLICTING_INSTANCE.value,
            )
        ).all()
        for other in clashed:
            other.state, other.problem_code, other.problem = "stored", None, None
    file.state = "removed"
    session.flush()


def _drop_empty(session: Session, series_id: str) -> None:
    if session.exec(select(Instance.id).where(Instance.series_id == series_id).limit(1)).first() is not None:
        return
    series = session.get_one(Series, series_id)
    session.delete(series)
    session.flush()
    if session.exec(select(Series.id).where(Series.study_id == series.study_id).limit(1)).first() is None:
        session.delete(session.get_one(Study, series.study_id))
        session.flush()
