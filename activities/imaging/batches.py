"""Folders and archives with two patients in them are refused as a whole (DOMAIN, wrong-patient protection).

Nobody can override that: whoever sent them keeps the files of the case's patient and lets the others go, or all.
"""

from collections.abc import Sequence

from pydantic import JsonValue
from sqlmodel import Session, col, select

from activities.imaging.identity import identity_in
from activities.imaging.image_sets import is_unread
from activities.imaging.parser.problems import SENTENCES, ProblemCode
from activities.imaging.removal import remove_files, withdraw
from infra.file_batches import ACCEPTED, ENDED, OPEN, REFUSED
from infra.keys import DataKey
from infra.sealing import column_aad, open_json, seal_json
from schemas.files import FileState
from schemas.identity import PatientInFiles, PersonIdentity, distinct_patients
from schemas.tables.case import Case
from schemas.tables.imaging import FileBatch, Instance, StoredFile

_TABLE = "file_batch"


def is_batch_open(session: Session, case_id: str) -> bool:
    """Whether anything is to be judged."""
    wanted = select(FileBatch.id).where(FileBatch.case_id == case_id, FileBatch.state == OPEN).limit(1)
    return session.exec(wanted).first() is not None


def judge_batches(session: Session, key: DataKey, case: Case) -> int:
    """Looks at the case's batches whose files have all been checked; returns how many were refused.

    In the caller's transaction, with the case's row locked. What was submitted and has passed stays: there the verdict
    over the image set holds the case. What was submitted and is being checked has not passed yet.
    """
    batches = session.exec(select(FileBatch).where(FileBatch.case_id == case.id, FileBatch.state == OPEN)).all()
    return sum(_judge(session, key, case, batch) for batch in batches)


def _judge(session: Session, key: DataKey, case: Case, batch: FileBatch) -> bool:
    files = _files(session, batch.id)
    if any(file.state == FileState.STORED for file in files):
        return False  # the rest is checked first
    patients = distinct_patients(_people(session, key, [file.id for file in files if file.state == FileState.READY]))
    if len(patients) < 2 or not all(is_unread(case, file.first_set) for file in files):
        batch.state = ACCEPTED
        return False
    found: list[JsonValue] = [patient.model_dump(mode="json") for patient in patients]
    batch.finding = seal_json(key, found, column_aad(_TABLE, batch.id, "finding"))
    batch.state = REFUSED
    refused = [file for file in files if file.state == FileState.READY]
    withdraw(session, key, refused)
    for file in refused:
        file.state = FileState.UNREADABLE
        file.problem_code, file.problem = ProblemCode.MIXED_PATIENTS.value, SENTENCES[ProblemCode.MIXED_PATIENTS]
    for file in files:
        file.first_set = None  # whose they are can still be decided once the rest of the set is read
    session.flush()
    return True


def patients_of(key: DataKey, batch: FileBatch) -> tuple[PatientInFiles, ...]:
    """Who is in which file of a refused batch; nobody in another one."""
    if batch.finding is None:
        return ()
    found = open_json(key, batch.finding, column_aad(_TABLE, batch.id, "finding"))
    assert isinstance(found, list)
    return tuple(PatientInFiles.model_validate(entry) for entry in found)


def keep_patient(session: Session, key: DataKey, batch: FileBatch, kept: int) -> list[StoredFile]:
    """Lets go of everybody else's files and has the rest checked anew, with what names nobody; returns what was removed.

    ``kept`` counts the batch's patients from 0. The case's row is locked by the caller, who deletes the blobs.
    """
    foreign = {
        file_id for index, patient in enumerate(patients_of(key, batch)) if index != kept for file_id in patient.files
    }
    files = _files(session, batch.id)
    removed = [file for file in files if file.id in foreign]
    remove_files(session, key, removed)
    for file in files:
        if file.id not in foreign and file.problem_code == ProblemCode.MIXED_PATIENTS:
            file.state, file.problem_code, file.problem = FileState.STORED, None, None
    batch.state, batch.finding = OPEN, None
    session.flush()
    return removed


def remove_batch(session: Session, key: DataKey, batch: FileBatch) -> list[StoredFile]:
    """Lets go of all of its files; returns them. As in ``keep_patient``."""
    files = _files(session, batch.id)
    remove_files(session, key, files)
    batch.state, batch.finding = ENDED, None
    session.flush()
    return list(files)


def _files(session: Session, batch_id: str) -> Sequence[StoredFile]:
    return session.exec(
        select(StoredFile)
        .where(StoredFile.batch_id == batch_id, StoredFile.state != FileState.REMOVED)
        .order_by(col(StoredFile.id))
        .with_for_update()
    ).all()


def _people(session: Session, key: DataKey, file_ids: list[str]) -> list[tuple[str, PersonIdentity]]:
    rows = session.exec(
        select(Instance.file_id, Instance.id, Instance.metadata_json)
        .where(col(Instance.file_id).in_(file_ids))
        .order_by(col(Instance.file_id))
    ).all()
    return [(file_id, identity_in(key, instance_id, sealed)) for file_id, instance_id, sealed in rows]
