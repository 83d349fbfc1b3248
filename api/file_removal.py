"""Taking files out of a case before anybody has read them."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from activities.imaging.image_sets import FileFrozen, removable
from activities.imaging.removal import remove_files
from api.cases import acting
from api.imaging.stacks import READ_IN, photo_stacks, with_places
from api.services import Services
from api.standing import CaseAccess
from infra.audit import write_audit
from infra.database import now
from infra.feed import publish
from infra.outbox import enqueue_once
from infra.removals import remove
from infra.stored_files import let_go_of
from schemas.decisions import files_fact
from schemas.errors import NotFound
from schemas.files import FileState
from schemas.lifecycle import State
from schemas.tables.case import Case
from schemas.tables.imaging import Instance, Series, StoredFile


def files_of_study(session: Session, access: CaseAccess, study_id: str) -> list[str]:
    """Ids of the files of what stands in the list as this study: with images that were moved there, without those that were
    moved away. Raises NotFound for another case's study."""
    found = session.exec(
        with_places(select(Instance.file_id))
        .join(Series, col(Series.id) == READ_IN)
        .where(Series.study_id == study_id, Series.case_id == access.row.id)
    ).all()
    if not found:
        raise NotFound()
    return list(found)


def files_with(session: Session, access: CaseAccess, file_id: str) -> list[str]:
    """The file, and the photographs that are read with it."""
    return [file_id, *photo_stacks(session, access.row.id).by_first.get(file_id, ())]


def take_out_with_bytes(services: Services, access: CaseAccess, file_ids: Sequence[str]) -> None:
    """``take_out``, and then the blobs. Blocking."""
    with services.database.write() as session:
        spare = take_out(session, access, file_ids)
    services.feed.wake()
    remove(services.database, services.blobs, spare)


def take_out(session: Session, access: CaseAccess, file_ids: Sequence[str]) -> list[str]:
    """Removes files that nobody has read yet, all or none, in the caller's transaction; returns the blobs that were let
    go of, which the caller removes after the commit.

    Raises NotFound for another case's file, FileFrozen for one that was submitted.
    """
    case = session.exec(select(Case).where(Case.id == access.row.id).with_for_update()).one()
    files = session.exec(
        select(StoredFile).where(
            col(StoredFile.id).in_(file_ids), StoredFile.case_id == case.id, StoredFile.state != FileState.REMOVED
        )
    ).all()
    if len(files) != len(set(file_ids)):
        raise NotFound()
    if not all(removable(case, file.first_set) for file in files):
        raise FileFrozen()
    remove_files(session, access.key, files)
    moment = now()
    for file in files:
        write_audit(session, scope=case.id, act="file.remove", actor=acting(access), at=moment, subject_id=file.id)
    return tell_removal(session, case, files)


def tell_removal(session: Session, case: Case, removed: Sequence[StoredFile]) -> list[str]:
    """Tells the case and its pages that files were removed, in the transaction that did it, with the case's row locked;
    returns the blobs that were let go of."""
    spare = let_go_of(session, removed)
    enqueue_once(session, files_fact(State(case.state)), case.id)
    publish(session, "file.removed", at=now(), practice_id=case.practice_id, case_id=case.id)
    return spare
