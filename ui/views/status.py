"""State, wait and clock as a person sees them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from schemas.lifecycle import STATE_WORDS, State

Tone = Literal["quiet", "ok", "warn", "bad", "info", "accent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A state: icon, word and, where there is one, its reason. Never a colour alone (UI.md)."""

    icon: str
    word: str
    tone: Tone = "quiet"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Who is waited for, why, since when, until when, and what happens then.

    ``sentence`` is complete: "Waiting for you: answer the radiologist's question about the lateral view." ``then`` is a clause
    that follows the deadline: "the case is offered to another radiologist".
    """

    sentence: str
    since: datetime | None = None
    until: datetime | None = None
    then: str = ""
    yours: bool = False
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Time left against the target of the case's priority.

    ``left`` is the wall-clock time until ``due`` (negative when over). ``used`` is the share of the target that is gone,
    0 to 1 and beyond. While it runs, the page's script recolours it at ``amber_at`` and ``red_at`` without a reload.
    ``owner`` says on whom it runs, or for whom it is paused.
    """

    state: Literal["running", "paused", "stopped", "not_started"]
    left: timedelta = timedelta()
    used: float = 0.0
    due: datetime | None = None
    started: datetime | None = None
    amber_at: datetime | None = None
    red_at: datetime | None = None
    owner: str = ""
    target: str = ""

    @property
    def level(self) -> Literal["ok", "amber", "red", "none"]:
        """The thresholds of the default policy: 80 % at risk, 100 % breached (DECISIONS.md, defaults)."""
        if self.state in ("stopped", "not_started"):
            return "none"
        if self.left < timedelta() or self.used >= 1:
            return "red"
        return "amber" if self.used >= 0.8 else "ok"

    @property
    def share(self) -> int:
        """Whole per cent of the ring to draw."""
        return round(100 * min(max(self.used, 0.0), 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a case's way, for the bar above the case."""

    word: str
    done: bool = False
    current: bool = False


# The words are `STATE_WORDS` of the lifecycle; a test keeps the two tables complete.
_MARKS: Final[Mapping[State, tuple[str, Tone]]] = {
    State.DRAFT: ("draft", "quiet"),
    State.PROCESSING: ("processing", "info"),
    State.ATTENTION: ("attention", "warn"),
    State.BILLING_HOLD: ("billing", "warn"),
    State.UNASSIGNED: ("inbox", "info"),
    State.ASSIGNED: ("assigned", "info"),
    State.IN_REVIEW: ("reading", "accent"),
    State.MODIFICATION_REQUESTED: ("question", "warn"),
    State.AWAITING_APPROVAL: ("approval", "accent"),
    State.SIGNED: ("signed", "ok"),
    State.RELEASED: ("released", "ok"),
    State.AMENDING: ("amending", "accent"),
    State.REJECTED: ("stop", "bad"),
    State.CANCELLED: ("stop", "quiet"),
    State.ENTERED_IN_ERROR: ("withdrawn", "bad"),
    State.CLOSED: ("archive", "quiet"),
}


def state_chip(state: State, reason: str = "") -> Chip:
    """The chip of a lifecycle state."""
    icon, tone = _MARKS[state]
    return Chip(icon=icon, tone=tone, word=STATE_WORDS[state], reason=reason)
