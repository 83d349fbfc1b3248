"""Taking files out of a case before anybody has read them."""

from collections.abc import Sequence

from sqlmodel import Session, col, delete, or_, select

from activities.imaging.image_sets import is_unread
from activities.imaging.parser.problems import ProblemCode
from activities.imaging.parser.results import metadata_object
from activities.imaging.previews import drop_previews
from activities.imaging.records import sealed_attributes
from infra.keys import DataKey
from infra.sealing import column_aad, open_sealed
from schemas.files import FileKind, FileState
from schemas.tables.arrangement import ArrangedItem, PlacedImage
from schemas.tables.case import Case
from schemas.tables.imaging import Instance, Series, StoredFile, Study


def remove_files(session: Session, key: DataKey, files: Sequence[StoredFile]) -> None:
    """Marks files of one case as removed and takes back what ingest wrote of them; their blobs are for the caller to let go
    of, afterwards.

    Files that clashed with them under one SOP instance UID are to be checked again, and wait for the next image set: whoever
    has confirmed, or is to confirm, the images of this one has not seen them.
    """
    withdraw(session, key, files)
    if any(file.kind == FileKind.DICOM for file in files):
        case = session.get_one(Case, files[0].case_id)
        clashed = session.exec(
            select(StoredFile).where(
                StoredFile.case_id == files[0].case_id,
                StoredFile.state == FileState.UNREADABLE,
                col(StoredFile.problem_code) == ProblemCode.CONFLICTING_INSTANCE.value,
            )
        ).all()
        for other in clashed:
            other.state, other.problem_code, other.problem = FileState.STORED, None, None
            if is_unread(case, other.first_set):
                other.first_set = None
    for file in files:
        file.state = FileState.REMOVED
    forget_words(session, [file.id for file in files])
    session.flush()


def forget_words(session: Session, item_ids: Sequence[str]) -> None:
    """What the practice wrote beside something that is removed goes with it, and its place too."""
    session.exec(delete(ArrangedItem).where(col(ArrangedItem.id).in_(item_ids)))


def withdraw(session: Session, key: DataKey, files: Sequence[StoredFile]) -> None:
    """Takes back what ingest wrote of files of one case: instances, previews, series and studies left without any, and what
    these said of series and studies that stay."""
    ids = [file.id for file in files]
    written = session.exec(select(Instance.id, Instance.series_id).where(col(Instance.file_id).in_(ids))).all()
    touched = {series_id for _, series_id in written}
    gone = [*ids, *(instance_id for instance_id, _ in written)]
    drop_previews(session, gone)
    _send_back(session, gone)
    session.exec(delete(Instance).where(col(Instance.file_id).in_(ids)))
    session.flush()
    series = session.exec(select(Series).where(col(Series.id).in_(touched)).order_by(col(Series.id))).all()
    studies = session.exec(select(Study).where(col(Study.id).in_({each.study_id for each in series}))).all()
    rows: list[Series | Study] = [*series, *studies]
    for row in rows:
        _describe_anew(session, key, row)


def _send_back(session: Session, gone: Sequence[str]) -> None:
    """Images that were moved to a series that is no more are read where they came in again."""
    of_them = or_(*(col(column).in_(gone) for column in (PlacedImage.id, PlacedImage.stack_id, PlacedImage.series_id)))
    session.exec(delete(PlacedImage).where(of_them))


def _describe_anew(session: Session, key: DataKey, row: Series | Study) -> None:
    """Drops a row without images. What the others say of it is taken of those that stay: the removed ones may have named
    another patient. Images that readers see come before those that nobody has let pass."""
    own = Instance.series_id == row.id if isinstance(row, Series) else Series.study_id == row.id
    left = session.exec(
        select(Instance)
        .join(Series, col(Series.id) == col(Instance.series_id))
        .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
        .where(own)
        .order_by(col(StoredFile.first_set).is_(None), col(StoredFile.first_set), col(StoredFile.created_at))
        .limit(1)
    ).first()
    if left is None:
        forget_words(session, [row.id])
        _send_back(session, [row.id])
        session.delete(row)
    else:
        place = column_aad("instance", left.id, "metadata_json")
        metadata = metadata_object(open_sealed(key, left.metadata_json, place))
        row.attributes = sealed_attributes(key, "series" if isinstance(row, Series) else "study", row.id, metadata)
    session.flush()
