"""P10: frames out by WADO-RS, six at once as a browser asks for them, beside Orthanc."""

import asyncio
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from bench.archives import Archive, filled
from bench.measures import Figure, Outcome
from bench.slices import SIDE
from bench.storing import SLICES

LINES: Final = 6
"""Connections that browsers open to one server over HTTP/1.1."""
_ACCEPT: Final = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
_FRAME_BYTES: Final = SIDE * SIDE * 2
_ASKED: Final = 1200
_PEER: Final = "Orthanc, the same requests, with sign-in"


@dataclass
class Timings:
    """Frames a second, and milliseconds of one frame asked for alone, one value a round."""

    ours: list[float] = field(default_factory=list)
    anchor: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    anchor_alone: list[float] = field(default_factory=list)


def frames_a_second(archive: Archive, chosen: Sequence[int]) -> float:
    """Each of the lines asks for its share of the frames, one after the other."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(LINES) as threads:
        list(threads.map(lambda lane: _each(archive, chosen[lane::LINES]), range(LINES)))
    return len(chosen) / (time.perf_counter() - begun)


def _each(archive: Archive, chosen: Sequence[int]) -> list[float]:
    """Milliseconds of each."""
    spent = []
    with archive.line() as line:
        for index in chosen:
            begun = time.perf_counter()
            body = line.get(f"{archive.instance(index)}/frames/1", _ACCEPT)
            spent.append((time.perf_counter() - begun) * 1e3)
            assert _FRAME_BYTES < len(body) < _FRAME_BYTES + 1000, len(body)
    return spent


async def measure(rounds: int, count: int, asked: int) -> tuple[Timings, str]:
    timings = Timings()
    order = random.Random(1)
    async with filled(count) as pair:
        for round_number in range(rounds + 1):
            chosen = [order.randrange(count) for _ in range(asked)]
            for archive, rates, alone in (
                (pair.peer, timings.anchor, timings.anchor_alone),
                (pair.ours, timings.ours, timings.alone),
            ):
                if archive is None:
                    continue
                rate = await asyncio.to_thread(frames_a_second, archive, chosen)
                single = await asyncio.to_thread(_each, archive, chosen[: max(2, asked // 8)])
                if round_number:  # the first warms up
                    rates.append(rate)
                    alone.append(median(single))
    return timings, pair.missing


def run(rounds: int, scale: float) -> Outcome:
    timings, missing = asyncio.run(measure(rounds, max(4, int(SLICES * scale)), max(LINES, int(_ASKED * scale))))
    return Outcome(
        [
            Figure(
                "P10", f"frames out by WADO-RS, {LINES} at once", _PEER, "a second", 3.5, timings.ours, timings.anchor,
                more_is_better=True,
            ),
            Figure("–", "one frame alone (p50)", _PEER, "ms", None, timings.alone, timings.anchor_alone),
        ],
        [f"P10: {missing}."] if missing else [],
    )  # fmt: skip
