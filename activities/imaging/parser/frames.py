"""Where each frame of an instance lies in its file, checked against what the attributes say."""

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from activities.imaging.parser.limits import MAX_FRAME_BYTES, MAX_FRAMES
from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.source import Bytes
from activities.imaging.parser.structure import NATIVE, PixelData, Structure

RLE: Final = "1.2.840.10008.1.2.5"
JPEG: Final = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70))
JPEG_LS: Final = frozenset({"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"})
JPEG_2000: Final = frozenset({"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"})
HTJ2K: Final = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (201, 202, 203))
ENCAPSULATED: Final = frozenset({RLE}) | JPEG | JPEG_LS | JPEG_2000 | HTJ2K
"""What can be decoded, here and in a browser (PS3.5 annex A)."""

Ranges = list[list[int]]
"""A list a frame: offset and length of each of its parts, in turn."""


@dataclass(frozen=True, slots=True)
class PixelDescription:
    """Image Pixel module (PS3.3 C.7.6.3)."""

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    photometric: str
    frames: int

    @property
    def frame_bits(self) -> int:
        samples = self.samples
        if self.photometric == "YBR_FULL_422" and samples == 3:
            samples = 2  # two pixels share their chrominance (PS3.3 C.7.6.3.1.2)
        return self.rows * self.columns * samples * self.bits_allocated

    @property
    def frame_bytes(self) -> int:
        return (self.frame_bits + 7) // 8

    @property
    def decoded_bytes(self) -> int:
        return self.rows * self.columns * self.samples * max(self.bits_allocated, 8) // 8


def describe(dataset: Any) -> PixelDescription:
    """Raises FileProblem when an attribute is missing or impossible."""
    try:
        description = PixelDescription(
            rows=int(dataset.Rows),
            columns=int(dataset.Columns),
            samples=int(dataset.get("SamplesPerPixel") or 1),
            bits_allocated=int(dataset.BitsAllocated),
            bits_stored=int(dataset.get("BitsStored") or dataset.BitsAllocated),
            photometric=str(dataset.get("PhotometricInterpretation") or "MONOCHROME2").strip().upper(),
            frames=int(dataset.get("NumberOfFrames") or 1),
        )
    except (AttributeError, TypeError, ValueError, IndexError):
        raise FileProblem(ProblemCode.PIXEL_DESCRIPTION) from None
    if (
        not (0 < description.rows <= 65535 and 0 < description.columns <= 65535)
        or description.samples not in {1, 3, 4}
        or description.bits_allocated not in {1, 8, 16, 32}
        or not 0 < description.bits_stored <= description.bits_allocated
        or description.frames < 1
    ):
        raise FileProblem(ProblemCode.PIXEL_DESCRIPTION)
    if description.frames > MAX_FRAMES or description.decoded_bytes > MAX_FRAME_BYTES:
        raise FileProblem(ProblemCode.OVER_LIMITS)
    return description


def frame_ranges(structure: Structure, description: PixelDescription) -> Ranges:
    """Offset and length of every frame, or an empty list when a frame is no run of whole bytes of the file itself.

    Raises FileProblem when syntax, pixel count or boundaries are not as stated.
    """
    pixels = structure.pixels
    if pixels is None or pixels.tag != 0x7FE00010:
        raise FileProblem(ProblemCode.NO_PIXEL_DATA)
    native = structure.transfer_syntax in NATIVE
    if native == pixels.encapsulated:
        raise FileProblem(ProblemCode.SYNTAX_MISMATCH)
    if native:
        return _native(structure, pixels, description)
    if structure.transfer_syntax not in ENCAPSULATED:
        raise FileProblem(ProblemCode.UNSUPPORTED_SYNTAX)
    ranges = _encapsulated(structure, pixels, description)
    for frame in ranges:
        _check_codestream(structure, frame, description)
    return ranges


def _native(structure: Structure, pixels: PixelData, description: PixelDescription) -> Ranges:
    if pixels.length < (description.frame_bits * description.frames + 7) // 8:
        raise FileProblem(ProblemCode.PIXEL_COUNT)
    if structure.inflated or description.bits_allocated == 1:
        return []
    size = description.frame_bytes
    return [[pixels.offset + index * size, size] for index in range(description.frames)]


