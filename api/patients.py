"""A practice's patients: sealed demographics, a blind index for search, and a look for duplicates."""

import hashlib
import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import and_, or_
from sqlmodel import Session, col, delete, func, select

from activities.records.opening import demographics_of
from api.cursors import read_cursor
from infra.audit import write_audit
from infra.database import now
from infra.keystore import KeyStore
from infra.sealing import blind_index, column_aad, seal_json
from schemas.access import Person
from schemas.errors import NotFound, OdontoError, StateConflict
from schemas.forms import Demographics
from schemas.identity import fold_tokens
from schemas.ids import new_id
from schemas.lifecycle import Role
from schemas.messages import Actor
from schemas.tables.people import Organization, Patient, PatientToken
from schemas.translation import N_


class EditedMeanwhile(OdontoError):
    code = "edited_meanwhile"
    status = 412
    title = N_("Somebody else changed this meanwhile. Look at their version, then save yours again.")


class RevisionMissing(OdontoError):
    code = "revision_missing"
    status = 428
    title = N_("Send an If-Match header with the revision that you have read, so that no edit is lost.")


class PossibleDuplicate(StateConflict):
    code = "possible_duplicate"
    title = N_(
        "A patient with this name and date of birth is on record already. Open that record, or confirm that this is another person."
    )


def _tokens(person: Demographics) -> list[str]:
    names = fold_tokens(f"{person.given_name} {person.family_name}")
    number = [f"number:{person.patient_number.casefold()}"] if person.patient_number else []
    return [*names, f"born:{person.birth_date.isoformat()}", *number]


def index_patient(session: Session, keys: KeyStore, patient: Patient, person: Demographics) -> None:
    practice_key = keys.data_key(session.get_one(Organization, patient.practice_id).key_id)
    session.exec(delete(PatientToken).where(col(PatientToken.patient_id) == patient.id))
    for token in blind_index(practice_key.secret, _tokens(person)):
        session.add(PatientToken(patient_id=patient.id, token=token, practice_id=patient.practice_id))


def find_patients(
    session: Session,
    keys: KeyStore,
    practice_id: str,
    *,
    name: str = "",
    born: date | None = None,
    number: str = "",
    limit: int = 50,
    cursor: str | None = None,
) -> Sequence[Patient]:
    """Patients whose record has all of these name parts, the birth date and the practice's number; without any, all.

    The last changed first; ``cursor`` goes on after a patient's ``updated_at`` and id. Raises CursorInvalid.
    """
    wanted = [
        *fold_tokens(name),
        *([f"born:{born.isoformat()}"] if born else []),
        *([f"number:{number.casefold()}"] if number else []),
    ]
    statement = select(Patient).where(Patient.practice_id == practice_id, col(Patient.is_archived).is_(False))
    if wanted:
        practice_key = keys.data_key(session.get_one(Organization, practice_id).key_id)
        tokens = blind_index(practice_key.secret, wanted)
        matching = (
            select(PatientToken.patient_id)
            .where(PatientToken.practice_id == practice_id, col(PatientToken.token).in_(tokens))
            .group_by(col(PatientToken.patient_id))
            .having(func.count() == len(tokens))
        )
        statement = statement.where(col(Patient.id).in_(matching))
    if cursor:
        moment, patient_id = read_cursor(cursor)
        changed = col(Patient.updated_at)
        statement = statement.where(or_(changed < moment, and_(changed == moment, col(Patient.id) > patient_id)))
    return session.exec(statement.order_by(col(Patient.updated_at).desc(), Patient.id).limit(limit)).all()


def find_patients_by_text(
    session: Session, keys: KeyStore, practice_id: str, text: str, *, limit: int = 50
) -> Sequence[Patient]:
    """What a person types into one search field: a date of birth, the practice's number, or parts of the name."""
    words = text.strip()
    if not words:
        return []
    born = typed_date(words)
    if born is not None:
        return find_patients(session, keys, practice_id, born=born, limit=limit)
    by_number = find_patients(session, keys, practice_id, number=words, limit=limit)
    by_name = find_patients(session, keys, practice_id, name=words, limit=limit) if fold_tokens(words) else []
    known = {patient.id for patient in by_number}
    return [*by_number, *(patient for patient in by_name if patient.id not in known)][:limit]


_DATES: Final = (
    re.compile(r"(?P<day>\d{1,2})[./ -]\s?(?P<month>\d{1,2})[./ -]\s?(?P<year>\d{4})"),
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"),
)


def typed_date(text: str) -> date | None:
    """A date as it is typed here: ``14.03.1987``, ``14/3/1987`` (day first) or ``1987-03-14``."""
    for pattern in _DATES:
        if found := pattern.fullmatch(text.strip()):
            try:
                return date(int(found["year"]), int(found["month"]), int(found["day"]))
            except ValueError:
                return None
    return None


def duplicates_of(session: Session, keys: KeyStore, practice_id: str, person: Demographics) -> Sequence[Patient]:
    """Records with the same name parts and date of birth."""
    name = f"{person.given_name} {person.family_name}"
    return find_patients(session, keys, practice_id, name=name, born=person.birth_date, limit=10)


def create_patient(
    session: Session,
    keys: KeyStore,
    practice_id: str,
    person: Demographics,
    *,
    actor: Actor,
    confirmed: bool,
    key: str = "",
) -> Patient:
    """Raises PossibleDuplicate unless the person has confirmed that it is somebody else.

    With a ``key`` of its own, the same request sent twice adds one patient.
    """
    patient_id = _id_of_key(practice_id, actor.user_id, key) if key else new_id("pat")
    known = session.get(Patient, patient_id) if key else None
    if known is not None:
        return known
    if not confirmed:
        found = duplicates_of(session, keys, practice_id, person)
        if found:
            raise PossibleDuplicate(patient_ids=[patient.id for patient in found])
    moment = now()
    data_key = keys.create(session, "patient", patient_id)
    place = column_aad("patient", patient_id, "demographics")
    patient = Patient(
        id=patient_id,
        practice_id=practice_id,
        key_id=data_key.id,
        demographics=seal_json(data_key, person.model_dump(mode="json"), place),
        created_at=moment,
        updated_at=moment,
    )
    session.add(patient)
    session.flush()
    index_patient(session, keys, patient, person)
    write_audit(session, scope=practice_id, act="patient.create", actor=actor, at=moment, subject_id=patient_id)
    return patient


def _id_of_key(practice_id: str, user_id: str, key: str) -> str:
    """As opaque as any id; the same for the same request."""
    digest = hashlib.sha256("\n".join((practice_id, user_id, key)).encode()).hexdigest()
    return f"pat_{digest[:30]}"


def practice_actor(person: Person, practice_id: str) -> Actor:
    """The person as the audit trail names them, for what belongs to a practice and to no case."""
    role = next((member.role for member in person.members if member.organization_id == practice_id), Role.STAFF)
    return Actor(user_id=person.user_id, role=role, relation="own", session_id=person.session_id)


def load_patient(session: Session, patient_id: str, practice_ids: Sequence[str]) -> Patient:
    patient = session.get(Patient, patient_id)
    if patient is None or patient.practice_id not in practice_ids:
        raise NotFound()
    return patient


__all__ = [
    "EditedMeanwhile",
    "PossibleDuplicate",
    "RevisionMissing",
    "create_patient",
    "demographics_of",
    "duplicates_of",
    "find_patients",
    "find_patients_by_text",
    "index_patient",
    "load_patient",
    "practice_actor",
    "typed_date",
]
