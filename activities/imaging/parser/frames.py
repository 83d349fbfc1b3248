"""Where each frame of an instance lies in its file, checked against what the attributes say."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from activities.imaging.parser.codestreams import jpeg_2000_header, jpeg_header
from activities.imaging.parser.elements import PIXEL_DATA
from activities.imaging.parser.limits import MAX_FRAME_BYTES, MAX_FRAMES
from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.source import Bytes
from activities.imaging.parser.structure import PixelData, Structure
from activities.imaging.parser.syntaxes import EXPLICIT_BE, NATIVE, Coding, syntax_of

_COLOURS: Final = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
"""Photometric interpretations of three samples (PS3.3 C.7.6.3.1.2) without the retired ones."""

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
    except Exception:  # an attribute is missing, or pydicom reads its value only now and raises what comes
        raise FileProblem(ProblemCode.PIXEL_DESCRIPTION) from None
    if (
        not (0 < description.rows <= 65535 and 0 < description.columns <= 65535)
        or description.samples not in {1, 3, 4}
        or description.bits_allocated not in {1, 8, 16, 32, 64}
        or not 0 < description.bits_stored <= description.bits_allocated
        or description.frames < 1
    ):
        raise FileProblem(ProblemCode.PIXEL_DESCRIPTION)
    if description.bits_allocated == 64:
        raise FileProblem(ProblemCode.FLOAT_PIXELS)
    if description.samples == 4 or (description.samples == 3 and description.photometric not in _COLOURS):
        raise FileProblem(ProblemCode.UNSUPPORTED_COLOURS)
    if description.frames > MAX_FRAMES or description.decoded_bytes > MAX_FRAME_BYTES:
        raise FileProblem(ProblemCode.OVER_LIMITS)
    return description


def frame_ranges(structure: Structure, description: PixelDescription, *, checked: bool = True) -> Ranges:
    """Offset and length of every frame, or an empty list when a frame is no run of whole bytes of the file itself.

    ``checked`` False leaves out the look at each codestream. Raises FileProblem when syntax, pixel count or boundaries are not as stated.
    """
    pixels = structure.pixels
    if pixels is None:
        raise FileProblem(ProblemCode.NO_PIXEL_DATA)
    if pixels.tag != PIXEL_DATA:  # Float Pixel Data and Double Float Pixel Data (PS3.3 C.7.6.24, C.7.6.25)
        raise FileProblem(ProblemCode.FLOAT_PIXELS)
    native = structure.transfer_syntax in NATIVE
    syntax = syntax_of(structure.transfer_syntax)
    if syntax.coding is None:
        raise FileProblem(syntax.refusal)
    if native == pixels.encapsulated:
        raise FileProblem(ProblemCode.SYNTAX_MISMATCH)
    if native:
        return _native(structure, pixels, description)
    ranges = _encapsulated(structure, pixels, description, syntax.coding)
    if checked:
        for frame in ranges:
            _check_codestream(structure, frame, description, syntax.coding)
    return ranges


def _native(structure: Structure, pixels: PixelData, description: PixelDescription) -> Ranges:
    if pixels.length < (description.frame_bits * description.frames + 7) // 8:
        raise FileProblem(ProblemCode.PIXEL_COUNT)
    if structure.inflated or description.bits_allocated == 1 or swapped_bytes(structure, description):
        return []
    size = description.frame_bytes
    return [[pixels.offset + index * size, size] for index in range(description.frames)]


def swapped_bytes(structure: Structure, description: PixelDescription) -> bool:
    """Whether bytes are stored as words of big endian, two pixels changed over (PS3.5 §7.3)."""
    words = structure.pixels is not None and structure.pixels.words
    return words and description.bits_allocated == 8 and structure.transfer_syntax == EXPLICIT_BE


def _encapsulated(structure: Structure, pixels: PixelData, description: PixelDescription, coding: Coding) -> Ranges:
    fragments, frames = pixels.fragments, description.frames
    if len(fragments) < frames:
        raise FileProblem(ProblemCode.PIXEL_COUNT)
    if frames == 1:
        return [_joined(fragments)]
    if len(fragments) == frames:
        return [_joined([fragment]) for fragment in fragments]
    if coding is Coding.RLE:
        raise FileProblem(ProblemCode.PIXEL_COUNT)  # one fragment a frame (PS3.5 §A.4.2)
    starts = _by_table(pixels, frames)
    if not starts:
        if coding in {Coding.PLAIN, Coding.DEFLATED}:
            raise FileProblem(ProblemCode.FRAME_BOUNDARIES)
        starts = _by_end_markers(structure.source, fragments, frames)
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


def _check_codestream(structure: Structure, frame: list[int], description: PixelDescription, coding: Coding) -> None:
    """The codestream is of the stated family and of the stated size: a lie there is a bomb for whoever decodes it."""
    offset, length = frame[:2]
    if coding in {Coding.PLAIN, Coding.DEFLATED}:
        if coding is Coding.PLAIN and sum(frame[1::2]) < description.frame_bytes:
            raise FileProblem(ProblemCode.PIXEL_COUNT)
        return
    head = structure.source.read_at(offset, min(length, 2048))
    if coding is Coding.RLE:
        if len(head) < 64 or not 1 <= int.from_bytes(head[:4], "little") <= 15:
            raise FileProblem(ProblemCode.SYNTAX_MISMATCH)
        return
    if coding is Coding.JPEG_2000:
        header = jpeg_2000_header(head)
    else:
        header = jpeg_header(structure.source, offset, length, ls=coding is Coding.JPEG_LS)
    stated = (description.rows, description.columns, description.samples)
    if (header.rows, header.columns, header.components) != stated:
        raise FileProblem(ProblemCode.PIXEL_COUNT)
