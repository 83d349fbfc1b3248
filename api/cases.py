"""What the API does to a case beside its commands: opening it, editing its form, reading its timeline."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from activities.records.commands import APPLIED, KeyReused, NewCommand, opened_form
from activities.records.opening import form_of, open_case, write_form
from activities.records.projection import state_of
from api.holding import hold
from api.patients import EditedMeanwhile, load_patient
from api.standing import CaseAccess
from api.views import names_of
from infra.audit import write_audit
from infra.database import Database, now
from infra.feed import publish
from infra.keystore import KeyStore
from schemas.access import ABOUT_DRAFTS, Person, Right
from schemas.errors import StateConflict
from schemas.forms import CaseFormEdit, NewCase, TimelineEntry
from schemas.lifecycle import Action
from schemas.messages import SYSTEM_ACTOR, Actor
from schemas.tables.case import Case, CaseCommand, CaseTransition
from schemas.translation import N_


class PriorityFixed(StateConflict):
    code = "priority_fixed"
    title = N_(
        "The priority is chosen when the case is opened and cannot be changed. Cancel this draft and open a new case with "
        "the other one."
    )


def open_new_case(
    database: Database, keys: KeyStore, practice_id: str, person: Person, *, new: NewCase, idempotency_key: str
) -> str:
    """The id of the draft that this key stands for: a repeat gives the same case. Blocking.

    Raises NotFound for another practice's patient, KeyReused, PatientArchived.
    """
    role = next(member.role for member in person.members if member.organization_id == practice_id)
    actor = Actor(user_id=person.user_id, role=role, relation="own", session_id=person.session_id)
    # The draft does not exist yet: the key is the practice's, and the command's row is written with the case.
    command = NewCommand(
        case_id=practice_id,
        key_id="",
        action=Action.CREATE,
        user_id=person.user_id,
        idempotency_key=idempotency_key,
        form=new.model_dump(mode="json"),
    )
    known = _known(database, command)
    if known is not None:
        return known
    try:
        with database.write() as session:
            patient = load_patient(session, new.patient_id, [practice_id])
            row = open_case(session, keys, patient, new, actor=actor, now=now())
            session.add(_created(row, command))
            return row.id
    except IntegrityError:
        known = _known(database, command)
        if known is None:
            raise
        return known


def _known(database: Database, command: NewCommand) -> str | None:
    with database.read() as session:
        row = session.get(CaseCommand, command.id)
    if row is None:
        return None
    if row.fingerprint != command.fingerprint:
        raise KeyReused()
    return row.case_id


def _created(row: Case, command: NewCommand) -> CaseCommand:
    # The form is in the case's own column: the command keeps none.
    return CaseCommand(
        id=command.id,
        case_id=row.id,
        user_id=command.user_id,
        action=command.action,
        fingerprint=command.fingerprint,
        form=b"",
        outcome=APPLIED,
        seq=0,
        received_at=row.created_at,
        expires_at=row.created_at,
        settled_at=row.created_at,
    )


def edit_form(session: Session, keys: KeyStore, access: CaseAccess, edit: CaseFormEdit, revision: int) -> int:
    """Saves the clinical form in the caller's transaction; returns the new revision. Raises EditedMeanwhile, Forbidden."""
    access = hold(session, keys, access, Right.EDIT_FORM)
    row = access.row
    if row.form_revision != revision:
        raise EditedMeanwhile(revision=row.form_revision)
    state = state_of(row)
    if edit.priority is not None and edit.priority != state.priority:
        raise PriorityFixed()
    if form_of(keys, row) == edit.form:
        return row.form_revision
    write_form(row, access.key, edit.form)
    row.form_revision += 1
    row.updated_at = now()
    actor = acting(access)
    write_audit(session, scope=row.id, act="case.edit_form", actor=actor, at=row.updated_at)
    publish(session, "case.form", at=row.updated_at, practice_id=row.practice_id, case_id=row.id)
    return row.form_revision


def acting(access: CaseAccess) -> Actor:
    """The person as the audit trail names them, in the first of their standings."""
    taker = min(access.held, key=lambda held: (held.role, held.relation))
    return Actor(
        user_id=access.person.user_id,
        role=taker.role,
        relation=taker.relation,
        session_id=access.person.session_id,
    )


_TEXT_FIELDS: Final = ("text", "reason")


def timeline_of(session: Session, keys: KeyStore, access: CaseAccess) -> Sequence[TimelineEntry]:
    """Every step, the oldest first. What was typed with it is for those who may know the case, and what was said about an
    unsigned report for those who may read it."""
    steps = session.exec(
        select(CaseTransition).where(CaseTransition.case_id == access.row.id).order_by(col(CaseTransition.seq))
    ).all()
    names = {SYSTEM_ACTOR.user_id: "OdontoFlow", **names_of(session, (step.actor_id for step in steps))}
    texts: dict[str, str] = {}
    if access.may(Right.SEE_CASE):
        reads_drafts = access.may(Right.SEE_DRAFT)
        ids = [step.command_id for step in steps if reads_drafts or step.action not in ABOUT_DRAFTS]
        for command in session.exec(select(CaseCommand).where(col(CaseCommand.id).in_(ids))).all():
            form = opened_form(keys, command)
            texts[command.id] = next((str(form[name]) for name in _TEXT_FIELDS if form.get(name)), "")
    created = TimelineEntry(
        seq=0,
        action=Action.CREATE,
        from_state="",
        to_state="draft",
        actor=names_of(session, [access.row.created_by]).get(access.row.created_by, ""),
        role="",
        at=access.row.created_at,
    )
    return [created] + [
        TimelineEntry(
            seq=step.seq,
            action=step.action,
            from_state=step.from_state,
            to_state=step.to_state,
            actor=names.get(step.actor_id, ""),
            role=step.actor_role,
            at=step.at,
            text=texts.get(step.command_id) or None,
        )
        for step in steps
    ]
