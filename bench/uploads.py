"""P8: one large file in over tus, in chunks as the page sends it and in one request, beside `cp` with `fdatasync` on the same
disk and beside `@tus/server`, whose store syncs a file's data before it answers.

Ours is over when the file is encrypted, durable, in the case, and hashed. The bytes come from the page cache and cannot be
packed. Meanwhile another endpoint is asked every few milliseconds.
"""

import asyncio
import os
import shutil
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from bench.installation import Installation, installation
from bench.line import Line
from bench.measures import Figure, Outcome
from bench.peers.found import NotHere
from bench.peers.tus import TusServer, tus_server
from bench.usage import forget_peak, peak_mib, resident_mib

SIZE: Final = 1 << 30
CHUNK: Final = 16 << 20
"""What the page's uploader sends at a time."""
_MEGA: Final = 1e6
_ASK_EVERY_S: Final = 0.004
_QUIET_S: Final = 1.0
_CREATION: Final = {"Tus-Resumable": "1.0.0", "Content-Length": "0"}
_PATCH: Final = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
_COPY: Final = "`cp` and `fdatasync` of the same bytes"
_PEER: Final = "@tus/server, `fdatasync` before each answer"


@dataclass
class Taken:
    """What a server was seen to do, one value a round. MB/s, MiB, milliseconds."""

    chunks: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    growth: list[float] = field(default_factory=list)
    worst: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Target:
    """Where an upload is created, by whom, and what else is asked there meanwhile."""

    line: Line
    root: str
    metadata: str
    port: int
    beside: "Beside"


class Beside(NamedTuple):
    """Another endpoint: a method and a path, and the status that it answers with."""

    method: str
    path: str
    status: int


def send(target: Target, source: Path, size: int, chunk: int) -> float:
    """Seconds from the creation to the answer that says that all bytes are durable."""
    headers = _CREATION | {"Upload-Length": str(size), "Upload-Metadata": target.metadata}
    begun = time.perf_counter()
    created = target.line.ask("POST", target.root, headers, expected=201)
    path = urlsplit(created.headers["Location"]).path
    for offset in range(0, size, chunk):
        count = min(chunk, size - offset)
        told = _PATCH | {"Upload-Offset": str(offset)}
        answer = target.line.send_file(path, told, source, offset=offset, count=count, expected=204)
    spent = time.perf_counter() - begun
    assert answer.headers["Upload-Offset"] == str(size)
    return spent


@contextmanager
def asked_meanwhile(port: int, beside: Beside) -> Iterator[list[float]]:
    """Milliseconds of each answer of an endpoint, over a connection of its own, while the block runs."""
    spent: list[float] = []
    over = threading.Event()

    def ask() -> None:
        with Line(port, {"Tus-Resumable": "1.0.0"}) as line:
            while not over.wait(_ASK_EVERY_S):
                begun = time.perf_counter()
                line.ask(beside.method, beside.path, {}, expected=beside.status)
                spent.append((time.perf_counter() - begun) * 1e3)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield spent
    finally:
        over.set()
        thread.join()


def take(target: Target, source: Path, size: int, pid: int, taken: Taken, *, chunked: bool) -> None:
    forget_peak(pid)
    before = resident_mib(pid)
    with asked_meanwhile(target.port, target.beside) as answers:
        spent = send(target, source, size, CHUNK if chunked else size)
    (taken.chunks if chunked else taken.whole).append(size / _MEGA / spent)
    peak = peak_mib(pid)
    if chunked:
        taken.memory.append(peak)
        taken.growth.append(peak - before)
        taken.worst.append(max(answers))
    else:  # a round's value is the worse one of its two uploads
        taken.memory[-1] = max(taken.memory[-1], peak)
        taken.growth[-1] = max(taken.growth[-1], peak - before)
        taken.worst[-1] = max(taken.worst[-1], *answers)


def copy(source: Path, size: int) -> float:
    """MB/s of a copy that is durable."""
    target = source.with_name("copy")
    program = shutil.which("cp")
    assert program is not None
    begun = time.perf_counter()
    os.spawnv(os.P_WAIT, program, ["cp", str(source), str(target)])
    descriptor = os.open(target, os.O_RDWR)
    os.fdatasync(descriptor)
    spent = time.perf_counter() - begun
    os.close(descriptor)
    target.unlink()
    return size / _MEGA / spent


