"""P1: a person's command over HTTP, beside a bare update with one normal activity on the same server.

One command at a time with a pause behind it: a person's command is what is measured, and what it sets going (a notice,
its mail) does not stand in the way of the next one. The pause is the same for both.
"""

import asyncio
import secrets
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from temporalio.client import Client

from bench.bare_workflow import BARE_QUEUE, Bare
from bench.http_client import Browser, until_served
from bench.measures import Figure, Outcome, percentile
from bench.programs import ours, plain_client, program, temporal
from bench.site import NotApplied, Site, prepared
from worker.up.engine import free_port
from workflows.gateway import Gateway

PAUSE_S: Final = 0.05
_STEPS: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    ("request_modification", {"text": "A lateral view is missing."}),
    ("withdraw_modification", {}),
)


@dataclass
class Timings:
    """Milliseconds, one list a round."""

    ours: list[list[float]] = field(default_factory=list)
    anchor: list[list[float]] = field(default_factory=list)
    read: list[list[float]] = field(default_factory=list)


@dataclass(frozen=True)
class Stage:
    """A whole system with a web server, and the bare worker beside it."""

    site: Site
    gateway: Gateway
    bare: Client
    browsers: dict[str, Browser]

    def browser(self, name: str) -> Browser:
        if name not in self.browsers:
            self.browsers[name] = Browser(self.site.settings.port, name)
        return self.browsers[name]


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(temporal(folder / "temporal", tuned=True))
        site = stack.enter_context(prepared(folder / "home", server.target, free_port()))
        stack.enter_context(program("bare", ours("bench.worker", "bare", "--target", server.target), folder))
        stack.enter_context(program("worker", ours("bench.worker", "cases"), folder, site.env))
        stack.enter_context(program("api", ours("worker", "api"), folder, site.env))
        await asyncio.to_thread(until_served, site.settings.port)
        yield Stage(site, await site.gateway(), await plain_client(server.target), {})


async def bare_round(stage: Stage, count: int) -> list[float]:
    handle = await stage.bare.start_workflow(Bare.run, id=f"bare-{secrets.token_hex(6)}", task_queue=BARE_QUEUE)
    await handle.execute_update(Bare.act, 0)
    spent = []
    for number in range(count):
        await asyncio.sleep(PAUSE_S)
        begun = time.perf_counter()
        await handle.execute_update(Bare.act, number)
        spent.append((time.perf_counter() - begun) * 1e3)
    await handle.signal(Bare.end)
    return spent


async def command_round(stage: Stage, count: int) -> tuple[list[float], list[float]]:
    """A new case each round, so that every round measures histories of the same length; also reads it as often."""
    case_id = await stage.site.case_in_review(stage.gateway)
    browser = stage.browser(stage.site.reader_of(case_id))
    before = stage.site.world.case(case_id).seq
    browser.close()
    browser.get(f"/api/v1/cases/{case_id}")
    spent, read = [], []
    for number in range(count + count % 2):
        action, form = _STEPS[number % 2]
        await asyncio.sleep(PAUSE_S)
        begun = time.perf_counter()
        status, answer = browser.post(f"/api/v1/cases/{case_id}/actions/{action}", form, secrets.token_hex(8))
        spent.append((time.perf_counter() - begun) * 1e3)
        if status != 200 or answer["seq"] != before + number + 1:
            raise NotApplied(status, answer)
        if stage.site.world.case(case_id).seq != answer["seq"]:
            raise NotApplied("not in the database", answer)
        await asyncio.sleep(PAUSE_S)
        begun = time.perf_counter()
        browser.get(f"/api/v1/cases/{case_id}")
        read.append((time.perf_counter() - begun) * 1e3)
    return spent, read


async def measure(rounds: int, count: int) -> Timings:
    timings = Timings()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with staged(Path(folder)) as stage:
            await bare_round(stage, min(count, 10))
            await command_round(stage, min(count, 10))
            for _ in range(rounds):
                timings.anchor.append(await bare_round(stage, count))
                spent, read = await command_round(stage, count)
                timings.ours.append(spent)
                timings.read.append(read)
            for browser in stage.browsers.values():
                browser.close()
    return timings


def run(rounds: int, scale: float) -> Outcome:
    timings = asyncio.run(measure(rounds, max(2, int(40 * scale))))
    update = "a bare update with one normal activity"

    def p95(values: list[float]) -> float:
        return percentile(values, 95)

    return Outcome(
        [
            Figure(
                "P1 p50", "a person's command over HTTP", update, "ms", 1.5,
                [median(each) for each in timings.ours], [median(each) for each in timings.anchor],
            ),
            Figure(
                "P1 p95", "the same", update, "ms", 2.0,
                [p95(each) for each in timings.ours], [p95(each) for each in timings.anchor],
            ),
            Figure("–", "reading a case over HTTP (p50)", "", "ms", None, [median(each) for each in timings.read]),
        ]
    )  # fmt: skip
