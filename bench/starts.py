"""P2: starting a case, beside a bare start on the development server with the settings that it comes with.

From the gateway's word (the outbox is read, the workflow started, the outbox item marked as done) until the case's first
workflow task is complete. The case's row is written before: that is the API's part.
"""

import asyncio
import secrets
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from temporalio.client import Client, WorkflowHandle

from bench.bare_workflow import BARE_QUEUE, Bare
from bench.measures import Figure, Outcome
from bench.programs import ours, plain_client, program, temporal
from bench.site import Site, prepared
from schemas.ids import case_workflow_id
from workflows.gateway import Gateway

_PAUSE_S = 0.05


async def first_task(handle: WorkflowHandle[Any, Any]) -> None:
    """Until the workflow's first task is complete, told by the server itself."""
    async for event in handle.fetch_history_events(wait_new_event=True):
        if event.HasField("workflow_task_completed_event_attributes"):
            return


async def bare_round(client: Client, count: int) -> list[float]:
    spent = []
    for _ in range(count):
        await asyncio.sleep(_PAUSE_S)
        begun = time.perf_counter()
        handle = await client.start_workflow(Bare.run, id=f"bare-{secrets.token_hex(6)}", task_queue=BARE_QUEUE)
        await first_task(handle)
        spent.append((time.perf_counter() - begun) * 1e3)
        await handle.signal(Bare.end)
    return spent


async def case_round(site: Site, gateway: Gateway, client: Client, count: int) -> list[float]:
    spent = []
    for _ in range(count):
        row = await asyncio.to_thread(site.world.add_case)
        await asyncio.sleep(_PAUSE_S)
        begun = time.perf_counter()
        await gateway.announce(row.id)
        await first_task(client.get_workflow_handle(case_workflow_id(row.id)))
        spent.append((time.perf_counter() - begun) * 1e3)
    return spent


@dataclass
class Timings:
    """Milliseconds, one list a round. ``floor``: bare starts on the server as we set it."""

    ours: list[list[float]] = field(default_factory=list)
    anchor: list[list[float]] = field(default_factory=list)
    floor: list[list[float]] = field(default_factory=list)


async def measure(rounds: int, count: int) -> Timings:
    timings = Timings()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        async with temporal(folder / "plain", tuned=False) as plain, temporal(folder / "tuned", tuned=True) as tuned:
            with (
                prepared(folder / "home", tuned.target) as site,
                program("bare", ours("bench.worker", "bare", "--target", plain.target), folder),
                program("floor", ours("bench.worker", "bare", "--target", tuned.target), folder),
                program("worker", ours("bench.worker", "cases"), folder, site.env),
            ):
                gateway, theirs, our_own = (
                    await site.gateway(),
                    await plain_client(plain.target),
                    await plain_client(tuned.target),
                )
                await site.case_in_review(gateway)
                await bare_round(theirs, 5)
                for _ in range(rounds):
                    timings.anchor.append(await bare_round(theirs, count))
                    timings.ours.append(await case_round(site, gateway, our_own, count))
                    timings.floor.append(await bare_round(our_own, count))
    return timings


def run(rounds: int, scale: float) -> Outcome:
    timings = asyncio.run(measure(rounds, max(2, int(40 * scale))))
    default = "a bare start, default settings of the server"
    anchor = [median(each) for each in timings.anchor]
    return Outcome(
        [
            Figure(
                "P2", "starting a case (p50)", default, "ms", 0.35, [median(each) for each in timings.ours], anchor
            ),
            Figure(
                "–", "a bare start on our settings (p50)", default, "ms", None,
                [median(each) for each in timings.floor], anchor,
            ),
        ]
    )  # fmt: skip
