"""Deflated content (RFC 1951) read at random without being held as a whole: places where inflating can start anew."""

import zlib
from dataclasses import dataclass
from typing import Any, Final

from activities.imaging.parser.limits import HEAD_BYTES, MAX_INFLATED, READ_BYTES, RESTART_BYTES
from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.source import Bytes, RangedFile

_FEED: Final = 16 * 1024
"""Compressed bytes given to zlib at once: what it leaves of them is kept with each place to start from."""


@dataclass(slots=True)
class _Place:
    """``inflater`` has given ``out`` bytes; the next compressed bytes for it are at ``position``."""

    out: int
    position: int
    inflater: Any


class _Inflating:
    """Goes through a deflated stream, forward from any place that it passed once."""

    def __init__(self, source: Bytes, start: int) -> None:
        self._source = source
        self._places = [_Place(0, start, zlib.decompressobj(-zlib.MAX_WBITS))]
        self._here = self._start_at(self._places[0])
        self.head = b""
        self.size = self._pass_through()

    def fetch(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes of the inflated content, which has them."""
        before = max((place for place in self._places if place.out <= offset), key=lambda place: place.out)
        if not before.out <= self._here.out <= offset:
            self._here = self._start_at(before)
        while self._here.out < offset:
            self._some(min(offset - self._here.out, READ_BYTES))
        wanted = bytearray()
        while len(wanted) < length:
            wanted += self._some(min(length - len(wanted), READ_BYTES))
        return bytes(wanted)

    def _some(self, length: int) -> bytes:
        piece = self._next(length)
        if not piece:
            raise FileProblem(ProblemCode.TRUNCATED)
        return piece

    def _pass_through(self) -> int:
        """The whole stream once: its size, bounded, and the places on the way. Raises FileProblem."""
        while piece := self._next(READ_BYTES):
            if len(self.head) < HEAD_BYTES:
                self.head += piece[:HEAD_BYTES]
            if self._here.out > MAX_INFLATED:
                raise FileProblem(ProblemCode.OVER_LIMITS)
            if self._here.out - self._places[-1].out >= RESTART_BYTES and not self._here.inflater.eof:
                self._places.append(self._start_at(self._here))
        if not self._here.inflater.eof:
            raise FileProblem(ProblemCode.TRUNCATED)
        return self._here.out

    @staticmethod
    def _start_at(place: _Place) -> _Place:
        return _Place(place.out, place.position, place.inflater.copy())

    def _next(self, length: int) -> bytes:
        """Some of the next ``length`` bytes; none only at the end of the stream or of the file."""
        here = self._here
        while not here.inflater.eof:
            left = min(_FEED, self._source.size - here.position)
            # Without input zlib may still have output that it held back.
            piece = self._source.read_at(here.position, left) if left else b""
            try:
                out: bytes = here.inflater.decompress(piece, length)
            except zlib.error:
                raise FileProblem(ProblemCode.DAMAGED) from None
            here.position += left - len(here.inflater.unconsumed_tail)
            if out:
                here.out += len(out)
                return out
            if not left:
                break
        return b""


class InflatedFile(RangedFile):
    """The inflated content of a deflated stream that begins at ``start`` of a source. Raises FileProblem."""

    def __init__(self, source: Bytes, start: int) -> None:
        inflating = _Inflating(source, start)
        super().__init__(inflating.size, inflating.head, inflating.fetch)


class _Kept:
    """The last deflated file with a name: frames are asked for one by one, and each would inflate it anew."""

    key = ""
    file: InflatedFile | None = None


_kept: Final = _Kept()


def inflated(source: Bytes, start: int) -> InflatedFile:
    """The file's inflated content; that of the last named source is remembered. Raises FileProblem."""
    if source.key and source.key == _kept.key and _kept.file is not None:
        return _kept.file
    _kept.key, _kept.file = "", None  # one at a time
    file = InflatedFile(source, start)
    if source.key:
        _kept.key, _kept.file = source.key, file
    return file
