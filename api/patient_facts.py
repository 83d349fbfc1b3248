"""What lists and records of patients show beside the patients' own data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case as sql_case
from sqlmodel import Session, col, func, select

from api.waiting import waiting_for
from schemas.access import Person
from schemas.tables.case import Case
from schemas.tables.people import Patient


@dataclass(frozen=True, slots=True)
class PatientCases:
    """``waiting`` counts those whose next move is the person's who looks."""

    total: int
    last: datetime
    waiting: int


def cases_by_patient(session: Session, person: Person, patient_ids: Sequence[str]) -> Mapping[str, PatientCases]:
    """One query for a page of patients; a patient without a case is not in it."""
    if not patient_ids:
        return {}
    theirs = sql_case((waiting_for(session, person), 1), else_=0)
    rows = session.exec(
        select(Case.patient_id, func.count(), func.max(Case.updated_at), func.sum(theirs))
        .where(col(Case.patient_id).in_(patient_ids))
        .group_by(col(Case.patient_id))
    ).all()
    return {patient_id: PatientCases(total, last, int(waiting)) for patient_id, total, last, waiting in rows}


def count_patients(session: Session, practice_id: str) -> int:
    return session.exec(
        select(func.count())
        .select_from(Patient)
        .where(Patient.practice_id == practice_id, col(Patient.is_archived).is_(False))
    ).one()


def cases_of_patient(session: Session, patient: Patient, *, limit: int = 100) -> Sequence[Case]:
    """The newest first."""
    return session.exec(
        select(Case)
        .where(Case.patient_id == patient.id, Case.practice_id == patient.practice_id)
        .order_by(col(Case.created_at).desc(), col(Case.id).desc())
        .limit(limit)
    ).all()
