"""State, wait and clock as a person sees them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

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

    ``who`` completes "Waiting for …": ``you``, ``the practice``, ``Dr Weber``. ``why`` completes "…: ", without a full
    stop. ``then`` is a clause that follows the deadline: ``it is offered to another reader``.
    """

    who: str
    why: str
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


# state → (icon, tone, word). The words are the practice's; `schemas.lifecycle` owns the states themselves.
STATE_CHIPS: Final[Mapping[str, tuple[str, Tone, str]]] = {
    "draft": ("draft", "quiet", "Draft"),
    "processing": ("processing", "info", "Checking images"),
    "attention": ("attention", "warn", "Needs attention"),
    "billing_hold": ("billing", "warn", "On billing hold"),
    "unassigned": ("inbox", "info", "Finding a radiologist"),
    "assigned": ("assigned", "info", "Offered"),
    "in_review": ("reading", "accent", "Being read"),
    "modification_requested": ("question", "warn", "Question to practice"),
    "awaiting_approval": ("approval", "accent", "Awaiting approval"),
    "signed": ("signed", "ok", "Signed"),
    "released": ("released", "ok", "Released"),
    "amending": ("amending", "accent", "Being amended"),
    "rejected": ("stop", "bad", "Rejected"),
    "cancelled": ("stop", "quiet", "Cancelled"),
    "entered_in_error": ("withdrawn", "bad", "Withdrawn"),
    "closed": ("archive", "quiet", "Closed"),
}


def state_chip(state: str, reason: str = "") -> Chip:
    """The chip of a lifecycle state. Raises ``KeyError`` for a state that the table does not have."""
    icon, tone, word = STATE_CHIPS[state]
    return Chip(icon=icon, tone=tone, word=word, reason=reason)
