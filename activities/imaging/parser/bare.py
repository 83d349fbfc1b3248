"""A photograph's file without what its camera wrote about place, owner and device: which bytes of it may go out.

The pixels stay as they are, bit for bit: the file is taken apart at its own seams, and only parts that are known to be of
the picture are kept. So what is left out needs not be known: Exif with its GPS and maker notes, XMP, IPTC, comments,
previews, and whatever lies behind the end of the picture. The orientation is written anew.

The answer is a list of pieces in their order: ``[offset, length]`` of the file, ``[-1, length]`` for zeros, or base64.
"""

import base64
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Final

from activities.imaging.parser.limits import READ_BYTES
from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.source import Bytes

Piece = list[int] | str
_MAX_PIECES: Final = 100_000

_PNG_KEPT: Final = frozenset(
    b"IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB bKGD hIST pHYs sPLT cICP mDCV cLLI acTL fcTL fdAT".split()
)
"""Chunks of the picture and its colours (PNG, third edition, clause 11)."""
_WEBP_KEPT: Final = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_WEBP_FRAME: Final = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_JPEG_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""The end of a scan: a marker that is neither a stuffed byte nor a restart (ITU-T T.81, B.1.1)."""


def literal(content: bytes) -> str:
    return base64.b64encode(content).decode()


def orientation_block(orientation: int) -> bytes:
    """The smallest TIFF structure that says how the picture is held, and nothing else (Exif 2.32, 4.6.4)."""
    return struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def bare_jpeg(source: Bytes, orientation: int) -> list[Piece]:
    pieces: list[Piece] = [literal(b"\xff\xd8")]
    turned = b"Exif\0\0" + orientation_block(orientation)
    turned = b"" if orientation == 1 else b"\xff\xe1" + struct.pack(">H", len(turned) + 2) + turned
    position = 2
    while True:
        marker = source.read_at(position, 2)
        if marker[0] != 0xFF:
            raise FileProblem(ProblemCode.DAMAGED)
        code = marker[1]
        if code == 0xFF:  # a fill byte
            position += 1
            continue
        if code == 0xD9:
            pieces.append(literal(marker))
            return _bounded(pieces)
        length = int.from_bytes(source.read_at(position + 2, 2), "big")
        if length < 2:
            raise FileProblem(ProblemCode.DAMAGED)
        end = position + 2 + length
        if turned and code != 0xE0:  # the density comes first (ITU-T T.871, 10.1)
            pieces.append(literal(turned))
            turned = b""
        kept = _jpeg_segment(source, position, code, length)
        if kept is not None:
            pieces.append(kept)
        if code == 0xDA:
            scan_end = _end_of_scan(source, end)
            pieces.append([end, scan_end - end])
            end = scan_end
        position = end


def _jpeg_segment(source: Bytes, position: int, code: int, length: int) -> Piece | None:
    """Tables, frames and scans; of the application's segments the colour space, the profile and the density."""
    head = source.read_at(position + 4, min(12, length - 2))
    if code == 0xE0 and head.startswith(b"JFIF\0") and len(head) == 12:
        return literal(b"\xff\xe0\x00\x10" + head + b"\0\0")  # without the small picture
    if code == 0xE2 and head == b"ICC_PROFILE\0":
        return [position, 2 + length]
    if code == 0xEE and head.startswith(b"Adobe") and length == 14:
        return [position, 2 + length]
    if code == 0xFE or 0xE0 <= code <= 0xEF:
        return None
    return [position, 2 + length]


def _end_of_scan(source: Bytes, start: int) -> int:
    position = start
    while position < source.size:
        piece = source.read_at(position, min(READ_BYTES, source.size - position))
        found = _JPEG_MARKER.search(piece)
        if found is not None:
            return position + found.start()
        # A marker's first byte may be the last of this piece.
        position += len(piece) - (1 if piece.endswith(b"\xff") and len(piece) > 1 else 0)
    raise FileProblem(ProblemCode.TRUNCATED)


def bare_png(source: Bytes, orientation: int) -> list[Piece]:
    pieces: list[Piece] = [[0, 8]]
    position = 8
    while True:
        length, kind = struct.unpack(">I4s", source.read_at(position, 8))
        end = position + 12 + length
        if end > source.size:
            raise FileProblem(ProblemCode.TRUNCATED)
        if kind in _PNG_KEPT:
            pieces.append([position, 12 + length])
        if kind == b"IHDR" and orientation != 1:
            body = b"eXIf" + orientation_block(orientation)
            pieces.append(literal(struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))))
        if kind == b"IEND":
            return _bounded(pieces)
        position = end


def bare_webp(source: Bytes, orientation: int) -> list[Piece]:
    end = min(source.size, 8 + int.from_bytes(source.read_at(4, 4), "little"))
    pieces: list[Piece] = []
    is_extended = False
    for kind, start, length in _chunks(source, 12, end):
        if kind == b"VP8X":
            is_extended = True
            flags, rest = source.read_at(start, 1)[0], source.read_at(start + 1, length - 1)
            flags = flags & ~0x0C | (0x08 if orientation != 1 else 0)
            pieces.append(literal(b"VP8X" + struct.pack("<I", length) + bytes([flags]) + rest))
        elif kind == b"ANMF":
            inner: list[Piece] = [[start, 16]]
            for each, at, size in _chunks(source, start + 16, start + length):
                if each in _WEBP_FRAME:
                    inner += _padded(at, size)
            pieces += [literal(b"ANMF" + struct.pack("<I", length_of(inner))), *inner]
        elif kind in _WEBP_KEPT:
            pieces += _padded(start, length)
    if is_extended and orientation != 1:
        body = orientation_block(orientation)
        pieces.append(literal(b"EXIF" + struct.pack("<I", len(body)) + body))
    return _bounded([literal(b"RIFF" + struct.pack("<I", 4 + length_of(pieces)) + b"WEBP"), *pieces])


def _padded(start: int, length: int) -> list[Piece]:
    """A chunk with its head; the byte that makes an odd one even is a zero of ours."""
    return [[start - 8, 8 + length], *([[-1, 1]] if length % 2 else [])]


def _chunks(source: Bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    position = start
    while position + 8 <= end:
        kind, length = struct.unpack("<4sI", source.read_at(position, 8))
        if position + 8 + length > end:
            raise FileProblem(ProblemCode.TRUNCATED)
        yield kind, position + 8, length
        position += 8 + length + length % 2


def length_of(pieces: list[Piece]) -> int:
    return sum(len(base64.b64decode(piece)) if isinstance(piece, str) else piece[1] for piece in pieces)


def _bounded(pieces: list[Piece]) -> list[Piece]:
    if len(pieces) > _MAX_PIECES:
        raise FileProblem(ProblemCode.OVER_LIMITS)
    return pieces
