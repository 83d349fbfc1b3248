"""The same series in our case and in Orthanc, for the figures about what goes out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

from bench.installation import Installation, installation
from bench.line import Line
from bench.peers.found import NotHere
from bench.peers.orthanc import ROOT, orthanc
from bench.slices import Series, series
from bench.storing import store


@dataclass(frozen=True)
class Archive:
    """``line`` opens a new connection that is signed in."""

    series: Series
    line: Callable[[], Line]

    def instance(self, index: int) -> str:
        return f"{self.series.path}/instances/{self.series.sop_uids[index]}"


@dataclass(frozen=True)
class Pair:
    """``peer`` None: it is ``missing``, for this reason."""

    ours: Archive
    peer: Archive | None
    missing: str


@asynccontextmanager
async def filled(count: int) -> AsyncIterator[Pair]:
    sent = series(count)
    async with installation() as stage:
        ours = await asyncio.to_thread(_ours, stage, sent)
        with ExitStack() as stack:
            try:
                peer = stack.enter_context(orthanc(stage.folder / "orthanc"))
            except NotHere as reason:
                yield Pair(ours, None, str(reason))
                return
            theirs = Archive(sent, lambda: Line(peer.port, peer.headers, ROOT))
            await asyncio.to_thread(_put_in, theirs.line, sent)
            yield Pair(ours, theirs, "")


def _ours(stage: Installation, sent: Series) -> Archive:
    case = stage.draft()
    _put_in(lambda: stage.images(case), sent)
    return Archive(sent, stage.images)


def _put_in(line: Callable[[], Line], sent: Series) -> None:
    with line() as connection:
        store(connection, sent)
