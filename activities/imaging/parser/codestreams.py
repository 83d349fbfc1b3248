"""The headers of compressed frames, read without decoding them."""

import struct
from dataclasses import dataclass
from typing import Final

from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.source import Bytes

_JPEG_LS: Final = 0xF7
_NO_FRAME_HEADERS: Final = frozenset({0xC4, 0xC8, 0xCC})
"""Among C0 to CF: Huffman tables, a reserved marker, arithmetic conditioning (ISO/IEC 10918-1 table B.1)."""


@dataclass(frozen=True, slots=True)
class FrameHeader:
    rows: int
    columns: int
    precision: int
    components: int
    lossless: bool


def jpeg_header(source: Bytes, offset: int, length: int, *, ls: bool) -> FrameHeader:
    """The frame header (ISO/IEC 10918-1 B.2.2; SOF55 for JPEG-LS, ISO/IEC 14495-1 C.2.2) of a codestream.

    Raises FileProblem (syntax mismatch) when there is none of the wanted family.
    """
    position, end = offset + 2, offset + length
    if length < 4 or source.read_at(offset, 2) != b"\xff\xd8":
        raise FileProblem(ProblemCode.SYNTAX_MISMATCH)
    for _ in range(200):
        if position + 10 > end:
            break
        marker = source.read_at(position, 10)
        if marker[0] != 0xFF:
            break
        code = marker[1]
        if code == 0xFF:
            position += 1
            continue
        if code == _JPEG_LS or (0xC0 <= code <= 0xCF and code not in _NO_FRAME_HEADERS):
            if (code == _JPEG_LS) != ls:
                break
            precision, rows, columns, components = struct.unpack_from(">BHHB", marker, 4)
            return FrameHeader(rows, columns, precision, components, lossless=code == 0xC3)
        position += 2 + int.from_bytes(marker[2:4], "big")
    raise FileProblem(ProblemCode.SYNTAX_MISMATCH)


def jpeg_2000_header(head: bytes) -> FrameHeader:
    """The SIZ marker (ISO/IEC 15444-1 A.5.1); the JP2 wrapper that some writers leave on is skipped.

    All components must be as large and as deep as the first: what DICOM allows, and what the decoder makes room for.
    """
    start = head.find(b"\xff\x4f\xff\x51")
    wrapped = head.startswith(b"\x00\x00\x00\x0cjP  ")
    if start < 0 or (start > 0 and not wrapped) or len(head) < start + 45:
        raise FileProblem(ProblemCode.SYNTAX_MISMATCH)
    right, bottom, left, top = struct.unpack_from(">4I", head, start + 8)
    (components,) = struct.unpack_from(">H", head, start + 40)
    return FrameHeader(bottom - top, right - left, (head[start + 42] & 0x7F) + 1, components, lossless=False)
