"""Deadlines on the real engine: days are skipped, and what was promised has happened, once and to the right people."""

from datetime import timedelta

import pytest
from sqlmodel import select

from schemas.lifecycle import Action, State
from schemas.sla import AmendmentKind, Cause, Priority, Threshold
from schemas.tables.release import ReleaseGrant
from tests.workflows.engine import UNREADABLE, LiveCase, Practice
from tests.workflows.retelling import check_books, retell

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


async def advance(case: LiveCase, duration: timedelta) -> None:
    assert case.practice.clock is not None
    await case.practice.clock.advance(duration)
    await case.settle()


def names(told: set[str]) -> list[str]:
    """Who was told, once for each time."""
    return sorted(entry.split()[0] for entry in told)


async def test_a_draft_is_reminded_of_after_a_day_and_ends_after_a_fortnight(skipping: Practice) -> None:
    skipping.use_policy()
    case = await skipping.open()
    await advance(case, DAY - MINUTE)
    assert case.actions() == []
    await advance(case, 2 * MINUTE)
    assert case.actions() == [Action.REMIND]
    assert names(case.notices(Action.REMIND)) == ["dentist", "staff"]
    await advance(case, 13 * DAY)
    await case.ended()
    assert case.stands() is State.CANCELLED
    assert case.actions()[-1] is Action.LAPSE_INTAKE
    steps = len(case.actions())
    assert skipping.clock is not None
    await skipping.clock.advance(60 * DAY)
    assert len(case.actions()) == steps, "after the end no timer fires (invariant 16)"
    retell(case)
    check_books(case, refused=0)


async def test_an_offer_that_is_not_answered_goes_to_another_reader_and_then_to_the_scheduler(
    skipping: Practice,
) -> None:
    case = await skipping.open(Priority.STAT)
    await case.act("dentist", Action.SUBMIT)
    await case.until(State.ASSIGNED)
    first = case.reader
    await advance(case, 16 * MINUTE)
    assert case.stands() is State.ASSIGNED
    second = case.reader
    assert second != first
    assert case.recorded.passed_over == (case.world.user_id(first),)
    assert "scheduler" in names(case.notices(Action.LAPSE_OFFER))
    await advance(case, 16 * MINUTE)
    assert case.stands() is State.UNASSIGNED
    assert set(case.recorded.passed_over) == {case.world.user_id(name) for name in (first, second)}
    await case.act("scheduler", Action.ASSIGN, radiologist_id=case.world.user_id(first))
    await case.act(first, Action.ACCEPT)
    assert case.stands() is State.IN_REVIEW
    retell(case)


async def test_thresholds_are_announced_once_each_to_the_awaited_and_to_the_schedulers(skipping: Practice) -> None:
    case = await skipping.in_review(Priority.STAT)
    reader = case.reader
    for after, reached in ((31 * MINUTE, 1), (18 * MINUTE, 2), (12 * MINUTE, 3), (2 * DAY, 3)):
        await advance(case, after)
        assert case.recorded.thresholds == tuple(Threshold)[:reached]
    assert case.actions()[-3:] == [Action.REMIND, Action.REMIND, Action.ESCALATE]
    assert names(case.notices(Action.REMIND)) == sorted([reader, "scheduler", "practice_scheduler"] * 2)
    assert names(case.notices(Action.ESCALATE)) == sorted([reader, "scheduler", "practice_scheduler"])
    retell(case)


async def test_the_clock_rests_while_the_practice_is_asked(skipping: Practice) -> None:
    case = await skipping.in_review(Priority.STAT)
    await advance(case, 20 * MINUTE)
    await case.act(case.reader, Action.REQUEST_MODIFICATION, text="Which tooth?")
    await advance(case, 3 * DAY)
    assert not case.recorded.thresholds
    assert "dentist" in names(case.notices(Action.REMIND))
    await case.act("dentist", Action.ANSWER_MODIFICATION, text="36.")
    await advance(case, 5 * MINUTE)
    assert not case.recorded.thresholds
    await advance(case, 6 * MINUTE)
    assert list(case.recorded.thresholds) == [Threshold.REMINDER]
    minutes = case.recorded.clock.minutes_by_cause(skipping.now())
    assert minutes[Cause.PRACTICE] == pytest.approx(3 * 24 * 60, abs=2)
    assert minutes[Cause.RADIOLOGIST] == pytest.approx(31, abs=2)
    retell(case)


