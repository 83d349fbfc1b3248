"""Walks the structure of a DICOM file (PS3.10 §7, PS3.5 §7) without trusting a length in it.

pydicom believes declared lengths and inflates whatever it is given. So this walk comes first: it checks that every
element lies within the file, finds the pixel data, and copies the attributes, and only those, for pydicom to read.
"""

import struct
from dataclasses import dataclass, field
from typing import Final

from activities.imaging.parser.elements import PIXEL_TAGS, Element, Encoding, elements, fragments, is_vr, read_element
from activities.imaging.parser.inflating import inflated
from activities.imaging.parser.limits import (
    MAX_BULK,
    MAX_ELEMENTS,
    MAX_FRAGMENTS,
    MAX_HEADER,
    MAX_INLINE_BINARY,
    MAX_VALUE,
)
from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.source import Bytes
from activities.imaging.parser.syntaxes import DEFLATED_LE, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, NATIVE

_EXTENDED_OFFSETS: Final = 0x7FE00001
_EXTENDED_LENGTHS: Final = 0x7FE00002
_ENCLOSED: Final = 0x00420011
"""Encapsulated Document (PS3.3 C.24.2)."""


@dataclass(slots=True)
class PixelData:
    """Where the pixels are: one native value, or the fragments of an encapsulated one (PS3.5 §A.4).

    ``fragments`` are (offset, length) of their contents; ``table`` holds the basic or extended offset table's entries,
    relative to the first fragment's item.
    """

    tag: int
    offset: int
    length: int
    encapsulated: bool = False
    words: bool = False
    """Whether the value is one of 16-bit words (OW): bytes change places in big endian (PS3.5 §7.3)."""
    fragments: list[tuple[int, int]] = field(default_factory=list)
    table: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Structure:
    """What the walk found. ``header`` is a data set without bulk data, in ``encoding``; ``source`` holds the pixels:
    the file itself, or what was inflated from it."""

    transfer_syntax: str
    encoding: Encoding
    header: bytes
    source: Bytes
    pixels: PixelData | None
    inflated: bool
    enclosed: tuple[int, int] | None = None
    """Offset and length of an encapsulated document."""
    bulk: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Offset and length of other long values of the top level, by tag; none of what was inflated."""


def walk(source: Bytes, *, with_fragments: bool = True) -> Structure | None:
    """The structure of a DICOM file, or None when it is none.

    ``with_fragments`` False leaves out the walk over encapsulated pixel data. Raises FileProblem.
    """
    start = _start(source)
    if start is None:
        return None
    syntax, start = _file_meta(source, start)
    is_deflated = syntax == DEFLATED_LE
    if is_deflated:
        source, start = inflated(source, start), 0
    encoding = _encoding(source, start, syntax)
    if syntax is None or (syntax in NATIVE and not is_deflated):
        # Both little endian forms hold the same pixels; which one a file is in shows in its first element.
        syntax = EXPLICIT_BE if not encoding.little else EXPLICIT_LE if encoding.explicit else IMPLICIT_LE
    header = bytearray()
    pixels: PixelData | None = None
    table: list[int] = []
    enclosed: tuple[int, int] | None = None
    bulk: dict[int, tuple[int, int]] = {}
    for count, element in enumerate(elements(source, start, encoding)):
        if count > MAX_ELEMENTS:
            raise FileProblem(ProblemCode.OVER_LIMITS)
        if element.tag in PIXEL_TAGS:
            pixels = _pixel_data(source, element, encoding, walk_fragments=with_fragments)
        elif element.tag == _EXTENDED_OFFSETS:
            table = _offsets(source, element)
        elif element.tag == _ENCLOSED and not element.undefined:
            enclosed = (element.value, element.length)
        elif element.tag != _EXTENDED_LENGTHS and element.tag >> 16 not in {0x7FE0, 0xFFFC}:
            _keep(source, element, header)
            is_value = not element.undefined and element.vr != b"SQ"
            if is_value and element.length > MAX_INLINE_BINARY and len(bulk) < MAX_BULK and not is_deflated:
                bulk[element.tag] = (element.value, element.length)
    if pixels is not None and table:
        pixels.table = table
    return Structure(syntax, encoding, bytes(header), source, pixels, is_deflated, enclosed, bulk)


def _start(source: Bytes) -> int | None:
    """Where the file meta information begins, or the data set of a file without preamble."""
    if source.size >= 132 and source.read_at(128, 4) == b"DICM":
        return 132
    if source.size < 16:
        return None
    first = source.read_at(0, 8)
    group, _ = struct.unpack_from("<HH", first)
    if group == 0x0002 and first[4:6] == b"UL":
        return 0
    # Old files begin with the identifying group at once: (0008,0000) to (0008,0018) in any of the three encodings.
    group_big, element_big = struct.unpack_from(">HH", first)
    if group == 0x0008 or group_big == 0x0008:
        element = struct.unpack_from("<H", first, 2)[0] if group == 0x0008 else element_big
        length = struct.unpack_from("<I", first, 4)[0]
        if element in {0x0000, 0x0001, 0x0005, 0x0008, 0x0012, 0x0016, 0x0018} and (
            is_vr(first[4:6]) or length <= source.size
        ):
            return 0
    return None


def _file_meta(source: Bytes, start: int) -> tuple[str | None, int]:
    """Transfer syntax, as far as one is stated, and where the data set begins. Always explicit, little endian (PS3.10 §7.1)."""
    syntax: str | None = None
    position = start
    encoding = Encoding(explicit=True, little=True)
    while position + 8 <= source.size and source.read_at(position, 2) == b"\x02\x00":
        element = read_element(source, position, encoding)
        if element.undefined or element.end > source.size:
            raise FileProblem(ProblemCode.TRUNCATED)
        if element.tag == 0x00020010 and element.length <= 64:
            syntax = source.read_at(element.value, element.length).rstrip(b"\0 ").decode("ascii", "replace")
        position = element.end
    return syntax or None, position


def _encoding(source: Bytes, start: int, syntax: str | None) -> Encoding:
    if source.size < start + 8:
        raise FileProblem(ProblemCode.TRUNCATED)
    first = source.read_at(start, 8)
    explicit = is_vr(first[4:6])
    little = struct.unpack_from("<H", first)[0] <= struct.unpack_from(">H", first)[0]
    if syntax is not None and syntax not in NATIVE:
        return Encoding(explicit=True, little=True)
    return Encoding(explicit=explicit, little=little or not explicit)


def _pixel_data(source: Bytes, element: Element, encoding: Encoding, *, walk_fragments: bool) -> PixelData:
    if not element.undefined:
        return PixelData(element.tag, element.value, element.length, words=element.vr == b"OW")
    pixels = PixelData(element.tag, element.value, 0, encapsulated=True)
    if not walk_fragments:
        return pixels
    items, _ = fragments(source, element.value, encoding)
    if not items:
        raise FileProblem(ProblemCode.PIXEL_COUNT)
    offset, length = items[0]
    if length % 4 == 0 and length // 4 <= MAX_FRAGMENTS:
        pixels.table = list(struct.unpack(f"<{length // 4}I", source.read_at(offset, length)))
    pixels.fragments = items[1:]
    return pixels


def _offsets(source: Bytes, element: Element) -> list[int]:
    """Extended Offset Table (PS3.3 C.7.6.3.1.8): 64-bit offsets."""
    if element.undefined or element.length % 8 or element.length // 8 > MAX_FRAGMENTS:
        raise FileProblem(ProblemCode.DAMAGED)
    return list(struct.unpack(f"<{element.length // 8}Q", source.read_at(element.value, element.length)))


def _keep(source: Bytes, element: Element, header: bytearray) -> None:
    is_sequence = element.vr == b"SQ" or element.undefined
    size = element.end - element.start
    if not is_sequence and size > MAX_VALUE and not (element.vr is None and size <= MAX_HEADER):
        return
    if len(header) + size > MAX_HEADER:
        if is_sequence:
            raise FileProblem(ProblemCode.OVER_LIMITS)
        return
    header += source.read_at(element.start, size)
