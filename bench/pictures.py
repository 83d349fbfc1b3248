"""P11: rendered images, thumbnails and the metadata of a series out by WADO-RS, beside Orthanc, one request at a time."""

import asyncio
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.archives import Archive, filled
from bench.line import Line
from bench.measures import Figure, Outcome
from bench.storing import SLICES

THUMBNAIL: Final = "rendered?viewport=256,256"
_JPEG: Final = "image/jpeg"
_JSON: Final = "application/dicom+json"
_PICTURES: Final = 60
_METADATA: Final = 8


@dataclass(frozen=True)
class Asked:
    """One line of the table: a request to us and the one to Orthanc that gives the same. ``goal``: how many times as quick."""

    key: str
    what: str
    peer: str
    goal: float | None
    ours: Callable[[Archive, int], str]
    theirs: Callable[[Archive, int], str]
    accept: str = _JPEG
    times: int = _PICTURES


def _rendered(archive: Archive, index: int) -> str:
    return f"{archive.instance(index)}/rendered"


def _small(archive: Archive, index: int) -> str:
    return f"{archive.instance(index)}/{THUMBNAIL}"


ASKED: Final = (
    Asked("P11 rendered", "a slice as JPEG (p50)", "Orthanc, the same request", 2.5, _rendered, _rendered),
    Asked(
        "P11 thumbnail", "the thumbnail of a series, made when it came (p50)", f"Orthanc's nearest: {THUMBNAIL}", 2.0,
        lambda archive, _: f"{archive.series.path}/thumbnail", _small,
    ),
    Asked(
        "–", "a slice in a thumbnail's size, drawn anew (p50)", "Orthanc, the same request", None, _small, _small,
    ),
    Asked(
        "P11 metadata", "the metadata of a whole series (p50)", "Orthanc, the same request", 100.0,
        lambda archive, _: f"{archive.series.path}/metadata", lambda archive, _: f"{archive.series.path}/metadata",
        accept=_JSON, times=_METADATA,
    ),
)  # fmt: skip


def milliseconds(line: Line, paths: Sequence[str], accept: str, check: Callable[[bytes], bool]) -> float:
    """The median over the paths."""
    spent = []
    for path in paths:
        begun = time.perf_counter()
        body = line.get(path, accept)
        spent.append((time.perf_counter() - begun) * 1e3)
        assert check(body), body[:200]
    return median(spent)


def _is_picture(body: bytes) -> bool:
    return body.startswith(b"\xff\xd8\xff")


async def measure(rounds: int, count: int, scale: float) -> tuple[list[Figure], str]:
    found: dict[str, tuple[list[float], list[float]]] = {asked.what: ([], []) for asked in ASKED}
    order = random.Random(1)

    def is_series(body: bytes) -> bool:
        return len(json.loads(body)) == count

    def take(archive: Archive, asked: Asked, path: Callable[[Archive, int], str], chosen: Sequence[int]) -> float:
        check = is_series if asked.accept == _JSON else _is_picture
        with archive.line() as line:
            return milliseconds(line, [path(archive, index) for index in chosen], asked.accept, check)

    async with filled(count) as pair:
        for round_number in range(rounds + 1):
            for asked in ASKED:
                times = max(2, int(asked.times * scale))
                chosen = [order.randrange(count) for _ in range(times)]
                ours, theirs = found[asked.what]
                if pair.peer is not None:
                    value = await asyncio.to_thread(take, pair.peer, asked, asked.theirs, chosen)
                    theirs += [value] if round_number else []  # the first warms up
                value = await asyncio.to_thread(take, pair.ours, asked, asked.ours, chosen)
                ours += [value] if round_number else []
    return [
        Figure(
            asked.key, asked.what, asked.peer, "ms", None if asked.goal is None else 1 / asked.goal, *found[asked.what]
        )
        for asked in ASKED
    ], pair.missing


def run(rounds: int, scale: float) -> Outcome:
    figures, missing = asyncio.run(measure(rounds, max(4, int(SLICES * scale)), scale))
    return Outcome(figures, [f"P11: {missing}."] if missing else [])
