"""P3: lifecycles a second, twenty at once, beside the same on the settings that server and SDK come with, sandboxed.

One lifecycle: the case is opened, announced, submitted, checked, offered and accepted, asked about, and rejected; its
workflow ends. Every step goes through the gateway and its durable record.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlmodel import select
from temporalio.client import Client

from bench.measures import Figure, Outcome
from bench.programs import ours, program, temporal
from bench.site import Site, prepared
from schemas.ids import case_workflow_id
from schemas.lifecycle import Action, State
from schemas.tables.case import Case
from workflows.gateway import Gateway

AT_ONCE = 20
_DEFAULT_STICKY_S = "10"
_LOOK_S = 0.01


@dataclass
class Offers:
    """Wakes whoever waits for the offer of a case: one query for all of them."""

    site: Site
    waiting: dict[str, asyncio.Event] = field(default_factory=dict)

    async def of(self, case_id: str) -> None:
        offered = self.waiting.setdefault(case_id, asyncio.Event())
        await offered.wait()
        del self.waiting[case_id]

    async def watch(self) -> None:
        while True:
            for case_id in await asyncio.to_thread(self._offered):
                if case_id in self.waiting:
                    self.waiting[case_id].set()
            await asyncio.sleep(_LOOK_S)

    def _offered(self) -> list[str]:
        with self.site.world.database.read() as session:
            return list(session.exec(select(Case.id).where(Case.state == State.ASSIGNED)).all())


@dataclass(frozen=True)
class Stage:
    site: Site
    gateway: Gateway
    client: Client


@asynccontextmanager
async def staged(folder: Path, *, tuned: bool) -> AsyncIterator[Stage]:
    async with temporal(folder / "temporal", tuned=tuned) as server:
        style = [] if tuned else ["--sandboxed", "--sticky", _DEFAULT_STICKY_S]
        with (
            prepared(folder / "home", server.target) as site,
            program("worker", ours("bench.worker", "cases", *style), folder, site.env),
        ):
            yield Stage(site, await site.gateway(), await site.client())


async def life(stage: Stage, offers: Offers, gate: asyncio.Semaphore) -> None:
    site, gateway = stage.site, stage.gateway
    async with gate:
        row = await asyncio.to_thread(site.world.add_case)
        await gateway.announce(row.id)
        await site.act(gateway, "dentist", row.id, Action.SUBMIT)
        await offers.of(row.id)
        await site.accept(gateway, row.id)
        reader = await asyncio.to_thread(site.reader_of, row.id)
        await site.act(gateway, reader, row.id, Action.REQUEST_MODIFICATION, text="A lateral view is missing.")
        await site.act(gateway, "dentist", row.id, Action.ANSWER_MODIFICATION, text="There is none.")
        await site.act(gateway, reader, row.id, Action.REJECT, reason="Not to be read without it.")
        handle: Any = stage.client.get_workflow_handle(case_workflow_id(row.id))
        await handle.result()


async def lives(stage: Stage, count: int) -> float:
    """Lifecycles a second."""
    offers, gate = Offers(stage.site), asyncio.Semaphore(AT_ONCE)
    watching = asyncio.create_task(offers.watch())
    begun = time.perf_counter()
    await asyncio.gather(*(life(stage, offers, gate) for _ in range(count)))
    spent = time.perf_counter() - begun
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    return count / spent


async def measure(rounds: int, count: int) -> tuple[list[float], list[float]]:
    mine, theirs = [], []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        async with staged(Path(name, "tuned"), tuned=True) as ours_, staged(Path(name, "plain"), tuned=False) as plain:
            await lives(plain, min(count, AT_ONCE))
            await lives(ours_, min(count, AT_ONCE))
            for _ in range(rounds):
                theirs.append(await lives(plain, count))
                mine.append(await lives(ours_, count))
    return mine, theirs


def run(rounds: int, scale: float) -> Outcome:
    mine, theirs = asyncio.run(measure(rounds, max(2, int(60 * scale))))
    figure = Figure(
        "P3",
        f"lifecycles, {AT_ONCE} at once",
        "the same with default settings, sandboxed",
        "a second",
        1.4,
        mine,
        theirs,
        more_is_better=True,
    )
    return Outcome([figure])
