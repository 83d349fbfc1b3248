"""Turnaround clocks: business calendars, policies, and minutes with a cause.

Pure and deterministic, for it runs inside the case's workflow: nothing here reads a clock, ``now`` is always given.
All moments are timezone-aware; answers are in UTC. All minutes are of one kind per clock: business minutes where the
target is in business time, real minutes elsewhere. Attribution follows the same kind, so that at any moment

    sum of the minutes by cause == minutes that counted + minutes attributed while paused

A running case finishes under the policy version that it began with: a clock carries its own calendar and target.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from schemas.business_calendar import MINUTE, WORKING_WEEK, BusinessCalendar, as_utc

__all__ = [
    "DEFAULT_POLICY",
    "AmendmentKind",
    "BusinessCalendar",
    "Cause",
    "Clock",
    "HoldDays",
    "Minutes",
    "Priority",
    "SlaPolicy",
    "SlaTarget",
    "Threshold",
    "next_threshold",
]

Minutes = Annotated[int, Field(gt=0, le=10 * 366 * 24 * 60)]
HoldDays = Literal[0, 3, 7]


class Priority(StrEnum):
    """How soon the first report is due."""

    STAT = "stat"
    URGENT = "urgent"
    ROUTINE = "routine"


class AmendmentKind(StrEnum):
    """FHIR R4 DiagnosticReport.status: ``appended`` leaves the text untouched, ``corrected`` mends a mistake."""

    APPENDED = "appended"
    CORRECTED = "corrected"
    AMENDED = "amended"


class Cause(StrEnum):
    """Whose minutes they are: who has the next move."""

    PRACTICE = "practice"
    RADIOLOGIST = "radiologist"
    SYSTEM = "system"


class Threshold(StrEnum):
    """What a clock announces on its way; each at most once in its life (invariant 18)."""

    REMINDER = "reminder"
    AT_RISK = "at_risk"
    BREACH = "breach"


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True)


class SlaTarget(_Fact):
    """Minutes allowed: business minutes of the policy's calendar, or real minutes around the clock."""

    minutes: Minutes
    business: bool


class Clock(_Fact):
    """Minutes that count against a target, and whose they were. Every step returns a new clock.

    ``since`` and ``cause`` describe the stretch going on: it is attributed while running and while paused, and counts
    against the target only while running. A clock not yet started, or stopped, attributes nothing. A ``now`` before
    ``since`` (clocks of two machines) is taken as ``since``: no minute is ever taken back.
    """

    target: SlaTarget
    calendar: BusinessCalendar
    percents: tuple[int, int, int] = (50, 80, 100)
    spent: dict[Cause, float] = Field(default_factory=dict)
    counted: float = 0.0
    running: bool = False
    cause: Cause | None = None
    since: AwareDatetime | None = None
    started_at: AwareDatetime | None = None

    @property
    def stopped(self) -> bool:
        return self.started_at is not None and self.since is None

    def start(self, now: datetime, cause: Cause) -> Self:
        """Begin; a clock that has begun before stays as it is."""
        return self if self.started_at else self.run(now, cause)

    def run(self, now: datetime, cause: Cause) -> Self:
        """Count from now on, with the next move at ``cause``. Also resumes a paused or stopped clock."""
        return self._turn(now, cause, running=True)

    def pause(self, now: datetime, cause: Cause) -> Self:
        """Stop counting while ``cause`` is waited for; the wait is still attributed."""
        return self._turn(now, cause, running=False)

    def stop(self, now: datetime) -> Self:
        """Count and attribute nothing from now on."""
        return self._turn(now, None, running=False)

    def elapsed(self, now: datetime) -> float:
        """Minutes counted against the target."""
        return self.counted + (self._stretch(now) if self.running else 0.0)

    def remaining(self, now: datetime) -> float:
        """Minutes left of the target; negative once overdue."""
        return self.target.minutes - self.elapsed(now)

    def percent(self, now: datetime) -> float:
        """Share of the target used, in percent; past 100 once overdue."""
        return 100.0 * self.elapsed(now) / self.target.minutes

    def due_at(self, now: datetime) -> datetime | None:
        """When the target is used up if the clock runs on; in the past once overdue. None while it does not run."""
        return self.threshold_at(100, now)

    def threshold_at(self, percent: int, now: datetime) -> datetime | None:
        """When this share of the target is, or was, used. None while the clock does not run.

        It stays put while the clock runs, however the cause changes, so ``now`` (given as to every reading) is not used.
        After a pause, a share used before it lies as far back as if there had been none: overdue cases keep their order.
        """
        if not self.running or self.since is None:
            return None
        left = self.target.minutes * percent / 100 - self.counted
        if self.target.business:
            return self.calendar.add_minutes(self.since, left)
        return as_utc(self.since) + timedelta(minutes=left)

    def minutes_by_cause(self, now: datetime) -> dict[Cause, float]:
        """Minutes attributed so far, counted or not, with every cause named."""
        spent = {cause: self.spent.get(cause, 0.0) for cause in Cause}
        if self.cause is not None:
            spent[self.cause] += self._stretch(now)
        return spent

    def _stretch(self, now: datetime) -> float:
        if self.since is None or now <= self.since:
            return 0.0
        if self.target.business:
            return self.calendar.minutes_between(self.since, now)
        return (now - self.since) / MINUTE

    def _turn(self, now: datetime, cause: Cause | None, *, running: bool) -> Self:
        moment = as_utc(now) if self.since is None else max(as_utc(now), as_utc(self.since))
        return self.model_copy(
            update={
                "spent": self.minutes_by_cause(moment),
                "counted": self.elapsed(moment),
                "running": running,
                "cause": cause,
                "since": None if cause is None else moment,
                "started_at": self.started_at or (None if cause is None else moment),
            }
        )


