"""What Temporal Web shows of a case: search attributes in the clear (ids and codes only), details sealed by the codec."""

from typing import Any, Final

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

from schemas.lifecycle import STATE_WORDS, WAIT_SENTENCES
from schemas.state import THEN_SENTENCES, CaseState

CASE_STATE: Final = SearchAttributeKey.for_keyword("CaseState")
CASE_PRIORITY: Final = SearchAttributeKey.for_keyword("CasePriority")
SLA_DUE_AT: Final = SearchAttributeKey.for_datetime("SlaDueAt")
PRACTICE_ID: Final = SearchAttributeKey.for_keyword("PracticeId")
RADIOLOGIST_ID: Final = SearchAttributeKey.for_keyword("RadiologistId")


def search_attributes(state: CaseState) -> list[SearchAttributeUpdate[Any]]:
    """The attributes of a state. ``SlaDueAt`` is where the running clock leads; it is unset while the clock rests."""
    due_at = state.clock.due_at(state.clock.since) if state.clock.since else None
    return [
        CASE_STATE.value_set(state.state),
        CASE_PRIORITY.value_set(state.priority),
        PRACTICE_ID.value_set(state.practice_id),
        SLA_DUE_AT.value_set(due_at) if due_at else SLA_DUE_AT.value_unset(),
        RADIOLOGIST_ID.value_set(state.assignee_id) if state.assignee_id else RADIOLOGIST_ID.value_unset(),
    ]


def details(state: CaseState) -> str:
    """Markdown: where the case stands and what it waits for."""
    wait = state.wait
    until = f" Until {wait.until:%Y-%m-%d %H:%M} UTC. {THEN_SENTENCES[wait.then]}" if wait.until else ""
    return f"**{STATE_WORDS[state.state]}** (step {state.seq})\n\n{WAIT_SENTENCES[wait.reason]}{until}"


def show(state: CaseState) -> None:
    """Brings the trace up to date. Called after every adopted state."""
    workflow.upsert_search_attributes(search_attributes(state))
    workflow.set_current_details(details(state))