@pytest.mark.parametrize(("days", "wait"), [(0, timedelta()), (3, 3 * DAY), (7, 7 * DAY)])
async def test_a_hold_releases_by_itself_when_it_ends(skipping: Practice, days: int, wait: timedelta) -> None:
    skipping.use_policy(hold_days=days)
    case = await skipping.signed()
    skipping.use_policy()
    if days:
        await advance(case, wait - HOUR)
        assert case.stands() is State.SIGNED
        assert case.actions()[-1] is Action.SIGN, "nobody is reminded of what goes as planned"
    await advance(case, 2 * HOUR)
    assert case.stands() is State.RELEASED
    assert case.actions()[-1] is Action.RELEASE_AFTER_HOLD
    (grant,) = grants(case)
    assert grant.state == "live"
    retell(case)
    check_books(case, refused=0)


def grants(case: LiveCase) -> list[ReleaseGrant]:
    with case.world.database.read() as session:
        return list(session.exec(select(ReleaseGrant).where(ReleaseGrant.case_id == case.id)).all())


async def test_a_link_ends_after_its_fortnight_and_the_case_closes_thirty_days_after_release(
    skipping: Practice,
) -> None:
    case = await skipping.signed()
    await case.act("dentist", Action.RELEASE)
    await advance(case, 14 * DAY - HOUR)
    assert [grant.state for grant in grants(case)] == ["live"]
    await advance(case, 2 * HOUR)
    assert [grant.state for grant in grants(case)] == ["expired"]
    assert (case.stands(), case.recorded.grants) == (State.RELEASED, ())
    await advance(case, 15 * DAY)
    assert case.stands() is State.RELEASED
    await advance(case, DAY)
    await case.ended()
    assert case.actions()[-3:] == [Action.RELEASE, Action.END_GRANT, Action.CLOSE]
    assert case.stands() is State.CLOSED
    retell(case)
    check_books(case, refused=0)


async def test_a_revoked_link_stays_revoked_and_a_second_release_starts_the_thirty_days_anew(
    skipping: Practice,
) -> None:
    case = await skipping.signed()
    await case.act("dentist", Action.RELEASE)
    (first,) = grants(case)
    await case.act("scheduler", Action.REVOKE_RELEASE, grant_id=first.id)
    await advance(case, 20 * DAY)
    await case.act("dentist", Action.RELEASE)
    await advance(case, 20 * DAY)
    assert case.stands() is State.RELEASED
    assert sorted(grant.state for grant in grants(case)) == ["expired", "revoked"]
    await advance(case, 11 * DAY)
    await case.ended()
    assert case.stands() is State.CLOSED
    retell(case)


async def test_an_amendment_runs_on_a_clock_of_its_own(skipping: Practice) -> None:
    case = await skipping.signed()
    reader = case.reader
    await case.act(reader, Action.AMEND, kind=AmendmentKind.CORRECTED, reason="A wrong tooth number.")
    for after, reached in ((12 * HOUR + MINUTE, 1), (7 * HOUR + 12 * MINUTE, 2), (5 * HOUR, 3)):
        await advance(case, after)
        amendment = case.recorded.amendment
        assert amendment is not None
        assert amendment.thresholds == tuple(Threshold)[:reached]
    assert case.recorded.thresholds == (), "the first report's clock has stopped"
    case.write_report()
    await case.act(reader, Action.SIGN, password="secret")
    assert (case.stands(), case.recorded.version) == (State.SIGNED, 2)
    retell(case)


async def test_images_that_need_attention_are_reminded_of(skipping: Practice) -> None:
    case = await skipping.open(Priority.STAT)
    skipping.imaging.by_set[case.id, 1] = UNREADABLE
    await case.act("dentist", Action.SUBMIT)
    await case.until(State.ATTENTION)
    await advance(case, DAY + MINUTE)
    assert names(case.notices(Action.REMIND)) == ["dentist", "staff"]
    assert case.recorded.thresholds == (), "the practice's time is not the reader's"
    retell(case)
