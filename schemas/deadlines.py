"""Every timer of a case: what is due next, and when. No wait is without one (mission 1, "No limbo").

Pure: the workflow sleeps until :func:`next_deadline` and hands it to ``decisions.on_deadline``.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from schemas.lifecycle import State, WaitReason
from schemas.sla import Threshold, next_threshold
from schemas.state import CaseState, Frozen, Then


class Due(StrEnum):
    INTAKE_EXPIRY = "intake_expiry"
    OFFER_END = "offer_end"
    HOLD_END = "hold_end"
    GRANT_END = "grant_end"
    CASE_END = "case_end"
    SLA = "sla"
    AMENDMENT = "amendment"
    NUDGE = "nudge"


class Deadline(Frozen):
    """``threshold`` is set for :attr:`Due.SLA` and :attr:`Due.AMENDMENT`, ``grant_id`` for :attr:`Due.GRANT_END`."""

    due: Due
    at: datetime
    threshold: Threshold | None = None
    grant_id: str | None = None


FIRST_NUDGE: Final[dict[State, timedelta]] = {
    State.PROCESSING: timedelta(minutes=30),
    State.ATTENTION: timedelta(hours=24),
    State.BILLING_HOLD: timedelta(hours=24),
    State.UNASSIGNED: timedelta(hours=4),
    State.ASSIGNED: timedelta(hours=24),
    State.IN_REVIEW: timedelta(days=3),
    State.MODIFICATION_REQUESTED: timedelta(hours=24),
    State.AWAITING_APPROVAL: timedelta(hours=24),
    State.SIGNED: timedelta(hours=24),
    State.RELEASED: timedelta(days=3),
    State.AMENDING: timedelta(days=3),
}
"""After how long whoever is awaited is first reminded; each further reminder waits twice as long as the last.

In a draft the practice's policy says it. In :attr:`State.RELEASED` the reminder is for an open amendment request or
a locked link.
"""

_FIRST_LATE_NUDGE: Final[dict[WaitReason, timedelta]] = {
    WaitReason.LATE_CHECKING: timedelta(minutes=30),
    WaitReason.LATE_UNREADABLE: timedelta(hours=24),
    WaitReason.LATE_IMAGES: timedelta(hours=24),
}
"""Images that came after the signature are waited for as they are before it, whatever the state."""

_LONGEST_NUDGE_DOUBLINGS: Final = 5
NUDGES_BEFORE_ESCALATION: Final = 2
"""The scheduler hears of a wait that two reminders did not end."""


_NOBODY_TO_REMIND: Final = frozenset({WaitReason.HOLD, WaitReason.WITH_PATIENT, WaitReason.NO_ACTIVE_LINK})
"""Waits that a timer of their own ends, as planned and with nobody's doing."""


def _nudge_at(state: CaseState) -> datetime | None:
    if state.state is State.DRAFT:
        first = timedelta(minutes=state.policy.intake_reminder_minutes)
    elif state.wait.reason in _NOBODY_TO_REMIND:
        return None
    else:
        first = _FIRST_LATE_NUDGE.get(state.wait.reason, FIRST_NUDGE[state.state])
    # Reminders at 1, 3, 7, 15, … times the first interval, then every 32: the sum of a doubling series.
    doublings = min(state.nudges, _LONGEST_NUDGE_DOUBLINGS)
    intervals: int = (1 << doublings + 1) - 1 + (state.nudges - doublings) * (1 << _LONGEST_NUDGE_DOUBLINGS)
    return state.wait.since + first * intervals


def in_question(state: CaseState) -> bool:
    """Whether the signed report may change: then nothing of it happens by itself. Links end when they were said to."""
    return state.amendment_requested or state.late is not None


def _deadlines(state: CaseState, now: datetime) -> Iterator[Deadline]:
    policy = state.policy
    match state.state:
        case State.DRAFT:
            expiry = state.created_at + timedelta(minutes=policy.intake_expiry_minutes)
            yield Deadline(due=Due.INTAKE_EXPIRY, at=expiry)
        case State.ASSIGNED if state.offer_ends_at is not None:
            yield Deadline(due=Due.OFFER_END, at=state.offer_ends_at)
        case State.SIGNED if state.signed_at is not None and policy.hold_days is not None and not in_question(state):
            yield Deadline(due=Due.HOLD_END, at=state.signed_at + timedelta(days=policy.hold_days))
        case State.RELEASED if state.last_release_at is not None and not in_question(state):
            # The close waits for the last link: after a terminal state no link may end any more (invariant 16).
            quiet = state.last_release_at + timedelta(minutes=policy.close_after_minutes)
            yield Deadline(due=Due.CASE_END, at=max([quiet, *(grant.expires_at for grant in state.grants)]))
        case State.AMENDING if state.amendment is not None:
            coming = next_threshold(state.amendment.clock, state.amendment.thresholds, now)
            if coming is not None:
                yield Deadline(due=Due.AMENDMENT, at=coming[1], threshold=coming[0])
        case _:
            pass
    for grant in state.grants:
        yield Deadline(due=Due.GRANT_END, at=grant.expires_at, grant_id=grant.grant_id)
    coming = next_threshold(state.clock, state.thresholds, now)
    if coming is not None:
        yield Deadline(due=Due.SLA, at=coming[1], threshold=coming[0])
    nudge = _nudge_at(state)
    if nudge is not None:
        yield Deadline(due=Due.NUDGE, at=nudge)


def next_deadline(state: CaseState, now: datetime) -> Deadline | None:
    """The earliest deadline, in the order of :class:`Due` where two fall together; None only in a terminal state."""
    if not state.is_open:
        return None
    order = list(Due)
    return min(_deadlines(state, now), key=lambda deadline: (deadline.at, order.index(deadline.due)), default=None)


_THEN: Final[dict[Due, Then]] = {
    Due.INTAKE_EXPIRY: Then.DRAFT_ENDS,
    Due.OFFER_END: Then.OFFERED_TO_ANOTHER,
    Due.HOLD_END: Then.RELEASED,
    Due.GRANT_END: Then.LINK_ENDS,
    Due.AMENDMENT: Then.LATE,
    Due.SLA: Then.LATE,
    Due.NUDGE: Then.REMINDED,
}


def wait_end(state: CaseState, now: datetime) -> tuple[datetime | None, Then]:
    """Until when the case waits and what happens then: the moment that the person cares about.

    That is what ends the wait where something does (offer, hold, link, draft), else the promised time of the report,
    else the next reminder.
    """
    if not state.is_open:
        return None, Then.NOTHING
    deadlines = list(_deadlines(state, now))
    enders = [Due.INTAKE_EXPIRY, Due.OFFER_END, Due.HOLD_END]
    # The end of a link is no end of a wait for the radiologist.
    enders += [Due.GRANT_END] if state.wait.reason is WaitReason.WITH_PATIENT else []
    for due in enders:
        for deadline in deadlines:
            if deadline.due is due:
                return deadline.at, _THEN[due]
    for clock in (state.amendment.clock if state.amendment else None, state.clock):
        due_at = clock.due_at(now) if clock is not None else None
        if due_at is not None and due_at > now:
            return due_at, Then.LATE
    for deadline in deadlines:
        if deadline.due is Due.NUDGE:
            return deadline.at, Then.REMINDED
    return None, Then.NOTHING
