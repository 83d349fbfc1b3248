"""From rows to what the API answers. A field that the person may not have is null."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from activities.records.opening import demographics_of, form_of
from activities.records.projection import state_of
from activities.records.questions import count_open_questions
from api.standing import CaseAccess
from infra.database import now
from infra.keystore import KeyStore
from schemas.access import Right, may
from schemas.ages import age_by_year, age_on
from schemas.conditions import possible_actions
from schemas.forms import (
    CaseView,
    ClockView,
    Demographics,
    PatientView,
    PersonView,
    WaitView,
)
from schemas.lifecycle import WAIT_SENTENCES, Taker
from schemas.sla import Clock
from schemas.state import THEN_SENTENCES, CaseState
from schemas.tables.case import Case
from schemas.tables.people import Organization, Patient, User

__all__ = ["case_view", "clock_view", "patient_view", "row_fields", "wait_view"]


def clock_view(clock: Clock, thresholds: Sequence[str], moment: datetime) -> ClockView:
    return ClockView(
        target_minutes=clock.target.minutes,
        business=clock.target.business,
        running=clock.running,
        cause=clock.cause,
        elapsed_minutes=round(clock.elapsed(moment), 2),
        remaining_minutes=round(clock.remaining(moment), 2),
        due_at=clock.due_at(moment),
        minutes_by_cause={cause.value: round(spent, 2) for cause, spent in clock.minutes_by_cause(moment).items()},
        thresholds_reached=list(thresholds),
    )


def wait_view(state: CaseState) -> WaitView:
    wait = state.wait
    return WaitView(
        owner=wait.owner,
        reason=wait.reason,
        sentence=WAIT_SENTENCES[wait.reason],
        since=wait.since,
        until=wait.until,
        then=THEN_SENTENCES[wait.then],
    )


def patient_view(keys: KeyStore, patient: Patient) -> PatientView:
    return PatientView(
        id=patient.id,
        revision=patient.revision,
        demographics=demographics_of(keys, patient),
        created_at=patient.created_at,
    )


def names_of(session: Session, user_ids: Iterable[str | None]) -> Mapping[str, str]:
    wanted = {user_id for user_id in user_ids if user_id}
    if not wanted:
        return {}
    return dict(session.exec(select(User.id, User.name).where(col(User.id).in_(wanted))).all())


def _person(user_id: str | None, names: Mapping[str, str]) -> PersonView | None:
    return PersonView(id=user_id, name=names.get(user_id, "")) if user_id else None


def row_fields(
    row: Case,
    held: frozenset[Taker],
    *,
    person: Demographics | None,
    names: Mapping[str, str],
    practice: str,
    moment: datetime,
) -> dict[str, object]:
    """What ``CaseRowView`` has. ``person`` is None for who may not know whose case it is."""
    state = state_of(row)
    clock, thresholds = state.clock, state.thresholds
    if state.amendment is not None:
        clock, thresholds = state.amendment.clock, state.amendment.thresholds
    clinical = may(Right.SEE_ROW, held, state.state)
    return {
        "id": row.id,
        "number": row.number,
        "state": row.state,
        "priority": row.priority,
        "purpose": row.purpose if clinical else None,
        "region": row.region if clinical else None,
        "patient_name": person.full_name if person else None,
        "patient_age": _age(row, person, moment) if clinical else None,
        "patient_sex": row.patient_sex if clinical else None,
        "practice": practice,
        "assignee": _person(row.assignee_id, names),
        "wait": wait_view(state),
        "clock": clock_view(clock, [threshold.value for threshold in thresholds], moment),
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def _age(row: Case, person: Demographics | None, moment: datetime) -> int | None:
    """Whole years; of somebody who may stay unknown, by the year of birth."""
    if person is not None:
        return age_on(person.birth_date, moment.date())
    return age_by_year(row.patient_birth_year, moment.date()) if row.patient_birth_year else None


def case_view(session: Session, keys: KeyStore, access: CaseAccess) -> CaseView:
    """The whole case as this person may have it."""
    row, held = access.row, access.held
    state = state_of(row)
    patient = session.get_one(Patient, row.patient_id)
    knows = access.may(Right.SEE_CASE)
    practice = session.get_one(Organization, row.practice_id)
    names = names_of(session, (row.assignee_id, row.approver_id))
    sees_check = access.may(Right.SEE_IDENTITY_CHECK)
    amendment = state.amendment
    return CaseView(
        **row_fields(
            row,
            held,
            person=demographics_of(keys, patient) if knows else None,
            names=names,
            practice=practice.name,
            moment=now(),
        ),
        seq=row.seq,
        version=row.version,
        practice_id=row.practice_id,
        patient=patient_view(keys, patient) if knows else None,
        form=form_of(keys, row) if knows else None,
        approver=_person(row.approver_id, names),
        allowed_actions=list(possible_actions(state, held, access.person.user_id, is_owner=access.is_owner)),
        grants=[grant.model_dump(mode="json") for grant in state.grants] if knows else [],
        amendment={"kind": amendment.kind, "return_to": amendment.return_to} if amendment else None,
        image_set=row.image_set,
        verified_set=row.verified_set,
        late_images=state.late.model_dump(mode="json", exclude={"confirmed_by"}) if state.late else None,
        identity=state.identity.model_dump(mode="json") if sees_check else None,
        open_questions=count_open_questions(session, row.id),
    )
