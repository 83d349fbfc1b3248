"""Folders and archives that were refused because two patients are in them: who is in which file, and what can be done."""

from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, col, select

from activities.imaging.batches import keep_patient, patients_of, remove_batch
from activities.imaging.identity import case_identity
from activities.imaging.image_sets import FileFrozen, removable
from api.cases import acting
from api.file_removal import tell_removal
from api.imaging.access import CaseImages, images_of
from api.services import Services
from api.standing import CaseAccess
from infra.audit import write_audit
from infra.database import now
from infra.file_batches import REFUSED, name_of_batch
from infra.file_names import name_of
from infra.keystore import KeyStore
from infra.removals import remove
from schemas.access import Right
from schemas.errors import NotFound, StateConflict
from schemas.files import FileState
from schemas.identity import IdentityOutcome, compare
from schemas.tables.case import Case
from schemas.tables.imaging import FileBatch, StoredFile
from schemas.translation import N_

_NAMED: Final = 12
"""Files of one patient that are named; the rest is counted."""
_OURS: Final = frozenset({IdentityOutcome.EXACT, IdentityOutcome.PROBABLE})


class AnotherPatientsFiles(StateConflict):
    code = "another_patients_files"
    title = N_(
        "These files are not of this case's patient and cannot be kept here. Upload them to a case of their own."
    )


@dataclass(frozen=True, slots=True)
class PersonInBatch:
    """``number`` names the person in requests, from 0; name and date are empty for those who may not know them."""

    number: int
    name: str
    birth_date: str
    files: int
    names: tuple[str, ...]
    is_ours: bool


@dataclass(frozen=True, slots=True)
class MixedBatch:
    batch_id: str
    name: str
    files: int
    people: tuple[PersonInBatch, ...]
    is_removable: bool


def mixed_batches(session: Session, keys: KeyStore, access: CaseAccess) -> tuple[MixedBatch, ...]:
    """Those of the case that wait for a decision, for the practice; nothing for its readers."""
    images = images_of(access)
    if images.up_to_set is not None:
        return ()
    batches = session.exec(
        select(FileBatch)
        .where(FileBatch.case_id == access.row.id, FileBatch.state == REFUSED)
        .order_by(col(FileBatch.created_at), col(FileBatch.id))
    ).all()
    views = (_view(session, keys, access, images, batch) for batch in batches)
    return tuple(view for view in views if view.files)  # its files may have been taken out one by one


def _view(session: Session, keys: KeyStore, access: CaseAccess, images: CaseImages, batch: FileBatch) -> MixedBatch:
    files = {
        file.id: file
        for file in session.exec(
            select(StoredFile).where(StoredFile.batch_id == batch.id, StoredFile.state != FileState.REMOVED)
        ).all()
    }
    sees = access.may(Right.SEE_IDENTITY_CHECK)
    ours = case_identity(session, keys, images.case)
    people = []
    for number, found in enumerate(patients_of(images.key, batch)):
        there = [files[file_id] for file_id in found.files if file_id in files]
        people.append(
            PersonInBatch(
                number=number,
                name=found.person.full_name if sees else "",
                birth_date=found.person.birth_date.isoformat() if sees and found.person.birth_date else "",
                files=len(there),
                names=tuple(name_of(images.key, file)["name"] for file in there[:_NAMED]),
                is_ours=sees and compare(ours, found.person).outcome in _OURS,
            )
        )
    return MixedBatch(
        batch_id=batch.id,
        name=name_of_batch(images.key, batch),
        files=len(files),
        people=tuple(people),
        is_removable=all(removable(images.case, file.first_set) for file in files.values()),
    )


def keep_of_batch(services: Services, access: CaseAccess, batch_id: str, number: int) -> None:
    """Keeps the files of one patient of a refused batch, and what names nobody. Blocking.

    Raises NotFound, FileFrozen, AnotherPatientsFiles.
    """
    with services.database.write() as session:
        case, batch = _locked(session, access, batch_id)
        people = patients_of(access.key, batch)
        if not 0 <= number < len(people):
            raise NotFound()
        if compare(case_identity(session, services.keys, case), people[number].person).outcome not in _OURS:
            raise AnotherPatientsFiles()
        removed = keep_patient(session, access.key, batch, number)
        spare = _settle(session, access, case, batch, removed, act="batch.keep")
    services.feed.wake()
    remove(services.database, services.blobs, spare)


def remove_whole_batch(services: Services, access: CaseAccess, batch_id: str) -> None:
    """Removes all of a refused batch; otherwise as ``keep_of_batch``."""
    with services.database.write() as session:
        case, batch = _locked(session, access, batch_id)
        spare = _settle(session, access, case, batch, remove_batch(session, access.key, batch), act="batch.remove")
    services.feed.wake()
    remove(services.database, services.blobs, spare)


def _locked(session: Session, access: CaseAccess, batch_id: str) -> tuple[Case, FileBatch]:
    case = session.exec(select(Case).where(Case.id == access.row.id).with_for_update()).one()
    batch = session.get(FileBatch, batch_id)
    if batch is None or batch.case_id != case.id or batch.state != REFUSED:
        raise NotFound()
    sets = session.exec(
        select(StoredFile.first_set)
        .where(StoredFile.batch_id == batch_id, StoredFile.state != FileState.REMOVED)
        .distinct()
    ).all()
    if not all(removable(case, first_set) for first_set in sets):
        raise FileFrozen()
    return case, batch


def _settle(
    session: Session, access: CaseAccess, case: Case, batch: FileBatch, removed: list[StoredFile], *, act: str
) -> list[str]:
    """Audits what became of it; returns the blobs that nobody needs now."""
    write_audit(
        session,
        scope=case.id,
        act=act,
        actor=acting(access),
        at=now(),
        subject_id=batch.id,
        detail={"removed": len(removed)},
    )
    return tell_removal(session, case, removed)
