"""What people were told while processes were being killed: what the record is held against in the end."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.lifecycle import Action, State


class Told(NamedTuple):
    """A command that was acknowledged."""

    case_id: str
    command_id: str
    action: Action


class Interval(NamedTuple):
    """How long somebody waited for an answer, by the monotonic clock in seconds."""

    begun: float
    ended: float
    by_the_system: bool
    """For what the case does by itself, as against the answer to a request."""


class Restart(NamedTuple):
    """By the monotonic clock in seconds; ``started`` is when the new process was started, not when it was ready."""

    name: str
    killed: float
    started: float


@dataclass
class LifeStory:
    """One case as the people who carried it know it."""

    patient_email: str
    actions: Sequence[Action]
    """What people do to it, in this order."""
    end: State
    patient_id: str = ""
    case_id: str = ""
    files: list[bytes] = field(default_factory=list)
    """What the case is to have in the end: of an archive, what was in it."""
    archives: list[bytes] = field(default_factory=list)
    documents: list[bytes] = field(default_factory=list)
    """Of the patient's record."""
    uploads: int = 0
    """To the case, archives among them."""
    texts: list[str] = field(default_factory=list)
    """The impression of the first report, and each addendum, as they were saved."""
    said: list[str] = field(default_factory=list)
    """What was written in the chat, in this order."""

    @property
    def is_read(self) -> bool:
        """Whether a reader has had it: then all of its images were checked and submitted."""
        return Action.ACCEPT in self.actions

    @property
    def versions(self) -> int:
        return self.actions.count(Action.SIGN) + self.actions.count(Action.KEEP_REPORT)


@dataclass
class Ledger:
    stories: list[LifeStory] = field(default_factory=list)
    applied: list[Told] = field(default_factory=list)
    undone: dict[str, str] = field(default_factory=dict)
    """Commands that were acknowledged as received and then said not to have been taken, with the reason's code."""
    asked: int = 0
    """Requests, repeated ones not counted."""
    repeats: Counter[str] = field(default_factory=Counter)
    """Repeated tries by what the one before came to."""
    intervals: list[Interval] = field(default_factory=list)
    restarts: list[Restart] = field(default_factory=list)
    fallen: list[str] = field(default_factory=list)
    """Processes that ended by themselves."""

    @contextmanager
    def waiting(self, *, by_the_system: bool = False) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.intervals.append(Interval(begun, time.monotonic(), by_the_system))

    def recoveries(self, *, by_the_system: bool) -> list[float]:
        """For each restart, in seconds: until the last of those who were then waiting had their answer.

        Who was still waiting at the next restart counts there.
        """
        found = []
        for number, restart in enumerate(self.restarts):
            following = self.restarts[number + 1].started if number + 1 < len(self.restarts) else float("inf")
            found.append(
                max(
                    (
                        interval.ended - restart.started
                        for interval in self.intervals
                        if interval.begun < restart.started < interval.ended <= following
                        and interval.by_the_system is by_the_system
                    ),
                    default=0.0,
                )
            )
        return found
