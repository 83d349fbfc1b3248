"""A case's trace from the record: steps, commands, effects and facts, as metadata alone."""

import json

from sqlmodel import Session, col, select

from api.views import names_of
from infra.settings import Settings
from schemas.audit_forms import TraceCommand, TraceEffect, TraceFact, TraceStep, TraceView
from schemas.ids import case_workflow_id
from schemas.messages import SYSTEM_ACTOR
from schemas.tables.case import Case, CaseCommand, CaseTransition
from schemas.tables.wires import EffectRow, OutboxItem


def temporal_url(settings: Settings, case_id: str) -> str | None:
    """The workflow in Temporal's own UI, which the embedded mode has on loopback; None elsewhere."""
    if settings.mode != "embedded" or settings.temporal_address:
        return None
    ui = f"http://127.0.0.1:{settings.temporal_ui_port}"
    return f"{ui}/namespaces/{settings.temporal_namespace}/workflows/{case_workflow_id(case_id)}"


def trace_of(session: Session, settings: Settings, case: Case) -> TraceView:
    """Everything in the order in which it happened."""
    steps = session.exec(
        select(CaseTransition).where(CaseTransition.case_id == case.id).order_by(col(CaseTransition.seq))
    ).all()
    commands = session.exec(
        select(CaseCommand).where(CaseCommand.case_id == case.id).order_by(col(CaseCommand.received_at))
    ).all()
    effects = session.exec(
        select(EffectRow).where(EffectRow.case_id == case.id).order_by(col(EffectRow.seq), col(EffectRow.key))
    ).all()
    facts = session.exec(
        select(OutboxItem).where(OutboxItem.case_id == case.id).order_by(col(OutboxItem.created_at))
    ).all()
    names = {
        SYSTEM_ACTOR.user_id: "OdontoFlow",
        **names_of(session, [*(step.actor_id for step in steps), *(command.user_id for command in commands)]),
    }
    return TraceView(
        case_id=case.id,
        number=case.number,
        state=case.state,
        seq=case.seq,
        workflow_id=case_workflow_id(case.id),
        temporal_url=temporal_url(settings, case.id),
        steps=[
            TraceStep(
                seq=step.seq,
                action=step.action,
                from_state=step.from_state,
                to_state=step.to_state,
                actor=names.get(step.actor_id, ""),
                role=step.actor_role,
                relation=step.actor_relation,
                command_id=step.command_id,
                facts=json.loads(step.facts),
                at=step.at,
            )
            for step in steps
        ],
        commands=[
            TraceCommand(
                id=command.id,
                action=command.action,
                actor=names.get(command.user_id, ""),
                outcome=command.outcome,
                seq=command.seq,
                refusal_code=command.refusal_code,
                refusal_status=command.refusal_status,
                received_at=command.received_at,
                settled_at=command.settled_at,
            )
            for command in commands
        ],
        effects=[_effect(row) for row in effects],
        facts=[
            TraceFact(
                id=item.id,
                kind=item.kind,
                attempts=item.attempts,
                created_at=item.created_at,
                done_at=item.done_at,
            )
            for item in facts
        ],
    )


def _effect(row: EffectRow) -> TraceEffect:
    intent = json.loads(row.intent)
    return TraceEffect(
        key=row.key,
        kind=row.kind,
        seq=row.seq,
        notice=intent.get("notice"),
        audience=intent.get("audience"),
        fence=row.fence,
        created_at=row.created_at,
        done_at=row.done_at,
    )
