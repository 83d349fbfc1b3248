"""P9: a series of 400 slices in by STOW-RS, beside Orthanc with the same request.

Ours is over when every instance is encrypted, durable, read, indexed and compared with the case's patient, and the
answer that names each one has been read. Then the case is submitted at once, for the time until a radiologist has it.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from bench.installation import Installation, installation
from bench.line import Line
from bench.measures import Figure, Outcome
from bench.peers.found import NotHere
from bench.peers.orthanc import ROOT, Orthanc, orthanc
from bench.slices import STOW_TYPE, Series, series
from bench.usage import cpu_seconds
from schemas.lifecycle import Action, State

SLICES: Final = 400
_PEER: Final = "Orthanc with its own fsync, the same request"
_LOOK_S: Final = 0.005
_QUIET_S: Final = 1.0


@dataclass
class Timings:
    """One value a round. Rates in slices a second, CPU in seconds, times in seconds."""

    ours: list[float] = field(default_factory=list)
    anchor: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    anchor_cpu: list[float] = field(default_factory=list)
    stow_s: list[float] = field(default_factory=list)
    ready_s: list[float] = field(default_factory=list)


def store(line: Line, sent: Series) -> float:
    """Seconds until the answer, which names every instance as stored, has been read."""
    begun = time.perf_counter()
    answer = line.ask("POST", "/studies", {"Content-Type": STOW_TYPE, "Accept": "application/dicom+json"}, sent.stow)
    spent = time.perf_counter() - begun
    assert all(answer.body.count(f'"{sop_uid}"'.encode()) == 1 for sop_uid in sent.sop_uids), answer.body[:400]
    assert b'"00081197"' not in answer.body, "a reason for a failure"
    return spent


async def our_round(stage: Installation, count: int, timings: Timings) -> None:
    sent = series(count)
    case = await asyncio.to_thread(stage.draft)
    await asyncio.sleep(_QUIET_S)
    with stage.images(case) as line:
        before = cpu_seconds(*stage.pids)
        spent = await asyncio.to_thread(store, line, sent)
        timings.cpu.append(cpu_seconds(*stage.pids) - before)
    timings.stow_s.append(spent)
    timings.ours.append(count / spent)
    timings.ready_s.append(await asyncio.to_thread(until_read, stage, case.id))


def until_read(stage: Installation, case_id: str) -> float:
    """Seconds from now, over a submission, until the case is offered to a radiologist, with all images let pass."""
    begun = time.perf_counter()
    stage.dentist.close()
    status, answer = stage.dentist.post(f"/api/v1/cases/{case_id}/actions/{Action.SUBMIT}", {}, f"submit-{case_id}")
    assert status in {200, 202}, answer
    while (row := stage.site.world.case(case_id)).state not in {State.UNASSIGNED, State.ASSIGNED}:
        assert row.state in {State.DRAFT, State.PROCESSING}, row.state
        time.sleep(_LOOK_S)
    assert row.verified_set == 1
    return time.perf_counter() - begun


async def peer_round(peer: Orthanc, count: int, timings: Timings) -> None:
    sent = series(count)
    await asyncio.sleep(_QUIET_S)
    with Line(peer.port, peer.headers, ROOT) as line:
        before = cpu_seconds(peer.pid)
        timings.anchor.append(count / await asyncio.to_thread(store, line, sent))
        timings.anchor_cpu.append(cpu_seconds(peer.pid) - before)


async def measure(rounds: int, count: int) -> tuple[Timings, str]:
    """The timings, and why there is no anchor, if there is none."""
    timings, missing = Timings(), ""
    async with installation() as stage:
        with ExitStack() as stack:
            try:
                peer = stack.enter_context(orthanc(stage.folder / "orthanc"))
            except NotHere as reason:
                peer, missing = None, str(reason)
            await our_round(stage, max(2, count // 10), Timings())
            for _ in range(rounds):
                if peer is not None:
                    await peer_round(peer, count, timings)
                await our_round(stage, count, timings)
    return timings, missing


def figures(timings: Timings, count: int) -> Sequence[Figure]:
    return (
        Figure(
            "P9", f"{count} slices in by STOW-RS", _PEER, "a second", 2.5, timings.ours, timings.anchor,
            more_is_better=True,
        ),
        Figure("P9 CPU", "the same, CPU time of all our processes", _PEER, "s", 0.4, timings.cpu, timings.anchor_cpu),
        Figure(
            "P9 ready", "from the end of STOW, over the submission, until offered to a radiologist",
            "the time of the STOW", "s", 1.5, timings.ready_s, timings.stow_s,
        ),
    )  # fmt: skip


def run(rounds: int, scale: float) -> Outcome:
    count = max(4, int(SLICES * scale))
    timings, missing = asyncio.run(measure(rounds, count))
    return Outcome(list(figures(timings, count)), [f"P9: {missing}."] if missing else [])
