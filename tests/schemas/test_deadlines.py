"""Every timer of a case: when it is due, and what a person reads about it."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.deadlines import FIRST_NUDGE, Due, next_deadline, wait_end
from schemas.lifecycle import Action, State
from schemas.messages import CommandFacts
from schemas.sla import DEFAULT_POLICY, AmendmentKind, Priority, SlaPolicy, Threshold
from schemas.state import Then
from tests.schemas.test_decisions import BY_NAME, CLEAN, FOREIGN, in_review, signed
from tests.schemas.walking import MONDAY, Walk, new_case

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def dues(walk: Walk, count: int) -> list[tuple[Due, timedelta]]:
    """The next deadlines, met one after another, and how long after Monday 09:00 they came."""
    met = []
    for _ in range(count):
        deadline = next_deadline(walk.state, walk.now)
        assert deadline is not None
        met.append((deadline.due, deadline.at - MONDAY))
        walk.deadline()
    return met


def test_a_draft_is_reminded_of_after_a_day_and_ends_after_a_fortnight() -> None:
    walk = Walk(new_case())
    assert walk.state.wait.until == MONDAY + 14 * DAY
    assert walk.state.wait.then is Then.DRAFT_ENDS
    assert dues(walk, 4) == [
        (Due.NUDGE, DAY),
        (Due.NUDGE, 3 * DAY),
        (Due.NUDGE, 7 * DAY),
        (Due.INTAKE_EXPIRY, 14 * DAY),
    ]
    assert walk.state.state is State.CANCELLED


@pytest.mark.parametrize(
    ("priority", "after"), [(Priority.STAT, 15 * MINUTE), (Priority.URGENT, HOUR), (Priority.ROUTINE, 4 * HOUR)]
)
def test_an_offer_lapses_and_the_next_reader_is_asked(priority: Priority, after: timedelta) -> None:
    walk = Walk(new_case(priority))
    walk.person(BY_NAME["dentist"], Action.SUBMIT)
    walk.work(CLEAN, covered=True, reader_id=None)
    walk.work(CLEAN, covered=True, reader_id="reader")
    assert (walk.state.wait.until, walk.state.wait.then) == (MONDAY + after, Then.OFFERED_TO_ANOTHER)
    assert dues(walk, 1) == [(Due.OFFER_END, after)]
    assert (walk.state.state, walk.state.assignee_id, walk.state.passed_over) == (State.UNASSIGNED, None, ("reader",))
    walk.work(CLEAN, covered=True, reader_id="reader2")
    assert walk.state.assignee_id == "reader2"


def test_a_stat_report_is_announced_at_half_at_four_fifths_and_when_it_is_late() -> None:
    walk = in_review(priority=Priority.STAT)
    assert (walk.state.wait.until, walk.state.wait.then) == (MONDAY + HOUR, Then.LATE)
    assert dues(walk, 4) == [
        (Due.SLA, 30 * MINUTE),
        (Due.SLA, 48 * MINUTE),
        (Due.SLA, HOUR),
        (Due.NUDGE, FIRST_NUDGE[State.IN_REVIEW]),
    ]
    assert walk.state.thresholds == tuple(Threshold)


def test_the_clock_rests_while_the_practice_is_asked() -> None:
    walk = in_review(priority=Priority.STAT)
    walk.pass_until(MONDAY + 20 * MINUTE)
    walk.person(BY_NAME["reader"], Action.REQUEST_MODIFICATION)
    assert dues(walk, 1) == [(Due.NUDGE, DAY + 20 * MINUTE)], "no threshold while the practice is waited for"
    answered = MONDAY + 2 * DAY
    walk.pass_until(answered)
    walk.person(BY_NAME["dentist"], Action.ANSWER_MODIFICATION)
    deadline = next_deadline(walk.state, walk.now)
    assert deadline is not None
    assert (deadline.due, deadline.at) == (Due.SLA, answered + 10 * MINUTE), "20 of the 30 minutes were used before"
    spent = walk.state.clock.minutes_by_cause(answered)
    assert {cause.value: minutes for cause, minutes in spent.items()} == {
        "practice": 2 * 24 * 60 - 20,
        "radiologist": 20,
        "system": 0,
    }


def test_a_routine_report_counts_opening_hours_only() -> None:
    walk = in_review()
    # 48 business hours from Monday 09:00, ten a day: half on Wednesday 13:00, 80 % on Thursday 17:24, all on Friday 17:00.
    met = [(Due.SLA, at - MONDAY) for at in (_at(4, 13), _at(5, 17, 24), _at(6, 17))]
    assert [due for due in dues(walk, 4) if due[0] is Due.SLA] == met


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "hours"), [(AmendmentKind.CORRECTED, 24), (AmendmentKind.AMENDED, 24), (AmendmentKind.APPENDED, 72)]
)
def test_an_amendment_has_a_clock_of_its_own(kind: AmendmentKind, hours: int) -> None:
    walk = signed()
    walk.person(BY_NAME["reader"], Action.AMEND, CommandFacts(amendment_kind=kind))
    whole = hours * HOUR
    met = [due for due in dues(walk, 4) if due[0] is Due.AMENDMENT]
    assert met == [(Due.AMENDMENT, whole * 0.5), (Due.AMENDMENT, whole * 0.8), (Due.AMENDMENT, whole)]
    walk.person(BY_NAME["reader"], Action.SIGN)
    walk.person(BY_NAME["reader"], Action.AMEND, CommandFacts(amendment_kind=kind))
    assert next_deadline(walk.state, walk.now) is not None
    assert walk.state.amendment is not None
    assert walk.state.amendment.thresholds == (), "a second amendment begins anew"


def released(policy: SlaPolicy = DEFAULT_POLICY) -> Walk:
    walk = signed(policy)
    walk.person(BY_NAME["dentist"], Action.RELEASE, CommandFacts(grant_id="grt_1"))
    return walk


def test_a_link_ends_after_a_fortnight_and_the_case_closes_after_thirty_quiet_days() -> None:
    walk = released()
    assert (walk.state.wait.until, walk.state.wait.then) == (MONDAY + 14 * DAY, Then.LINK_ENDS)
    assert dues(walk, 2) == [(Due.GRANT_END, 14 * DAY), (Due.CASE_END, 30 * DAY)]
    assert walk.state.state is State.CLOSED


def test_a_case_closes_thirty_days_after_its_last_release_and_never_before_its_last_link() -> None:
    walk = released(DEFAULT_POLICY.model_copy(update={"link_life_minutes": 60 * 24 * 40}))
    walk.pass_until(MONDAY + 5 * DAY)
    walk.person(BY_NAME["dentist"], Action.RELEASE, CommandFacts(grant_id="grt_2"))
    assert [due for due, _ in dues(walk, 3)] == [Due.GRANT_END, Due.GRANT_END, Due.CASE_END]
    assert walk.now == MONDAY + 45 * DAY


def test_a_requested_amendment_keeps_the_case_open_and_is_reminded_of() -> None:
    walk = released()
    walk.person(BY_NAME["dentist"], Action.REQUEST_AMENDMENT)
    first = FIRST_NUDGE[State.RELEASED]
    assert (walk.state.wait.until, walk.state.wait.then) == (MONDAY + first, Then.REMINDED)
    assert dues(walk, 4) == [
        (Due.NUDGE, first),
        (Due.NUDGE, 3 * first),
        (Due.GRANT_END, 14 * DAY),
        (Due.NUDGE, 7 * first),
    ]
    walk.pass_until(MONDAY + 40 * DAY)
    walk.person(BY_NAME["reader"], Action.DECLINE_AMENDMENT)
    assert dues(walk, 1) == [(Due.CASE_END, 30 * DAY)], "the quiet days were over long ago"


def test_reminders_grow_rare_and_never_stop() -> None:
    walk = Walk(new_case())
    walk.person(BY_NAME["dentist"], Action.SUBMIT)
    walk.work(FOREIGN, covered=True, reader_id=None)
    gaps, last = [], timedelta()
    for due, at in dues(walk, 9):
        assert due is Due.NUDGE
        gaps.append((at - last) // DAY)
        last = at
    assert gaps == [1, 2, 4, 8, 16, 32, 32, 32, 32]


def test_nothing_is_due_and_nothing_is_said_after_the_end() -> None:
    walk = released()
    walk.person(BY_NAME["reader"], Action.ENTER_IN_ERROR)
    assert next_deadline(walk.state, walk.now) is None
    assert wait_end(walk.state, walk.now) == (None, Then.NOTHING)
