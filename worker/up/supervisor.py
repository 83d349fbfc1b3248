"""Starts the children in their order, keeps them running, and stops them in the reverse order. One thread, one selector."""

import os
import selectors
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType

from worker.up.children import Child, Program, describe_end
from worker.up.logs import say

EXIT_FAILED = 1
EXIT_USAGE = 2
STARTING_TICK = 0.03
RUNNING_TICK = 5.0
FAILURES_BEFORE_GIVING_UP = 5
WAITING_NOTICE_SECONDS = 20.0
SECOND_SIGNAL_SECONDS = 1.0
HURRY_SECONDS = 0.5


PidOf = Callable[[str], int | None]
"""The process number of the named program while it runs."""


@dataclass(frozen=True)
class Plan:
    """What a start consists of.

    ``engine`` and ``preparations`` begin at once and together; ``services`` when the preparations are done; ``seeding``
    when every probe says True. A stop goes backwards: services from the last one to the first, then the engine.
    """

    services: Sequence[Program]
    probes: Sequence[tuple[str, Callable[[PidOf], bool]]]
    engine: Program | None = None
    preparations: Sequence[Program] = ()
    seeding: Sequence[Program] = ()
    banner: Sequence[str] = field(default_factory=list)


class Supervisor:
    """Runs one plan until a signal, or until a start turns out to be hopeless. ``run`` returns the exit code."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._selector = selectors.DefaultSelector()
        self._kept: list[Child] = []
        self._jobs: list[Child] = []
        self._pending_probes = list(plan.probes)
        self._services_started = False
        self._seeding_started = False
        self._ready = False
        self._signals = 0
        self._first_signal_at = 0.0
        self._hurry = False
        self._exit_code: int | None = None
        self._notice_at = time.monotonic() + WAITING_NOTICE_SECONDS
        self._wakeup, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self) -> int:
        self._install_signals()
        try:
            if self._plan.engine is not None:
                self._keep(self._plan.engine)
            self._jobs = [self._launch(Child(program)) for program in self._plan.preparations]
            while self._exit_code is None:
                self._wait(RUNNING_TICK if self._ready else STARTING_TICK)
                self._reap()
                self._restart_due()
                if not self._ready and self._exit_code is None:
                    self._advance()
            self._stop_all()
            return self._exit_code
        finally:
            for child in [*self._jobs, *self._kept]:
                child.kill()

    # Signals

    def _install_signals(self) -> None:
        self._selector.register(self._wakeup, selectors.EVENT_READ)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_stop_signal)
        # A handler, so that the end of a child wakes the selector.
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)

    def _on_stop_signal(self, _number: int, _frame: FrameType | None) -> None:
        """The first signal stops in order; a later one does not wait for drains. Two that arrive together are one (make sends both)."""
        now = time.monotonic()
        self._signals += 1
        if self._signals == 1:
            self._first_signal_at = now
            if self._exit_code is None:
                self._exit_code = 0
        elif now - self._first_signal_at > SECOND_SIGNAL_SECONDS:
            self._hurry = True

    # Starting

    def _launch(self, child: Child) -> Child:
        try:
            child.start()
        except OSError as error:
            say(f"{child.program.name} cannot be started: {error.strerror}")
            if self._ready:
                child.schedule_restart()
            else:
                self._exit_code = EXIT_FAILED
        else:
            self._selector.register(child.pipe, selectors.EVENT_READ, child)
        return child

    def _keep(self, program: Program) -> None:
        self._kept.append(self._launch(Child(program)))

    def _pid_of(self, name: str) -> int | None:
        return next((child.pid for child in self._kept if child.program.name == name), None)

    def _advance(self) -> None:
        """Takes the start one step on, as far as it can go now."""
        if self._jobs:
            return
        if not self._services_started:
            self._services_started = True
            for program in self._plan.services:
                self._keep(program)
            return
        self._pending_probes = [probe for probe in self._pending_probes if not probe[1](self._pid_of)]
        if self._pending_probes:
            if time.monotonic() > self._notice_at:
                say(f"still waiting for {', '.join(name for name, _ in self._pending_probes)}")
                self._notice_at += WAITING_NOTICE_SECONDS
            return
        if not self._seeding_started:
            self._seeding_started = True
            self._jobs = [self._launch(Child(program)) for program in self._plan.seeding]
            if self._jobs:
                return
        self._ready = True
        for line in self._plan.banner:
            say(line)
        say("ready")

    # Running

    def _wait(self, seconds: float) -> None:
        """Sleeps until there is output, a signal, an ended child or something due, at most ``seconds``."""
        due = [child.restart_at for child in self._kept if child.restart_at is not None]
        if due:
            seconds = min(seconds, max(0.0, min(due) - time.monotonic()))
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                with suppress(BlockingIOError):
                    os.read(self._wakeup, 4096)
            elif not key.data.read():
                self._selector.unregister(key.fd)

    def _collect(self, child: Child) -> int | None:
        """Return code of a child that has ended."""
        if not child.running:
            return None
        pipe = child.pipe
        code = child.ended()
        if code is not None:
            with suppress(KeyError, ValueError):
                self._selector.unregister(pipe)
        return code

    def _reap(self) -> None:
        for job in list(self._jobs):
            code = self._collect(job)
            if code is not None:
                self._jobs.remove(job)
                if code == 0 or self._exit_code is not None:
                    continue
                if self._seeding_started:
                    # Incomplete demo data is no reason to withhold the system; the next start tries again.
                    say(f"{job.program.name} is not complete ({describe_end(code)}); its log is {job.program.log}")
                else:
                    self._give_up(job, code)
        for child in self._kept:
            code = self._collect(child)
            if code is None or self._exit_code is not None:
                continue
            if not self._ready and (code == EXIT_USAGE or child.failures >= FAILURES_BEFORE_GIVING_UP):
                self._give_up(child, code)
                continue
            delay = child.schedule_restart()
            say(f"{child.program.name} ended ({describe_end(code)}); it starts again in {delay:.1f} s")

    def _give_up(self, child: Child, code: int) -> None:
        if not child.program.shown:
            for line in child.output.last_lines:
                say(f"{child.program.name} | {line}")
        say(f"{child.program.name} does not start ({describe_end(code)}); its log is {child.program.log}")
        self._exit_code = EXIT_USAGE if code == EXIT_USAGE else EXIT_FAILED

    def _restart_due(self) -> None:
        if self._exit_code is not None:
            return
        now = time.monotonic()
        for child in self._kept:
            if child.restart_at is not None and child.restart_at <= now:
                self._launch(child)

    # Stopping

    def _stop_all(self) -> None:
        running = [child for child in [*self._jobs, *reversed(self._kept)] if child.running]
        if running:
            say(f"Stopping: {', '.join(child.program.name for child in running)}.")
        for child in running:
            self._stop(child)
        say("Stopped.")

    def _stop(self, child: Child) -> None:
        """Asks one child to end, waits while it drains, kills it when it takes too long."""
        child.ask_to_end()
        asked_at = time.monotonic()
        while child.running and self._collect(child) is None:
            patience = HURRY_SECONDS if self._hurry else child.program.drain_seconds
            left = asked_at + patience - time.monotonic()
            if left <= 0:
                child.kill()
                left = 1.0
            self._wait(min(left, 0.5))
