"""A child process: what to run, its life, and when to start it again."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from worker.up.lifeline import die_with_parent
from worker.up.logs import Output

FIRST_DELAY = 0.2
LONGEST_DELAY = 10.0
STABLE_SECONDS = 20.0


@dataclass(frozen=True)
class Program:
    """What to run. ``command`` is asked at every start, so that it can choose fresh ports."""

    name: str
    command: Callable[[], Sequence[str]]
    log: Path
    shown: bool = True
    drain_seconds: float = 10.0
    env: Mapping[str, str] = field(default_factory=dict)


class Child:
    """One program's process, at most one at a time, in a process group of its own.

    Its own group keeps a terminal's Ctrl-C away from it: the supervisor stops children in their order.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.failures = 0
        self.started_at = 0.0
        self.restart_at: float | None = None
        self.output = Output(program.log, program.name if program.shown else None)

    @property
    def running(self) -> bool:
        return self.process is not None

    @property
    def pid(self) -> int | None:
        return None if self.process is None else self.process.pid

    @property
    def pipe(self) -> int:
        """File descriptor of its output."""
        assert self.process is not None
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def start(self) -> None:
        """Raises ``OSError`` when the program cannot be started at all."""
        self.restart_at = None
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            list(self.program.command()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", **self.program.env},
            process_group=0,
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - the supervisor has one thread
        )
        os.set_blocking(self.pipe, False)

    def read(self) -> bool:
        """Takes what it said; False at the end of its output."""
        while True:
            try:
                chunk = os.read(self.pipe, 65536)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            self.output.feed(chunk)

    def ended(self) -> int | None:
        """Its return code once it has ended (negative: the signal), else None. Afterwards nothing of its group runs."""
        if self.process is None:
            return None
        code = self.process.poll()
        if code is None:
            return None
        self.read()
        self.output.finish()
        self._signal_group(signal.SIGKILL)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return code

    def schedule_restart(self) -> float:
        """Plans the next start; returns the seconds until then. A child that had run well starts again quickly."""
        if time.monotonic() - self.started_at > STABLE_SECONDS:
            self.failures = 0
        delay = min(FIRST_DELAY * float(2**self.failures), LONGEST_DELAY)
        self.failures = min(self.failures + 1, 16)
        self.restart_at = time.monotonic() + delay
        return delay

    def ask_to_end(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def kill(self) -> None:
        if self.process is not None:
            self._signal_group(signal.SIGKILL)

    def _signal_group(self, number: signal.Signals) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)


def describe_end(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
