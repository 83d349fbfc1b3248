"""Taking files out of a case before anybody has read them."""

from collections.abc import Iterable, Sequence

from sqlmodel import Session, col, delete, select

from activities.imaging.parser.problems import ProblemCode
from activities.imaging.previews import drop_previews
from schemas.tables.imaging import Instance, Series, StoredFile, Study


def remove_files(session: Session, files: Sequence[StoredFile]) -> None:
    """Marks files of one case as removed and takes back what ingest wrote of them; their blobs are for the caller to let go
    of, afterwards.

    Files that clashed with them under one SOP instance UID are to be checked again.
    """
    withdraw(session, files)
    if any(file.kind == "dicom" for file in files):
        clashed = session.exec(
            select(StoredFile).where(
                StoredFile.case_id == files[0].case_id,
                StoredFile.state == "unreadable",
                col(StoredFile.problem_code) == ProblemCode.CONFLICTING_INSTANCE.value,
            )
        ).all()
        for other in clashed:
            other.state, other.problem_code, other.problem = "stored", None, None
    for file in files:
        file.state = "removed"
    session.flush()


def withdraw(session: Session, files: Sequence[StoredFile]) -> None:
    """Takes back what ingest wrote of files of one case: instances, previews, and series and studies left without any."""
    ids = [file.id for file in files]
    written = session.exec(select(Instance.id, Instance.series_id).where(col(Instance.file_id).in_(ids))).all()
    touched = {series_id for _, series_id in written}
    drop_previews(session, [*ids, *(instance_id for instance_id, _ in written)])
    session.exec(delete(Instance).where(col(Instance.file_id).in_(ids)))
    session.flush()
    _drop_empty(session, touched)


def _drop_empty(session: Session, series_ids: Iterable[str]) -> None:
    for series_id in sorted(series_ids):
        if session.exec(select(Instance.id).where(Instance.series_id == series_id).limit(1)).first() is not None:
            continue
        series = session.get_one(Series, series_id)
        session.delete(series)
        session.flush()
        if session.exec(select(Series.id).where(Series.study_id == series.study_id).limit(1)).first() is None:
            session.delete(session.get_one(Study, series.study_id))
            session.flush()
