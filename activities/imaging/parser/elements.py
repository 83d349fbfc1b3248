"""Data elements, items and fragments (PS3.5 §7 and §A.4), walked without trusting a length in them."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from activities.imaging.parser.limits import MAX_DEPTH, MAX_ELEMENTS, MAX_FRAGMENTS
from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.source import Bytes

PIXEL_DATA: Final = 0x7FE00010
PIXEL_TAGS: Final = frozenset({0x7FE00008, 0x7FE00009, PIXEL_DATA})
_UNDEFINED: Final = 0xFFFFFFFF
_ITEM: Final = 0xFFFEE000
_ITEM_END: Final = 0xFFFEE00D
_SEQUENCE_END: Final = 0xFFFEE0DD
_LONG_FORM: Final = frozenset(
    {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
)
"""VRs with a four-byte length (PS3.5 table 7.1-1)."""


@dataclass(frozen=True, slots=True)
class Encoding:
    explicit: bool
    little: bool


@dataclass(frozen=True, slots=True)
class Element:
    """``start`` and ``end`` bound the whole element; ``value`` is where its value begins."""

    tag: int
    vr: bytes | None
    start: int
    value: int
    length: int
    end: int

    @property
    def undefined(self) -> bool:
        return self.length == _UNDEFINED


def is_vr(two: bytes) -> bool:
    return two.isalpha() and two.isupper()


def read_element(source: Bytes, position: int, encoding: Encoding) -> Element:
    order = "<" if encoding.little else ">"
    first = source.read_at(position, 8)
    group, number = struct.unpack_from(order + "HH", first)
    tag = (group << 16) | number
    vr: bytes | None = None
    value = position + 8
    if group == 0xFFFE or not encoding.explicit or not is_vr(first[4:6]):
        (length,) = struct.unpack_from(order + "I", first, 4)
    else:
        vr = first[4:6]
        if vr in _LONG_FORM:
            (length,) = struct.unpack(order + "I", source.read_at(position + 8, 4))
            value = position + 12
        else:
            (length,) = struct.unpack_from(order + "H", first, 6)
    return Element(tag, vr, position, value, length, value if length == _UNDEFINED else value + length)


def elements(source: Bytes, start: int, encoding: Encoding) -> Iterator[Element]:
    """Elements of the top level, each within the file. Tags must grow (PS3.5 §7.1): else the walk lost its way."""
    position = start
    previous = -1
    while position < source.size:
        if source.size - position < 8:
            # Some writers pad a file to an even length or to a block.
            if source.read_at(position, source.size - position).strip(b"\0"):
                raise FileProblem(ProblemCode.TRUNCATED)
            return
        element = read_element(source, position, encoding)
        if element.tag == 0 and previous >= PIXEL_DATA:
            return
        if element.tag >> 16 == 0xFFFE or element.tag <= previous:
            raise FileProblem(ProblemCode.DAMAGED)
        if element.undefined:
            end = element.value if element.tag in PIXEL_TAGS else _end_of_sequence(source, element, encoding)
            element = Element(element.tag, element.vr, element.start, element.value, element.length, end)
        elif element.end > source.size:
            raise FileProblem(ProblemCode.TRUNCATED)
        yield element
        previous = element.tag
        if element.tag in PIXEL_TAGS and element.undefined:
            return  # what may follow encapsulated pixels (padding, signatures) is not needed
        position = element.end


_Level = tuple[str, int | None, Encoding]
"""An open sequence or item: which of the two, where it ends if that is stated, and how it is encoded."""


def _end_of_sequence(source: Bytes, element: Element, encoding: Encoding) -> int:
    """Where a sequence of undefined length ends. Keeps a stack of its own: nesting cannot exhaust the interpreter's."""
    position = element.value
    stack: list[_Level] = [("sequence", None, _inside(element, encoding))]
    steps = 0
    while stack:
        steps += 1
        if len(stack) > MAX_DEPTH or steps > MAX_ELEMENTS * 10:
            raise FileProblem(ProblemCode.OVER_LIMITS)
        kind, end, inner = stack[-1]
        if end is not None and position >= end:
            if position > end:
                raise FileProblem(ProblemCode.DAMAGED)
            stack.pop()
            continue
        found = read_element(source, position, inner)
        if not found.undefined and found.end > source.size:
            raise FileProblem(ProblemCode.TRUNCATED)
        position = _next_item(found, stack) if kind == "sequence" else _next_in_item(source, found, stack)
    return position


def _next_item(found: Element, stack: list[_Level]) -> int:
    if found.tag == _SEQUENCE_END:
        stack.pop()
    elif found.tag == _ITEM:
        stack.append(("item", None if found.undefined else found.end, stack[-1][2]))
    else:
        raise FileProblem(ProblemCode.DAMAGED)
    return found.value


def _next_in_item(source: Bytes, found: Element, stack: list[_Level]) -> int:
    encoding = stack[-1][2]
    if found.tag == _ITEM_END:
        stack.pop()
        return found.value
    if not found.undefined:
        return found.end
    if found.vr in {b"OB", b"OW"}:
        return fragments(source, found.value, encoding)[1]  # an icon's encapsulated pixels
    stack.append(("sequence", None, _inside(found, encoding)))
    return found.value


def _inside(element: Element, encoding: Encoding) -> Encoding:
    """Inside UN the encoding is implicit little endian (PS3.5 §6.2.2 note 4)."""
    return Encoding(explicit=False, little=True) if element.vr == b"UN" else encoding


def fragments(source: Bytes, position: int, encoding: Encoding) -> tuple[list[tuple[int, int]], int]:
    """(offset, length) of each item, the offset table first, and the position after the delimiter."""
    items: list[tuple[int, int]] = []
    while True:
        item = read_element(source, position, encoding)
        if item.tag == _SEQUENCE_END:
            return items, item.value
        if item.tag != _ITEM or item.undefined or len(items) > MAX_FRAGMENTS:
            raise FileProblem(ProblemCode.DAMAGED)
        if item.end > source.size:
            raise FileProblem(ProblemCode.TRUNCATED)
        items.append((item.value, item.length))
        position = item.end