def our_upload(stage: Installation, source: Path, size: int, taken: Taken, *, chunked: bool) -> None:
    case = stage.draft()
    pairs = {"case_id": case.id, "filename": "volume.dcm", "filetype": "application/dicom"}
    metadata = ",".join(f"{name} {b64encode(value.encode()).decode()}" for name, value in pairs.items())
    with stage.line() as line:
        target = Target(line, "/api/v1/uploads", metadata, stage.site.settings.port, Beside("GET", "/healthz", 200))
        take(target, source, size, stage.api, taken, chunked=chunked)
    (file,) = stage.files(case)
    assert file.size == size
    _drop(stage.site.settings.blob_folder)


def peer_upload(peer: TusServer, source: Path, size: int, taken: Taken, *, chunked: bool) -> None:
    with Line(peer.port, {}) as line:
        target = Target(line, "/files", "filename dm9sdW1lLmRjbQ==", peer.port, Beside("OPTIONS", "/files", 204))
        take(target, source, size, peer.pid, taken, chunked=chunked)
    _drop(peer.folder)


def _drop(folder: Path) -> None:
    """Room for the next one."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()
    os.sync()
    time.sleep(_QUIET_S)


@dataclass
class Timings:
    ours: Taken = field(default_factory=Taken)
    theirs: Taken = field(default_factory=Taken)
    copies: list[float] = field(default_factory=list)
    missing: str = ""


async def measure(rounds: int, size: int) -> Timings:
    timings = Timings()
    async with installation() as stage:
        with ExitStack() as stack:
            try:
                peer = stack.enter_context(tus_server(stage.folder / "tus"))
            except NotHere as reason:
                peer, timings.missing = None, str(reason)
            await asyncio.to_thread(in_rounds, stage, peer, rounds, size, timings)
    return timings


def in_rounds(stage: Installation, peer: TusServer | None, rounds: int, size: int, timings: Timings) -> None:
    source = stage.folder / "source"
    with source.open("wb") as file:
        for _ in range(0, size, CHUNK):
            file.write(os.urandom(CHUNK))
        file.truncate(size)
        os.fsync(file.fileno())
    for _ in range(rounds):
        timings.copies.append(copy(source, size))
        for chunked in (True, False):
            if peer is not None:
                peer_upload(peer, source, size, timings.theirs, chunked=chunked)
            our_upload(stage, source, size, timings.ours, chunked=chunked)


def figures(timings: Timings, size: int) -> Sequence[Figure]:
    ours, theirs = timings.ours, timings.theirs
    what = f"{size / _MEGA:.0f} MB in over tus"
    chunks, whole = f"{what} in chunks of 16 MiB", f"{what} in one request"
    rate, more = "MB/s", True
    return (
        Figure("P8 chunks", chunks, _COPY, rate, 1.0, ours.chunks, timings.copies, more_is_better=more),
        Figure("P8 chunks", "the same", _PEER, rate, 1.3, ours.chunks, theirs.chunks, more_is_better=more),
        Figure("P8 whole", whole, _COPY, rate, 1.0, ours.whole, timings.copies, more_is_better=more),
        Figure("P8 whole", "the same", _PEER, rate, 1.3, ours.whole, theirs.whole, more_is_better=more),
        Figure("P8 memory", "the server's most resident memory", _PEER, "MiB", 0.5, ours.memory, theirs.memory),
        Figure("P8 memory", "of it, what an upload adds", "", "MiB", 100.0, ours.growth, is_bound=True),
        Figure(
            "P8 others", "another endpoint's worst answer meanwhile", _PEER, "ms", 5.0, ours.worst, theirs.worst,
            is_bound=True,
        ),
    )  # fmt: skip


def run(rounds: int, scale: float) -> Outcome:
    size = max(CHUNK, int(SIZE * scale))
    timings = asyncio.run(measure(rounds, size))
    return Outcome(list(figures(timings, size)), [f"P8: {timings.missing}."] if timings.missing else [])
