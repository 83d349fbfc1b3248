"""Opening a case: the row, its key and the outbox item that starts its workflow, in one transaction (DECISIONS 1)."""

import secrets
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from activities.records.projection import project
from infra.audit import write_audit
from infra.feed import publish
from infra.keys import DataKey
from infra.keystore import KeyStore
from infra.outbox import START_CASE, enqueue
from infra.sealing import column_aad, open_json, seal_json
from schemas.clinical import ClinicalForm
from schemas.errors import StateConflict
from schemas.forms import Demographics, NewCase
from schemas.ids import new_id
from schemas.messages import Actor
from schemas.sla import DEFAULT_POLICY, SlaPolicy
from schemas.state import opened
from schemas.tables.case import Case
from schemas.tables.people import Contract, Patient
from schemas.translation import N_

_NUMBER_DIGITS: Final = 10


class PatientArchived(StateConflict):
    code = "patient_archived"
    title = N_("This patient's record is archived. Restore it before you open a new case.")


def contract_of(session: Session, practice_id: str) -> Contract | None:
    """The practice's active contract; the oldest where there are several."""
    return session.exec(
        select(Contract)
        .where(Contract.practice_id == practice_id, col(Contract.is_active))
        .order_by(col(Contract.created_at))
        .limit(1)
    ).first()


def policy_of(session: Session, practice_id: str) -> SlaPolicy:
    contract = contract_of(session, practice_id)
    return DEFAULT_POLICY if contract is None else SlaPolicy.model_validate_json(contract.policy)


def demographics_of(keys: KeyStore, patient: Patient) -> Demographics:
    place = column_aad("patient", patient.id, "demographics")
    return Demographics.model_validate(open_json(keys, patient.demographics, place))


def form_of(keys: KeyStore, row: Case) -> ClinicalForm:
    return ClinicalForm.model_validate(open_json(keys, row.form, column_aad("report_case", row.id, "form")))


def open_case(session: Session, keys: KeyStore, patient: Patient, new: NewCase, *, actor: Actor, now: datetime) -> Case:
    """Adds a draft to the caller's transaction."""
    if patient.is_archived:
        raise PatientArchived()
    case_id = new_id("case")
    key = keys.create(session, "case", case_id)
    state = opened(
        case_id=case_id,
        practice_id=patient.practice_id,
        patient_id=patient.id,
        priority=new.priority,
        policy=policy_of(session, patient.practice_id),
        now=now,
    )
    row = Case(
        id=case_id,
        practice_id=patient.practice_id,
        patient_id=patient.id,
        key_id=key.id,
        number=_accession_number(),
        state=state.state,
        priority=state.priority,
        form=b"",
        wait_owner=state.wait.owner,
        wait_reason=state.wait.reason,
        wait_since=now,
        wait_then=state.wait.then,
        snapshot="",
        created_by=actor.user_id,
        created_at=now,
        updated_at=now,
    )
    project(row, state, now)
    write_form(row, key, new.form)
    copy_identity_columns(row, demographics_of(keys, patient))
    session.add(row)
    session.flush()
    enqueue(session, START_CASE, case_id)
    write_audit(session, scope=case_id, act="case.create", actor=actor, at=now, detail={"priority": new.priority})
    publish(session, "case.created", at=now, practice_id=row.practice_id, case_id=case_id)
    return row


def write_form(row: Case, key: DataKey, form: ClinicalForm) -> None:
    """Seals the clinical form, and copies what the pool's rows show."""
    place = column_aad("report_case", row.id, "form")
    row.form = seal_json(key, form.model_dump(mode="json"), place)
    row.purpose = form.purpose
    row.region = form.region


def copy_identity_columns(row: Case, person: Demographics) -> None:
    """Sex and year of birth: a pool row shows an age and a sex, never who it is."""
    row.patient_sex = person.sex
    row.patient_birth_year = person.birth_date.year


def _accession_number() -> str:
    """Accession number (0008,0050), VR SH: at most 16 characters. Random, so that it tells nothing."""
    return "R" + "".join(secrets.choice("0123456789") for _ in range(_NUMBER_DIGITS))