def next_threshold(clock: Clock, reached: tuple[Threshold, ...], now: datetime) -> tuple[Threshold, datetime] | None:
    """The next threshold to announce and its moment, which is past when it is overdue; None when nothing is to come.

    ``reached`` holds those already announced: the caller adds each as it announces it, so none comes twice.
    """
    for threshold, percent in zip(Threshold, clock.percents, strict=True):
        if threshold not in reached:
            moment = clock.threshold_at(percent, now)
            return None if moment is None else (threshold, moment)
    return None


class SlaPolicy(_Fact):
    """A practice's agreement, by version. Minutes not named business are real minutes."""

    id: str
    version: Annotated[int, Field(ge=1)]
    calendar: BusinessCalendar
    targets: dict[Priority, SlaTarget]
    thresholds: tuple[int, int, int] = (50, 80, 100)
    offer_minutes: dict[Priority, Minutes]
    intake_reminder_minutes: Minutes
    intake_expiry_minutes: Minutes
    link_life_minutes: Minutes
    close_after_minutes: Minutes
    amendment_minutes: dict[AmendmentKind, Minutes]
    hold_days: HoldDays | None = None
    """Days from signature to automatic release; None: the practice releases by hand."""
    requires_approval: bool = False

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if set(self.targets) != set(Priority) or set(self.offer_minutes) != set(Priority):
            raise ValueError("a policy names a target and an offer time for every priority")
        if set(self.amendment_minutes) != set(AmendmentKind):
            raise ValueError("a policy names a time for every kind of amendment")
        if not 0 < self.thresholds[0] < self.thresholds[1] < self.thresholds[2]:
            raise ValueError("thresholds rise")
        return self

    def clock(self, priority: Priority) -> Clock:
        """The clock of a first report, not yet started."""
        return Clock(target=self.targets[priority], calendar=self.calendar, percents=self.thresholds)

    def amendment_clock(self, kind: AmendmentKind) -> Clock:
        """The clock of an amendment, not yet started: real minutes, for a wrong report does harm at night too."""
        target = SlaTarget(minutes=self.amendment_minutes[kind], business=False)
        return Clock(target=target, calendar=self.calendar, percents=self.thresholds)

    def offer_expires_at(self, priority: Priority, now: datetime) -> datetime:
        """When an offer made now lapses, in the target's kind of minutes: a routine offer does not lapse overnight."""
        minutes = self.offer_minutes[priority]
        if self.targets[priority].business:
            return self.calendar.add_minutes(now, minutes)
        return as_utc(now) + timedelta(minutes=minutes)


_HOUR: Final = 60
_DAY_MINUTES: Final = 24 * _HOUR

DEFAULT_POLICY: Final = SlaPolicy(
    id="default",
    version=1,
    calendar=BusinessCalendar(time_zone="UTC", opening=WORKING_WEEK),
    targets={
        # Stat and urgent run through the night; only routine waits for opening hours.
        Priority.STAT: SlaTarget(minutes=60, business=False),
        Priority.URGENT: SlaTarget(minutes=8 * _HOUR, business=False),
        Priority.ROUTINE: SlaTarget(minutes=48 * _HOUR, business=True),
    },
    offer_minutes={Priority.STAT: 15, Priority.URGENT: _HOUR, Priority.ROUTINE: 4 * _HOUR},
    intake_reminder_minutes=_DAY_MINUTES,
    intake_expiry_minutes=14 * _DAY_MINUTES,
    link_life_minutes=14 * _DAY_MINUTES,
    close_after_minutes=30 * _DAY_MINUTES,
    amendment_minutes={
        AmendmentKind.CORRECTED: _DAY_MINUTES,
        AmendmentKind.APPENDED: 3 * _DAY_MINUTES,
        AmendmentKind.AMENDED: _DAY_MINUTES,
    },
)
