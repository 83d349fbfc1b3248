"""From a case's state to the columns that lists read."""

from datetime import datetime
from typing import Final

from schemas.sla import Priority
from schemas.state import CaseState
from schemas.tables.case import Case

PRIORITY_RANK: Final = {Priority.STAT: 0, Priority.URGENT: 1, Priority.ROUTINE: 2}


def project(row: Case, state: CaseState, now: datetime) -> None:
    """Writes the state into the row. The projection never goes back: the caller has checked ``seq``."""
    row.state = state.state
    row.is_open = state.is_open
    row.seq = state.seq
    row.priority = state.priority
    row.priority_rank = PRIORITY_RANK[state.priority]
    row.assignee_id = state.assignee_id
    row.author_id = state.author_id
    row.approver_id = state.approver_id
    row.version = state.version
    row.image_set = state.image_set
    row.verified_set = state.readable_up_to
    row.signed_set = state.signed_up_to
    row.wait_owner = state.wait.owner
    row.wait_reason = state.wait.reason
    row.wait_since = state.wait.since
    row.wait_until = state.wait.until
    row.wait_then = state.wait.then
    clock = state.amendment.clock if state.amendment else state.clock
    row.due_at = clock.due_at(now)
    row.risk_at = clock.threshold_at(clock.percents[1], now)
    row.signed_at = state.signed_at
    row.submitted_at = state.clock.started_at
    row.snapshot = state.model_dump_json()
    row.updated_at = now


def state_of(row: Case) -> CaseState:
    return CaseState.model_validate_json(row.snapshot)
