"""A TIFF without what does not belong to its pictures: every byte that no tag of a picture points to becomes a zero.

Its parts point to each other by their places, so nothing is moved: the directories are written anew where they were,
shorter (TIFF 6.0, section 2).
"""

import struct
from typing import Final

from activities.imaging.parser.bare import Piece, literal
from activities.imaging.parser.limits import MIB
from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.source import Bytes

_WIDTHS: Final = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)
"""Bytes of a value by its type (TIFF 6.0, section 2; type 13 is a directory's place)."""
_PLACES: Final = {273: 279, 288: 289, 324: 325, 513: 514}
"""Tags with places of pixels → tags with the lengths at these places."""
_SUBDIRECTORIES: Final = 330
_KEPT: Final = frozenset(
    {254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 274, 277, 278, 279, 280, 281, 282, 283, 284, 286, 287}
    | {288, 289, 290, 291, 292, 293, 296, 297, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 326, 327, 328, 330}
    | {332, 334, 336, 338, 339, 340, 341, 342, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532}
    | {34675}
)
_MAX_DIRECTORIES: Final = 10_000
_MAX_ENTRIES: Final = 4096
_MAX_VALUES: Final = 16 * MIB


class _Tiff:
    def __init__(self, source: Bytes) -> None:
        self._source = source
        self._order = "<" if source.read_at(0, 2) == b"II" else ">"
        self.kept: list[tuple[int, int]] = [(0, 8)]
        self.written: dict[int, bytes] = {}
        self._values = 0

    def walk(self) -> None:
        waiting = [int(self._unpack("I", self._source.read_at(4, 4))[0])]
        while waiting:
            start = waiting.pop()
            if start == 0 or start in self.written:
                continue
            if len(self.written) >= _MAX_DIRECTORIES:
                raise FileProblem(ProblemCode.OVER_LIMITS)
            waiting += self._directory(start)

    def _unpack(self, form: str, content: bytes) -> tuple[int, ...]:
        return struct.unpack(self._order + form, content)

    def _directory(self, start: int) -> list[int]:
        """Keeps the picture's entries; returns the places of the next directory and of those within."""
        count = self._unpack("H", self._source.read_at(start, 2))[0]
        if count > _MAX_ENTRIES:
            raise FileProblem(ProblemCode.OVER_LIMITS)
        entries = self._source.read_at(start + 2, 12 * count)
        following = self._source.read_at(start + 2 + 12 * count, 4)
        kept, numbers = [], {}
        for index in range(count):
            entry = entries[12 * index : 12 * index + 12]
            tag, kind, values = self._unpack("HHI", entry[:8])
            width = _WIDTHS[kind] if kind < len(_WIDTHS) else 0
            if tag not in _KEPT or width == 0:
                continue
            length = width * values
            place = self._unpack("I", entry[8:])[0]
            if length > 4:
                self._keep(place, length)
            kept.append(entry if length > 4 else entry[: 8 + length] + bytes(4 - length))
            if tag in _PLACES or tag in _PLACES.values() or tag == _SUBDIRECTORIES:
                numbers[tag] = self._numbers(kind, values, place, entry[8:])
        for places, lengths in _PLACES.items():
            pairs = zip(numbers.get(places, ()), numbers.get(lengths, ()), strict=False)
            for place, length in pairs:
                self._keep(place, length)
        content = struct.pack(self._order + "H", len(kept)) + b"".join(kept) + following
        self.written[start] = content + bytes(12 * (count - len(kept)))
        return [*self._unpack("I", following), *numbers.get(_SUBDIRECTORIES, ())]

    def _numbers(self, kind: int, count: int, place: int, inline: bytes) -> tuple[int, ...]:
        letter = {1: "B", 3: "H", 4: "I", 13: "I"}.get(kind)
        if letter is None:
            raise FileProblem(ProblemCode.DAMAGED)
        length = _WIDTHS[kind] * count
        self._values += length
        if self._values > _MAX_VALUES:
            raise FileProblem(ProblemCode.OVER_LIMITS)
        content = inline[:length] if length <= 4 else self._source.read_at(place, length)
        return self._unpack(f"{count}{letter}", content)

    def _keep(self, offset: int, length: int) -> None:
        if offset + length > self._source.size:
            raise FileProblem(ProblemCode.TRUNCATED)
        if length:
            self.kept.append((offset, length))


def bare_tiff(source: Bytes) -> list[Piece]:
    """Pieces of the same length in all as the file. Raises FileProblem where it contradicts itself."""
    tiff = _Tiff(source)
    tiff.walk()
    parts = [(offset, length, None) for offset, length in tiff.kept]
    written = [(offset, len(content), content) for offset, content in tiff.written.items()]
    pieces: list[Piece] = []
    position = 0
    # What is written anew comes before what is kept, should both claim a place: a directory holds no picture.
    for offset, length, content in sorted([*written, *parts], key=lambda part: (part[0], part[2] is None)):
        end = offset + length
        if end <= position:
            continue
        if content is not None and offset < position:
            raise FileProblem(ProblemCode.DAMAGED)
        begin = max(offset, position)
        if begin > position:
            pieces.append([-1, begin - position])
        pieces.append([begin, end - begin] if content is None else literal(content))
        position = end
    if position < source.size:
        pieces.append([-1, source.size - position])
    return pieces
