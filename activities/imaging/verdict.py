"""The verdict over an image set: is anything readable, and is it all this patient's (invariant 12)?"""

from datetime import datetime

from pydantic import JsonValue
from sqlmodel import Session, col, select

from activities.imaging.identity import case_identity, identity_in
from activities.imaging.image_sets import files_of_set
from infra.keystore import KeyStore
from infra.sealing import column_aad, seal_json
from schemas.files import FileKind, FileState
from schemas.identity import IdentityOutcome, PatientInFiles, PersonIdentity, combine, compare, distinct_patients
from schemas.messages import ProcessOutcome
from schemas.state import IdentityStanding
from schemas.tables.case import Case
from schemas.tables.imaging import IdentityFinding, Instance, StoredFile
from schemas.tables.people import Patient

IMAGES = (FileKind.DICOM, FileKind.PHOTO)


def judge(
    session: Session, keys: KeyStore, case: Case, image_set: int, *, at: datetime, beyond: int = 0
) -> ProcessOutcome:
    """Counts, compares and writes the finding of the set; a second time it writes the same row anew.

    The comparison is made afresh: the practice may have corrected the patient's data since the files came. With
    ``beyond`` only files of later sets count, and documents, too: they were added to a set that is known to be readable.
    """
    key = keys.data_key(case.key_id)
    ready = {file.id: file for file in files_of_set(session, case.id, image_set) if file.state == FileState.READY}
    instances = session.exec(select(Instance).where(col(Instance.file_id).in_(list(ready)))).all()
    # Waits for an edit of the patient under way: one that began before these images were checked did not compare them.
    session.get_one(Patient, case.patient_id, with_for_update=True)
    patient = case_identity(session, keys, case)
    people = [(instance.file_id, identity_in(key, instance.id, instance.metadata_json)) for instance in instances]
    outcomes: dict[PersonIdentity, IdentityOutcome] = {
        person: compare(patient, person).outcome for person in {person for _, person in people}
    }
    for instance, (_, person) in zip(instances, people, strict=True):
        instance.identity = outcomes[person]
    patients = distinct_patients(people)
    outcome = combine(outcomes.values())
    if len(patients) > 1:
        outcome = IdentityOutcome.CONTRADICTORY
    details: list[JsonValue] = [_detail(patient, found) for found in patients]
    finding = _finding(session, case.id, image_set, at)
    finding.outcome = outcome
    finding.details = seal_json(key, details, column_aad("identity_finding", f"{case.id}/{image_set}", "details"))
    session.add(finding)
    session.flush()
    mismatched = outcome is IdentityOutcome.CONTRADICTORY
    return ProcessOutcome(
        readable=sum(_counts(file, beyond) for file in ready.values()),
        identity=IdentityStanding.MISMATCHED if mismatched else IdentityStanding.MATCHED,
    )


def _counts(file: StoredFile, beyond: int) -> bool:
    return (file.first_set or 0) > beyond if beyond else file.kind in IMAGES


def _detail(patient: PersonIdentity, found: PatientInFiles) -> JsonValue:
    """What the two people who may override see: who is in which file, and why it is not the case's patient."""
    comparison = compare(patient, found.person)
    person = found.person
    return {
        "name": person.full_name,
        "birth_date": person.birth_date.isoformat() if person.birth_date else None,
        "sex": person.sex.value,
        "patient_id": person.patient_id,
        "issuer": person.issuer,
        "outcome": comparison.outcome.value,
        "reasons": [reason.code.value for reason in comparison.reasons],
        "file_ids": list(found.files),
    }


def _finding(session: Session, case_id: str, image_set: int, at: datetime) -> IdentityFinding:
    """The set's row, or a new one: a set has one finding, its latest. Its sealed column is bound to ``case/set``."""
    found = session.exec(
        select(IdentityFinding).where(IdentityFinding.case_id == case_id, IdentityFinding.image_set == image_set)
    ).first()
    if found is None:
        return IdentityFinding(case_id=case_id, image_set=image_set, outcome="", details=b"", created_at=at)
    found.created_at = at
    return found
