"""The turnaround clock as a page shows it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from schemas import sla
from schemas.sla import Cause
from schemas.state import CaseState
from schemas.translation import N_
from ui.assemble.looker import Looker
from ui.templating import span
from ui.views import Clock

_CAUSES: Final[Mapping[Cause, str]] = {
    Cause.PRACTICE: N_("practice"),
    Cause.RADIOLOGIST: N_("radiologist"),
    Cause.SYSTEM: N_("assignment"),
}


def clock_of(state: CaseState, looker: Looker) -> Clock:
    """The clock of the first report, or of the amendment that is under way.

    ``left`` is wall-clock time for a target in business time, too: "due tomorrow at ten" is what a person plans by.
    """
    clock = state.amendment.clock if state.amendment else state.clock
    moment = looker.moment
    target = _target(clock, looker)
    if clock.started_at is None:
        return Clock(state="not_started", target=target)
    if clock.stopped:
        taken = span(timedelta(minutes=clock.elapsed(moment)))
        done = looker.say(N_("Reported in %(span)s"), span=taken) if state.signed_at else looker.say(N_("Ended"))
        return Clock(state="stopped", owner=done, target=target)
    owner = looker.say(_CAUSES[clock.cause]) if clock.cause else ""
    used = clock.percent(moment) / 100
    if not clock.running:
        return Clock(state="paused", left=_left_if_resumed(clock, moment), used=used, owner=owner, target=target)
    due = clock.due_at(moment) or moment
    left = due - moment
    return Clock(
        state="running",
        left=left,
        used=used,
        due=due,
        # The ring is drawn on from here in a straight line, which pauses and nights have bent before.
        started=due - left / (1 - used) if used < 1 else None,
        amber_at=clock.threshold_at(clock.percents[1], moment),
        red_at=due,
        owner=owner,
        target=target,
    )


def _left_if_resumed(clock: sla.Clock, moment: datetime) -> timedelta:
    minutes = clock.remaining(moment)
    if clock.target.business:
        return clock.calendar.add_minutes(moment, minutes) - moment
    return timedelta(minutes=minutes)


def _target(clock: sla.Clock, looker: Looker) -> str:
    hours, minutes = divmod(clock.target.minutes, 60)
    length = f"{hours} h" if not minutes else f"{clock.target.minutes} min"
    if clock.target.minutes <= 60:
        length = f"{clock.target.minutes} min"
    return looker.say(N_("%(length)s of opening hours"), length=length) if clock.target.business else length