def _encapsulated(structure: Structure, pixels: PixelData, description: PixelDescription) -> Ranges:
    fragments, frames = pixels.fragments, description.frames
    if len(fragments) < frames:
        raise FileProblem(ProblemCode.PIXEL_COUNT)
    if frames == 1:
        return [_joined(fragments)]
    if len(fragments) == frames:
        return [_joined([fragment]) for fragment in fragments]
    if structure.transfer_syntax == RLE:
        raise FileProblem(ProblemCode.PIXEL_COUNT)  # one fragment a frame (PS3.5 §A.4.2)
    starts = _by_table(pixels, frames) or _by_end_markers(structure.source, fragments, frames)
    bounds = [*starts, len(fragments)]
    return [_joined(fragments[first:last]) for first, last in pairwise(bounds)]


def _joined(fragments: list[tuple[int, int]]) -> list[int]:
    return [number for fragment in fragments for number in fragment]


def _by_table(pixels: PixelData, frames: int) -> list[int]:
    """Index of each frame's first fragment by the offset table; empty when the table does not fit the fragments."""
    if len(pixels.table) != frames:
        return []
    origin = pixels.fragments[0][0] - 8
    places = {offset - 8 - origin: index for index, (offset, _) in enumerate(pixels.fragments)}
    starts = [places.get(entry, -1) for entry in pixels.table]
    if starts[0] != 0 or any(after <= before for before, after in pairwise(starts)):
        return []
    return starts


def _by_end_markers(source: Bytes, fragments: list[tuple[int, int]], frames: int) -> list[int]:
    """Index of each frame's first fragment: a frame ends with its codestream's end marker, FF D9 in all JPEG families."""
    starts = [0]
    for index, (offset, length) in enumerate(fragments[:-1]):
        tail = min(length, 10)
        if b"\xff\xd9" in source.read_at(offset + length - tail, tail):
            starts.append(index + 1)
    if len(starts) != frames:
        raise FileProblem(ProblemCode.FRAME_BOUNDARIES)
    return starts


def _check_codestream(structure: Structure, frame: list[int], description: PixelDescription) -> None:
    """The codestream is of the stated family and of the stated size: a lie there is a bomb for whoever decodes it."""
    head = structure.source.read_at(frame[0], min(frame[1], 2048))
    syntax = structure.transfer_syntax
    if syntax == RLE:
        segments = int.from_bytes(head[:4], "little")
        if len(head) < 64 or not 1 <= segments <= 15:
            raise FileProblem(ProblemCode.SYNTAX_MISMATCH)
        return
    if syntax in JPEG_2000 | HTJ2K:
        size = _jpeg_2000_size(head)
    else:
        size = _jpeg_size(structure.source, frame, head, lossless_ls=syntax in JPEG_LS)
    if size != (description.rows, description.columns):
        raise FileProblem(ProblemCode.PIXEL_COUNT)


def _jpeg_2000_size(head: bytes) -> tuple[int, int]:
    """Rows and columns of the SIZ marker (ISO/IEC 15444-1 A.5.1); the JP2 wrapper that some writers leave on is skipped."""
    start = head.find(b"\xff\x4f\xff\x51")
    wrapped = head.startswith(b"\x00\x00\x00\x0cjP  ")
    if start < 0 or (start > 0 and not wrapped) or len(head) < start + 24:
        raise FileProblem(ProblemCode.SYNTAX_MISMATCH)
    right, bottom, left, top = struct.unpack_from(">4I", head, start + 8)
    return bottom - top, right - left


def _jpeg_size(source: Bytes, frame: list[int], head: bytes, *, lossless_ls: bool) -> tuple[int, int]:
    """Rows and columns of the frame header (ISO/IEC 10918-1 B.2.2; SOF55 for JPEG-LS, ISO/IEC 14495-1 C.2.2)."""
    if not head.startswith(b"\xff\xd8"):
        raise FileProblem(ProblemCode.SYNTAX_MISMATCH)
    position, end = frame[0] + 2, frame[0] + frame[1]
    for _ in range(200):
        if position + 9 > end:
            break
        marker = source.read_at(position, 9)
        if marker[0] != 0xFF:
            break
        code = marker[1]
        if code == 0xFF:
            position += 1
            continue
        if code == 0xF7 or (0xC0 <= code <= 0xCF and code not in {0xC4, 0xC8, 0xCC}):
            if (code == 0xF7) != lossless_ls:
                break
            rows, columns = struct.unpack_from(">HH", marker, 5)
            return rows, columns
        position += 2 + int.from_bytes(marker[2:4], "big")
    raise FileProblem(ProblemCode.SYNTAX_MISMATCH)
