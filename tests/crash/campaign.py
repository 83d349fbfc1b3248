"""``python -m tests.crash.campaign --lifecycles 200 --kills 40``: cases go on while their system is being killed.

Real processes: Temporal's server on a file, MariaDB with durable settings, ``odontoflow worker`` and ``odontoflow api``.
People carry cases from a new patient to their end over HTTP and insist with the same keys; a killer ends one of the four
processes with SIGKILL, again and again. Then the record is held against what people were told.
"""

import argparse
import asyncio
import os
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.crash.caller import Caller, Surprising, Unanswered
from tests.crash.findings import Findings
from tests.crash.installation import Installation, installation
from tests.crash.killer import Killer
from tests.crash.ledger import Ledger
from tests.crash.lives import PEOPLE, Life, Plan, plans
from tests.crash.reckoning import reckon
from tests.servers.tools import program

AT_ONCE: Final = 8


@dataclass
class Outcome:
    ledger: Ledger
    findings: Findings
    seconds: float

    @property
    def wrong(self) -> Sequence[str]:
        return self.findings.wrong

    def lines(self) -> Iterator[str]:
        """What came of it, for a person."""
        ledger, findings = self.ledger, self.findings
        kills = Counter(restart.name for restart in ledger.restarts)
        yield f"lifecycles: {len(ledger.stories)} in {self.seconds:.0f} s"
        yield f"kills: {kills.total()} ({_counted(kills)})"
        yield f"ended by themselves: {_counted(Counter(ledger.fallen)) or 'none'}"
        yield f"commands acknowledged: {len(ledger.applied)}; said not to have been taken: {len(ledger.undone)}"
        yield f"requests: {ledger.asked}; repeated tries: {ledger.repeats.total()} ({_counted(ledger.repeats)})"
        for what, by_the_system in (("an answer", False), ("the case's own work", True)):
            waits = ledger.recoveries(by_the_system=by_the_system)
            yield f"recovery, until who waited for {what} had it: {_spread(waits)}"
        yield f"quiet after {findings.quiet_after:.1f} s"
        yield f"effects: {findings.effects}, tried more than once: {findings.tried_again}; mails: {findings.mails}"
        yield f"files: {findings.files}, documents: {findings.documents}; histories replayed: {findings.histories}, longest {findings.longest_history} events"
        yield from (f"WRONG: {text}" for text in self.wrong)
        yield f"verdict: {'WRONG' if self.wrong else 'nothing lost, nothing doubled, every case finished'}"


def _counted(counter: "Counter[str]") -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items(), key=lambda item: (-item[1], item[0])))


def _spread(seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return "not measured"
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    return f"median {statistics.median(seconds):.1f} s, p95 {p95:.1f} s, slowest {max(seconds):.1f} s"


class Campaign:
    """``lifecycles`` cases, and more of them until there were ``kills``."""

    def __init__(self, installed: Installation, lifecycles: int, kills: int, seed: int) -> None:
        self._installed = installed
        self._lifecycles = lifecycles
        self._kills = kills
        self._chance = random.Random(seed)
        self._ledger = Ledger()
        self._failures: list[str] = []
        self._is_killing = True

    async def run(self) -> Outcome:
        begun = time.monotonic()
        caller = Caller(self._installed.url, self._ledger)
        for name in PEOPLE:
            await caller.sign_in(name)
        stream = plans(random.Random(self._chance.random()))
        first = [next(stream) for _ in range(self._lifecycles)]
        steps = sum(len(plan.actions) + 1 for plan in first)
        killer = Killer(self._installed, self._ledger, self._chance, lambda: len(self._ledger.applied) / steps)
        minding = asyncio.create_task(killer.mind())
        lives = self._lives(first, stream)
        async with asyncio.TaskGroup() as together:
            together.create_task(self._kill(killer))
            for _ in range(AT_ONCE):
                together.create_task(self._carry(lives, caller))
        seconds = time.monotonic() - begun
        await caller.close()
        findings = await reckon(self._installed.settings, self._ledger)
        minding.cancel()
        with suppress(asyncio.CancelledError):
            await minding
        findings.wrong[:0] = self._failures
        return Outcome(self._ledger, findings, seconds)

    async def _kill(self, killer: Killer) -> None:
        await killer.kill_all(self._kills)
        self._is_killing = False

    def _lives(self, first: Sequence[Plan], stream: Iterator[Plan]) -> Iterator[Plan]:
        yield from first
        while self._is_killing:
            yield next(stream)

    async def _carry(self, lives: Iterator[Plan], caller: Caller) -> None:
        for plan in lives:
            life = Life(plan, caller)
            try:
                await life.live()
            except (Surprising, Unanswered) as failure:
                self._failures.append(f"life {plan.number} ({plan.end}) did not reach its end: {failure}")
            if life.story.case_id:
                self._ledger.stories.append(life.story)


async def campaign(home: Path, temporal_program: str, *, lifecycles: int, kills: int, seed: int) -> Outcome:
    """Everything lies in ``home``, logs included."""
    async with installation(home, temporal_program) as installed:
        return await Campaign(installed, lifecycles, kills, seed).run()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.campaign", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--lifecycles", type=int, default=200)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--home", type=Path, help="where everything lies, and stays for a look at it")
    wanted = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("ODONTOFLOW_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
        home = wanted.home or Path(folder)
        sys.stdout.write(f"seed {wanted.seed}\n")
        sys.stdout.flush()
        temporal = program("temporal", remedy="run `make setup-dev`")
        outcome = asyncio.run(
            campaign(home, temporal, lifecycles=wanted.lifecycles, kills=wanted.kills, seed=wanted.seed)
        )
    sys.stdout.writelines(f"{line}\n" for line in outcome.lines())
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
