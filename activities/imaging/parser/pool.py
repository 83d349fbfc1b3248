"""Warm child processes that read files; each reads many, and one that hangs or dies costs one file and no more."""

import logging
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

from activities.imaging.parser import limits
from activities.imaging.parser.answers import bare_copy_of, examined_of, picture_of, raise_problem
from activities.imaging.parser.child_process import Child, ChildLost, ChildSlow, Sink, Source
from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.results import BareCopy, Examined, Member, Picture
from activities.imaging.parser.wire import Operation
from infra.closing import Closing
from schemas.files import FileKind

_LOG: Final = logging.getLogger(__name__)
PREVIEW_SIDE: Final = 512
"""Pixels of the longer side of a preview."""
PREVIEW_QUALITY: Final = 82
ARCHIVE_BYTES: Final = 4 << 30
UNPACKED_A_SECOND: Final = 10 * limits.MIB
"""An entry of an archive may take as long as at this pace, and the time of a file."""
BARE_QUALITY: Final = 95
"""Of a photograph that goes out drawn anew instead of as it came."""


class BytesSource:
    """Content that is in memory already."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def size(self) -> int:
        return len(self._content)

    def read_at(self, offset: int, length: int) -> bytes:
        return self._content[offset : offset + length]


class Collected:
    """A sink that keeps a large result in memory, up to a bound."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self.content = bytearray()

    def __call__(self, piece: bytes) -> None:
        if len(self.content) + len(piece) > self._bound:
            raise FileProblem(ProblemCode.UNSAFE)
        self.content += piece


class Scanner(Protocol):
    """Looks for viruses, such as ``infra.virus_scan.ClamAv``."""

    def finds(self, content: Source) -> str | None:
        """The name of what was found, or None for a clean file."""
        ...


class ParserPool(Closing):
    """Up to ``size`` children, started when first needed. Safe to share between threads; calls block.

    A child has no network, no files and limited memory (``confinement``); it is replaced after a timeout, a death, or
    ``limits.RECYCLE_AFTER`` files.
    """

    def __init__(
        self,
        size: int = 2,
        *,
        seconds: float = limits.FILE_SECONDS,
        archive_bytes: int = ARCHIVE_BYTES,
        scanner: Scanner | None = None,
    ) -> None:
        """``archive_bytes``: what the content of one archive may have in all. ``scanner`` is asked before a file is read."""
        self.size: Final = size
        self._seconds = seconds
        self._archive_bytes = archive_bytes
        self._scanner = scanner
        self._slots: queue.LifoQueue[Child | None] = queue.LifoQueue()
        self._closed = threading.Event()
        for _ in range(size):
            self._slots.put(None)

    def examine(self, source: Source) -> Examined:
        """What a file is. Never raises for what is in it: the problem is part of the answer.

        Raises what ``source.read_at`` and the scanner raise.
        """
        if self._scanner is not None and self._scanner.finds(source) is not None:
            return Examined(kind=FileKind.OTHER, problem=ProblemCode.INFECTED)
        arguments = {"max_side": PREVIEW_SIDE, "quality": PREVIEW_QUALITY, "archive_bytes": self._archive_bytes}
        try:
            return examined_of(*self._ask(Operation.EXAMINE, source, arguments), source.size)
        except FileProblem as problem:
            return Examined(kind=FileKind.OTHER, problem=problem.code)

    def decode(self, source: Source, frame: int, ranges: list[int] | None = None, *, key: str = "") -> bytes:
        """One frame (from 0), decoded: explicit VR little endian, colours as RGB. Raises FileProblem.

        ``key`` names the content: a child that has just read of it need not begin anew.
        """
        frame_bytes = Collected(limits.MAX_FRAME_BYTES)
        facts, _ = self._ask(Operation.DECODE, source, {"frame": frame, "ranges": ranges}, key=key, sink=frame_bytes)
        raise_problem(facts)
        return bytes(frame_bytes.content)

    def render(
        self,
        source: Source,
        frame: int,
        ranges: list[int] | None = None,
        *,
        key: str = "",
        window: tuple[float, float] | None = None,
        max_side: int = PREVIEW_SIDE,
        quality: int = PREVIEW_QUALITY,
    ) -> Picture:
        """One frame (from 0) as JPEG through its own window or the given one (centre, width). Raises FileProblem."""
        arguments = {"frame": frame, "ranges": ranges, "window": window, "max_side": max_side, "quality": quality}
        return picture_of(*self._ask(Operation.RENDER, source, arguments, key=key))

    def redraw(self, source: Source, *, max_side: int, quality: int = PREVIEW_QUALITY) -> Picture:
        """A photograph anew as JPEG: upright, without metadata, no larger than ``max_side``. Raises FileProblem."""
        return picture_of(*self._ask(Operation.REDRAW, source, {"max_side": max_side, "quality": quality}))

    def bare(self, source: Source) -> BareCopy:
        """A photograph's file without its metadata. Raises FileProblem."""
        return bare_copy_of(*self._ask(Operation.BARE, source, {"quality": BARE_QUALITY}), source.size)

    def unpack(self, source: Source, member: Member, sink: Sink) -> None:
        """One entry of an archive, to ``sink``. Raises FileProblem where it is not whole, and what source or sink raise.

        What the sink got until then is of no use.
        """
        left = member.size

        def counted(piece: bytes) -> None:
            nonlocal left
            left -= len(piece)
            if left < 0:
                raise FileProblem(ProblemCode.UNSAFE)
            sink(piece)

        seconds = self._seconds + member.size / UNPACKED_A_SECOND
        facts, _ = self._ask(Operation.UNPACK, source, member.model_dump(), sink=counted, seconds=seconds)
        raise_problem(facts)
        if left:
            raise FileProblem(ProblemCode.UNSAFE)

    def warm(self) -> None:
        """Start one child ahead of the first file."""
        with self.child():
            pass

    def close(self) -> None:
        """Ends the children; what they were reading fails with FileProblem."""
        self._closed.set()
        for _ in range(self.size):
            try:
                child = self._slots.get(timeout=self._seconds + 1)
            except queue.Empty:
                return
            if child is not None:
                child.kill()

    def _ask(
        self,
        operation: Operation,
        source: Source,
        arguments: dict[str, Any],
        *,
        key: str = "",
        sink: Sink | None = None,
        seconds: float | None = None,
    ) -> tuple[dict[str, Any], list[bytes]]:
        for attempt in range(2):
            with self.child() as child:
                was_fresh = child.files == 0
                try:
                    return child.ask(operation, source, arguments, seconds or self._seconds, key=key, sink=sink)
                except ChildSlow:
                    child.kill()
                    raise FileProblem(ProblemCode.TOO_SLOW) from None
                except ChildLost:
                    child.kill()
                    _LOG.warning("a file reader ended early", extra={"attempt": attempt, "fresh": was_fresh})
                    if was_fresh or sink is not None:
                        break  # else an earlier file may be to blame: once more in a new child
                except BaseException:
                    child.kill()  # the source failed in the middle of an exchange
                    raise
        raise FileProblem(ProblemCode.UNSAFE)

    @contextmanager
    def child(self) -> Iterator[Child]:
        """One of the children, for as long as the block runs. Raises FileProblem once the pool is closed."""
        if self._closed.is_set():
            raise FileProblem(ProblemCode.UNSAFE)
        child = self._slots.get()
        try:
            if child is None or not child.is_usable():
                if child is not None:
                    child.kill()
                child = None
                child = Child()
            yield child
        finally:
            self._slots.put(child if child is not None and child.is_usable() else None)
