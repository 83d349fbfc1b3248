"""Calendars, clocks and policies: the minutes a practice is promised, and whose they were."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.business_calendar import WORKING_WEEK, BusinessCalendar, OpeningHours
from schemas.sla import (
    DEFAULT_POLICY,
    AmendmentKind,
    Cause,
    Clock,
    Priority,
    SlaPolicy,
    SlaTarget,
    Threshold,
    next_threshold,
)

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
ROUND_THE_CLOCK: tuple[OpeningHours | None, ...] = ((time(), time()),) * 7
OFFICE = BusinessCalendar(
    time_zone="Europe/Berlin", opening=WORKING_WEEK, holidays=(date(2026, 12, 25), date(2027, 1, 1))
)

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",  # sets back at 01:00 to midnight: the day begins twice
    "Africa/Cairo",  # sets forward at midnight: the day begins at 01:00
    "America/St_Johns",  # until 2011 set back at 00:01 to yesterday 23:01
    "Australia/Lord_Howe",  # half an hour
    "Asia/Kathmandu",
    "Pacific/Apia",  # skipped 2011-12-30 altogether
)
moments = st.integers(0, 21 * 365 * 86_400).map(
    lambda second: datetime(2009, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
)
quarter_hours = st.integers(0, 95).map(lambda n: time(n // 4, n % 4 * 15))


@st.composite
def day_hours(draw: st.DrawFn) -> OpeningHours | None:
    a, b = draw(quarter_hours), draw(quarter_hours)
    if a == b:
        return None if a else (time(), time())
    return min(a, b), max(a, b)


@st.composite
def calendars(draw: st.DrawFn) -> BusinessCalendar:
    opening = draw(st.lists(day_hours(), min_size=7, max_size=7).filter(any))
    holidays = draw(st.lists(st.dates(date(2009, 1, 1), date(2030, 1, 1)), max_size=4))
    return BusinessCalendar(time_zone=draw(st.sampled_from(ZONES)), opening=tuple(opening), holidays=tuple(holidays))


def berlin(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        (berlin(2026, 11, 23, 9), 60, berlin(2026, 11, 23, 10)),  # within a Monday
        (
            berlin(2026, 11, 23, 9),
            540,
            berlin(2026, 11, 23, 18),
        ),  # exactly to closing: due at closing, not next morning
        (berlin(2026, 11, 23, 17, 30), 60, berlin(2026, 11, 24, 8, 30)),  # over night
        (berlin(2026, 11, 27, 17, 30), 60, berlin(2026, 11, 30, 8, 30)),  # over a weekend
        (berlin(2026, 11, 28, 12), 1, berlin(2026, 11, 30, 8, 1)),  # from a Saturday
        (berlin(2026, 12, 24, 17), 120, berlin(2026, 12, 28, 9)),  # over Christmas and a weekend
        (berlin(2026, 11, 23, 9), 2880, berlin(2026, 11, 27, 17)),  # routine: 48 hours of business time
        (berlin(2026, 11, 30, 8, 30), -60, berlin(2026, 11, 27, 17, 30)),  # and back
        (berlin(2026, 11, 30, 8, 30), -30, berlin(2026, 11, 27, 18)),  # back to an opening: the earliest such moment
    ],
)
def test_business_minutes_are_counted_within_opening_hours(start: datetime, minutes: int, end: datetime) -> None:
    assert OFFICE.add_minutes(start, minutes) == end
    assert OFFICE.minutes_between(start, end) == minutes


def test_a_day_that_changes_its_clocks_has_its_real_length() -> None:
    always = BusinessCalendar(time_zone="Europe/Berlin", opening=ROUND_THE_CLOCK)
    spring, autumn = berlin(2026, 3, 29), berlin(2026, 10, 25)
    assert always.minutes_between(spring, spring + timedelta(days=1)) == 23 * 60
    assert always.minutes_between(autumn, autumn + timedelta(days=1)) == 25 * 60
    night = BusinessCalendar(time_zone="Europe/Berlin", opening=((time(1), time(6)),) * 7)
    assert night.minutes_between(spring, berlin(2026, 3, 29, 12)) == 4 * 60
    assert night.minutes_between(autumn, berlin(2026, 10, 25, 12)) == 6 * 60
    assert night.add_minutes(spring, 60) == berlin(2026, 3, 29, 3)


def test_hours_that_a_zone_skips_are_empty_and_hours_it_repeats_count_once_opened() -> None:
    skipped = BusinessCalendar(time_zone="America/New_York", opening=((time(2, 15), time(2, 45)),) * 7)
    day = datetime(2026, 3, 8, tzinfo=NEW_YORK)
    assert skipped.minutes_between(day, day + timedelta(days=1)) == 0
    half = BusinessCalendar(time_zone="America/New_York", opening=((time(2, 30), time(4)),) * 7)
    assert half.minutes_between(day, day + timedelta(days=1)) == 60
    assert half.add_minutes(day, 1) == datetime(2026, 3, 8, 7, 1, tzinfo=UTC)
    repeated = BusinessCalendar(time_zone="America/New_York", opening=((time(1, 30), time(5)),) * 7)
    day = datetime(2026, 11, 1, tzinfo=NEW_YORK)
    assert repeated.minutes_between(day, day + timedelta(days=1)) == 4.5 * 60


@settings(deadline=None)
@given(calendars(), moments, st.floats(0, 60 * 24 * 14))
def test_adding_minutes_and_measuring_them_are_inverse(
    calendar: BusinessCalendar, start: datetime, minutes: float
) -> None:
    end = calendar.add_minutes(start, minutes)
    assert end >= start
    assert calendar.minutes_between(start, end) == pytest.approx(minutes, abs=1e-6)
    if timedelta(minutes=minutes):
        just_before = end - timedelta.resolution
        assert calendar.minutes_between(start, just_before) < minutes  # the earliest such moment
        back = calendar.add_minutes(end, -minutes)
        assert back <= start
        assert calendar.minutes_between(back, start) == pytest.approx(0, abs=1e-6)


@settings(deadline=None)
@given(calendars(), moments, st.lists(st.floats(0, 60 * 24 * 400), min_size=2, max_size=2).map(sorted))
def test_measures_add_up_and_never_exceed_real_time(
    calendar: BusinessCalendar, start: datetime, offsets: list[float]
) -> None:
    middle, end = (start + timedelta(minutes=offset) for offset in offsets)
    whole = calendar.minutes_between(start, end)
    assert whole == pytest.approx(calendar.minutes_between(start, middle) + calendar.minutes_between(middle, end))
    assert 0 <= whole <= (end - start) / timedelta(minutes=1)
    assert calendar.minutes_between(end, start) == -whole


@settings(deadline=None)
@given(calendars(), moments)
@example(
    BusinessCalendar(time_zone="America/St_Johns", opening=((time(), time(23, 45)),) * 7),
    datetime(2010, 11, 7, 2, tzinfo=UTC),
)
def test_open_minutes_are_those_whose_wall_time_is_within_hours(calendar: BusinessCalendar, start: datetime) -> None:
    """Against a plain reading of the wall clock, minute by minute, on stretches without a change of the clocks."""
    start = start.replace(second=0, microsecond=0)
    zone = ZoneInfo(calendar.time_zone)
    minutes = [start + timedelta(minutes=n) for n in range(0, 24 * 60 * 2, 15)]
    if len({moment.astimezone(zone).utcoffset() for moment in minutes}) > 1 or start.astimezone(zone).minute % 15:
        return
    expected = 0
    for moment in minutes:
        local = moment.astimezone(zone)
        hours = calendar.opening[local.weekday()]
        if hours and local.date() not in calendar.holidays:
            expected += 15 * (hours[0] <= local.time() and (hours[1] == time() or local.time() < hours[1]))
    assert calendar.minutes_between(start, minutes[-1] + timedelta(minutes=15)) == expected


def test_years_are_measured_quickly() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    began = process_time()
    minutes = OFFICE.minutes_between(start, start.replace(year=2036))
    assert OFFICE.add_minutes(start, minutes) <= start.replace(year=2036)
    assert process_time() - began < 0.5


@pytest.mark.parametrize(
    "change",
    [
        {"time_zone": "Europe/Atlantis"},
        {"time_zone": "../etc/passwd"},
        {"time_zone": "America"},
        {"time_zone": ""},
        {"opening": (None,) * 7},
        {"opening": WORKING_WEEK[:6]},
        {"opening": ((time(9), time(9)), *WORKING_WEEK[1:])},
        {"opening": ((time(18), time(8)), *WORKING_WEEK[1:])},
        {"opening": ((time(8, tzinfo=UTC), time(18, tzinfo=UTC)), *WORKING_WEEK[1:])},
    ],
)
def test_a_calendar_that_cannot_work_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BusinessCalendar.model_validate({**OFFICE.model_dump(), **change})


def test_moments_without_a_zone_are_refused() -> None:
    naive = datetime(2026, 11, 23, 9)  # noqa: DTZ001
    for call in (
        lambda: OFFICE.add_minutes(naive, 1),
        lambda: DEFAULT_POLICY.clock(Priority.STAT).start(naive, Cause.SYSTEM),
        lambda: DEFAULT_POLICY.offer_expires_at(Priority.STAT, naive),
    ):
        with pytest.raises(ValueError, match="time zone"):
            call()


NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_a_stat_case_through_its_states() -> None:
    clock = DEFAULT_POLICY.clock(Priority.STAT)
    assert (clock.elapsed(NOON), clock.due_at(NOON), clock.minutes_by_cause(NOON)[Cause.PRACTICE]) == (0, None, 0)
    clock = clock.start(NOON, Cause.SYSTEM)
    assert clock.due_at(NOON) == after(60)
    clock = clock.run(after(10), Cause.RADIOLOGIST)
    assert clock.due_at(after(10)) == after(60)
    clock = clock.pause(after(25), Cause.PRACTICE)
    assert clock.due_at(after(40)) is None
    assert clock.threshold_at(50, after(40)) is None
    assert clock.elapsed(after(40)) == 25
    clock = clock.run(after(125), Cause.RADIOLOGIST)
    assert clock.remaining(after(125)) == 35
    assert clock.due_at(after(125)) == after(160)
    assert clock.threshold_at(50, after(150)) == after(130)
    assert clock.percent(after(131)) == pytest.approx(100 * 31 / 60)
    clock = clock.stop(after(140))
    assert clock.stopped
    assert clock.minutes_by_cause(after(10_000)) == {Cause.PRACTICE: 100, Cause.RADIOLOGIST: 30, Cause.SYSTEM: 10}
    assert clock.elapsed(after(10_000)) == 40
    assert clock.due_at(after(10_000)) is None
    assert clock.start(after(200), Cause.SYSTEM) == clock


def test_an_overdue_case_keeps_its_place_when_it_changes_hands_or_pauses() -> None:
    clock = DEFAULT_POLICY.clock(Priority.STAT).start(NOON, Cause.SYSTEM).run(after(90), Cause.RADIOLOGIST)
    assert clock.due_at(after(90)) == after(60)
    assert clock.remaining(after(90)) == -30
    clock = clock.pause(after(100), Cause.PRACTICE).run(after(200), Cause.RADIOLOGIST)
    assert clock.due_at(after(200)) == after(160)  # forty minutes overdue, as before the pause


def test_a_routine_case_waits_over_the_weekend_without_losing_minutes() -> None:
    policy = DEFAULT_POLICY.model_copy(update={"calendar": OFFICE})
    friday = berlin(2026, 11, 27, 17)
    clock = policy.clock(Priority.ROUTINE).start(friday, Cause.SYSTEM)
    assert clock.elapsed(berlin(2026, 11, 30, 9)) == 120
    assert clock.due_at(friday) == berlin(2026, 12, 4, 15)
    clock = clock.pause(berlin(2026, 11, 28, 12), Cause.PRACTICE)
    assert clock.minutes_by_cause(berlin(2026, 11, 30, 8, 30))[Cause.PRACTICE] == 30
    assert policy.offer_expires_at(Priority.ROUTINE, friday) == berlin(2026, 11, 30, 11)
    assert policy.offer_expires_at(Priority.URGENT, friday) == berlin(2026, 11, 27, 18)


def test_each_threshold_comes_once_in_order_and_none_while_paused() -> None:
    clock = DEFAULT_POLICY.clock(Priority.STAT).start(NOON, Cause.SYSTEM)
    reached: tuple[Threshold, ...] = ()
    seen = []
    while found := next_threshold(clock, reached, NOON):
        seen.append(found)
        reached = (*reached, found[0])
    assert seen == [
        (Threshold.REMINDER, after(30)),
        (Threshold.AT_RISK, after(48)),
        (Threshold.BREACH, after(60)),
    ]
    assert next_threshold(clock.pause(after(31), Cause.PRACTICE), (Threshold.REMINDER,), after(31)) is None
    resumed = clock.pause(after(31), Cause.PRACTICE).run(after(100), Cause.RADIOLOGIST)
    assert next_threshold(resumed, (Threshold.REMINDER,), after(100)) == (Threshold.AT_RISK, after(117))
    assert next_threshold(resumed.stop(after(101)), (), after(102)) is None


Step = Callable[[Clock, datetime, Cause], Clock]
steps: st.SearchStrategy[Step] = st.sampled_from(
    [lambda c, now, cause: c.run(now, cause), lambda c, now, cause: c.pause(now, cause)]
)
histories = st.lists(st.tuples(steps, st.sampled_from(Cause), st.floats(0, 60 * 72)), max_size=12)
targets = st.builds(SlaTarget, minutes=st.integers(1, 6000), business=st.booleans())


def play(
    target: SlaTarget, calendar: BusinessCalendar, start: datetime, history: list[tuple[Step, Cause, float]]
) -> tuple[Clock, datetime, float, float]:
    """The clock after the history, its last moment, and the minutes that a plain ledger says ran and went by."""

    def measure(begin: datetime, end: datetime) -> float:
        return calendar.minutes_between(begin, end) if target.business else (end - begin) / timedelta(minutes=1)

    clock, now = Clock(target=target, calendar=calendar).start(start, Cause.SYSTEM), start
    ran = 0.0
    for step, cause, minutes in history:
        later = now + timedelta(minutes=minutes)
        ran += measure(now, later) if clock.running else 0
        clock, now = step(clock, later, cause), later
    return clock, now, ran, measure(start, now)


@settings(deadline=None)
@given(targets, calendars(), moments, histories)
def test_minutes_are_conserved(
    target: SlaTarget, calendar: BusinessCalendar, start: datetime, history: list[tuple[Step, Cause, float]]
) -> None:
    clock, now, ran, went_by = play(target, calendar, start, history)
    assert clock.elapsed(now) == pytest.approx(ran, abs=1e-6)
    assert sum(clock.minutes_by_cause(now).values()) == pytest.approx(went_by, abs=1e-6)
    assert clock.elapsed(now) + clock.remaining(now) == pytest.approx(target.minutes)
    stopped = clock.stop(now)
    assert stopped.elapsed(now + timedelta(days=9)) == clock.elapsed(now)
    assert stopped.minutes_by_cause(now + timedelta(days=9)) == clock.minutes_by_cause(now)


@settings(deadline=None)
@given(targets, calendars(), moments, histories)
def test_no_step_moves_what_has_elapsed(
    target: SlaTarget, calendar: BusinessCalendar, start: datetime, history: list[tuple[Step, Cause, float]]
) -> None:
    clock, now, _, _ = play(target, calendar, start, history)
    for changed in (clock.pause(now, Cause.PRACTICE), clock.run(now, Cause.SYSTEM), clock.stop(now)):
        assert changed.elapsed(now) == clock.elapsed(now)
        assert changed.minutes_by_cause(now) == clock.minutes_by_cause(now)
    paused = clock.pause(now, Cause.PRACTICE)
    assert paused.elapsed(now + timedelta(days=30)) == paused.elapsed(now)
    assert paused.run(now - timedelta(hours=1), Cause.SYSTEM).elapsed(now) == paused.elapsed(now)


@settings(deadline=None)
@given(targets, calendars(), moments, histories, st.integers(1, 150))
def test_a_threshold_is_when_its_share_is_used(
    target: SlaTarget,
    calendar: BusinessCalendar,
    start: datetime,
    history: list[tuple[Step, Cause, float]],
    percent: int,
) -> None:
    clock, now, _, _ = play(target, calendar, start, history)
    due, share = clock.due_at(now), clock.threshold_at(percent, now)
    if not clock.running:
        assert due is share is None
        return
    assert due is not None
    assert share is not None
    if due > now:
        assert clock.remaining(due) == pytest.approx(0, abs=1e-6)
        assert clock.remaining(now) > 0
    elif due < now:
        assert clock.remaining(now) <= 1e-6
    if share > now:
        assert clock.percent(share) == pytest.approx(percent, abs=1e-4)
    assert (share <= due) == (percent <= 100) or share == due
    changed = clock.run(now, Cause.RADIOLOGIST).due_at(now)
    if abs(clock.remaining(now)) > 1e-6 and not target.business:
        assert changed is not None
        assert abs(changed - due) <= timedelta(microseconds=2)


@settings(deadline=None)
@given(targets, calendars(), moments, histories)
def test_a_clock_survives_the_journey_through_json(
    target: SlaTarget, calendar: BusinessCalendar, start: datetime, history: list[tuple[Step, Cause, float]]
) -> None:
    clock, *_ = play(target, calendar, start, history)
    again = Clock.model_validate_json(clock.model_dump_json())
    assert again == clock
    assert again.model_dump_json() == clock.model_dump_json()


def test_the_default_policy_is_the_agreed_one() -> None:
    assert SlaPolicy.model_validate_json(DEFAULT_POLICY.model_dump_json()) == DEFAULT_POLICY
    assert {p: (t.minutes, t.business) for p, t in DEFAULT_POLICY.targets.items()} == {
        Priority.STAT: (60, False),
        Priority.URGENT: (480, False),
        Priority.ROUTINE: (2880, True),
    }
    assert DEFAULT_POLICY.thresholds == (50, 80, 100)
    assert DEFAULT_POLICY.offer_minutes == {Priority.STAT: 15, Priority.URGENT: 60, Priority.ROUTINE: 240}
    assert DEFAULT_POLICY.hold_days is None
    assert DEFAULT_POLICY.link_life_minutes == DEFAULT_POLICY.intake_expiry_minutes == 14 * 24 * 60
    appended = DEFAULT_POLICY.amendment_clock(AmendmentKind.APPENDED).start(NOON, Cause.RADIOLOGIST)
    assert appended.due_at(NOON) == NOON + timedelta(hours=72)


@pytest.mark.parametrize(
    "change",
    [
        {"targets": {"stat": {"minutes": 60, "business": False}}},
        {"offer_minutes": {}},
        {"amendment_minutes": {"corrected": 60}},
        {"thresholds": (50, 50, 100)},
        {"hold_days": 5},
        {"version": 0},
        {"link_life_minutes": 0},
    ],
)
def test_a_policy_with_gaps_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SlaPolicy.model_validate({**DEFAULT_POLICY.model_dump(), **change})
