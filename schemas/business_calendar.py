"""Business time: opening hours in a place's own wall time, measured in real minutes.

Pure and deterministic. All moments are timezone-aware; answers are in UTC, exact to the microsecond.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_NOTHING: Final = timedelta()

OpeningHours = tuple[time, time]
"""Opening and closing in local wall time; a closing of 00:00 is the midnight that ends the day."""

WORKING_WEEK: Final[tuple[OpeningHours | None, ...]] = (*[(time(8), time(18))] * 5, None, None)
"""Monday to Friday, 08:00 to 18:00."""


def as_utc(moment: datetime) -> datetime:
    """The same moment in UTC; a naive one raises ValueError."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return moment.astimezone(UTC)


@lru_cache(maxsize=16_384)
def _first_instant(time_zone: str, wall: datetime) -> datetime:
    """The first instant (UTC) at which the zone's wall clock shows ``wall`` (naive) or, where it skips it, a later time.

    So a repeated hour counts from its first pass and a skipped one is empty, and the answer never decreases with
    ``wall``: opening hours of following days cannot overlap.
    """
    zone = ZoneInfo(time_zone)
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    before, after = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), instant
    while after - before > timedelta.resolution:
        middle = before + (after - before) // 2
        if middle.astimezone(zone).replace(tzinfo=None) >= wall:
            after = middle
        else:
            before = middle
    return after


class BusinessCalendar(BaseModel):
    """When a practice works: opening hours by weekday (Monday first), holidays, and the zone they are meant in."""

    model_config = ConfigDict(frozen=True)

    time_zone: str
    opening: Annotated[tuple[OpeningHours | None, ...], Field(min_length=7, max_length=7)]
    holidays: tuple[date, ...] = ()

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("this is not an IANA time zone such as Europe/Berlin") from None
        return value

    @field_validator("opening")
    @classmethod
    def _is_ordered(cls, value: tuple[OpeningHours | None, ...]) -> tuple[OpeningHours | None, ...]:
        for hours in value:
            if hours is None:
                continue
            opens, closes = hours
            if opens.tzinfo or closes.tzinfo:
                raise ValueError("opening hours are wall times without an offset")
            if closes <= opens and closes != time():
                raise ValueError("a day must open before it closes")
        if not any(value):
            raise ValueError("a calendar needs at least one working day")
        return value

    def minutes_between(self, start: datetime, end: datetime) -> float:
        """Business minutes from ``start`` to ``end``: real minutes elapsed while open. Negative when end is earlier."""
        start, end = as_utc(start), as_utc(end)
        if end < start:
            return -self.minutes_between(end, start)
        total = _NOTHING
        # One day more on each side: a clock set back over midnight shows yesterday's date within today's hours.
        day, last = self._day_of(start) - _DAY, self._day_of(end) + _DAY
        while day <= last:
            if hours := self._hours_of(day):
                total += max(_NOTHING, min(hours[1], end) - max(hours[0], start))
            day += _DAY
        return total / MINUTE

    def add_minutes(self, start: datetime, minutes: float) -> datetime:
        """The earliest moment that lies ``minutes`` business minutes after ``start``, to the microsecond.

        Zero gives ``start`` itself, open or not. Negative minutes go back, likewise to the earliest such moment.
        """
        start, left = as_utc(start), timedelta(minutes=minutes)
        if left < _NOTHING:
            return self._before(start, -left)
        day = self._day_of(start) - _DAY
        while left:
            if hours := self._hours_of(day):
                begin = max(hours[0], start)
                if left <= hours[1] - begin:
                    return begin + left
                left -= max(_NOTHING, hours[1] - begin)
            day += _DAY
        return start

    def _before(self, end: datetime, left: timedelta) -> datetime:
        day = self._day_of(end) + _DAY
        while True:
            if hours := self._hours_of(day):
                finish = min(hours[1], end)
                if left < finish - hours[0]:
                    return finish - left
                left -= max(_NOTHING, finish - hours[0])
            day -= _DAY

    def _day_of(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.time_zone)).date()

    def _hours_of(self, day: date) -> tuple[datetime, datetime] | None:
        hours = self.opening[day.weekday()]
        if hours is None or day in self.holidays:
            return None
        opens, closes = hours
        closing_day = day if closes > opens else day + _DAY
        return (
            _first_instant(self.time_zone, datetime.combine(day, opens)),
            _first_instant(self.time_zone, datetime.combine(closing_day, closes)),
        )
