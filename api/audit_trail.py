"""Reading the audit trail. That somebody read it is an act of its own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import Session, col, func, or_, select

from api.operator import OPERATOR
from infra.audit import PLATFORM_SCOPE, write_audit
from infra.database import now
from schemas.access import Person
from schemas.audit_forms import AuditFilter, AuditRowView, ChainView
from schemas.lifecycle import Role
from schemas.messages import SYSTEM_ACTOR, Actor
from schemas.tables.case import Case
from schemas.tables.people import User
from schemas.tables.wires import AuditRow

_PATIENT_PREFIX = "pat_"


@dataclass(frozen=True)
class TrailPage:
    items: list[AuditRowView]
    next: str | None


def read_trail(session: Session, wanted: AuditFilter) -> TrailPage:
    """The newest first. ``before`` is the id of the last row that was seen."""
    statement = select(AuditRow).order_by(col(AuditRow.id).desc()).limit(wanted.limit + 1)
    if wanted.case_id:
        statement = statement.where(AuditRow.scope == wanted.case_id)
    if wanted.person_id:
        statement = statement.where(
            or_(col(AuditRow.actor_id) == wanted.person_id, col(AuditRow.subject_id) == wanted.person_id)
        )
    if wanted.act:
        statement = statement.where(col(AuditRow.act).startswith(wanted.act, autoescape=True))
    if wanted.before is not None:
        statement = statement.where(col(AuditRow.id) < wanted.before)
    rows = session.exec(statement).all()
    shown = rows[: wanted.limit]
    return TrailPage(_views(session, shown), str(shown[-1].id) if len(rows) > wanted.limit else None)


def _views(session: Session, shown: Sequence[AuditRow]) -> list[AuditRowView]:
    people = dict(
        session.exec(
            select(User.id, User.name).where(
                col(User.id).in_({row.actor_id for row in shown} | {row.subject_id for row in shown if row.subject_id})
            )
        ).all()
    )
    people[SYSTEM_ACTOR.user_id] = "OdontoFlow"
    people[OPERATOR.person.user_id] = "Command line"
    numbers = dict(
        session.exec(select(Case.id, Case.number).where(col(Case.id).in_({row.scope for row in shown}))).all()
    )
    return [
        AuditRowView(
            id=row.id or 0,
            at=row.at,
            scope=row.scope,
            scope_seq=row.scope_seq,
            act=row.act,
            outcome=row.outcome,
            actor_id=row.actor_id,
            actor="" if row.actor_id.startswith(_PATIENT_PREFIX) else people.get(row.actor_id, ""),
            role=row.actor_role,
            subject_id=row.subject_id,
            subject=people.get(row.subject_id or "", ""),
            case_number=numbers.get(row.scope),
            detail=json.loads(row.detail),
            chain_seq=row.chain_seq,
            chain_hash=row.chain_hash,
        )
        for row in shown
    ]


def note_reading(session: Session, person: Person, wanted: AuditFilter, *, act: str = "audit.read") -> None:
    """In the caller's transaction, before what is read is shown."""
    detail = {"case": wanted.case_id, "person": wanted.person_id, "act": wanted.act, "before": wanted.before}
    write_audit(
        session,
        scope=wanted.case_id or PLATFORM_SCOPE,
        act=act,
        actor=admin_actor(person),
        at=now(),
        detail={name: value for name, value in detail.items() if value is not None and value != ""},
    )


def admin_actor(person: Person) -> Actor:
    return Actor(user_id=person.user_id, role=Role.ADMIN, relation="platform", session_id=person.session_id)


def chain_head(session: Session, anchor_file: Path) -> ChainView:
    """How far the chain reaches, without walking it: ``infra.audit.verify_audit`` does that."""
    sealed, total = session.exec(select(func.max(AuditRow.chain_seq), func.count())).one()
    anchored = anchor_file.stat().st_mtime if anchor_file.exists() else None
    return ChainView(
        sealed=sealed or 0,
        waiting=total - (sealed or 0),
        anchored_at=datetime.fromtimestamp(anchored, UTC) if anchored is not None else None,
    )
