"""What the fuzzers drive: the reader's own code over bytes in memory, without its process around it."""

from contextlib import suppress

from activities.imaging.parser import dicom, kinds, surfaces
from activities.imaging.parser.decoding import decode
from activities.imaging.parser.frames import describe, frame_ranges
from activities.imaging.parser.problems import FileProblem
from activities.imaging.parser.source import MemoryFile
from activities.imaging.parser.structure import walk
from schemas.files import FileKind

_PIXELS: int = 1 << 20
"""Frames above it are not decoded here: the decoders' bounds have tests of their own."""


def read(content: bytes) -> None:
    """Raises what is a defect: anything but FileProblem from our own code, a place outside of the file, a decoded frame
    of another size than stated. What pydicom raises at broken values is the child's to catch, and left alone."""
    source = MemoryFile(content)
    with suppress(FileProblem):
        kinds.kind_of(source)
        kinds.archive_kind(source)
    with suppress(FileProblem):
        if kinds.kind_of(source) == FileKind.SURFACE:
            surfaces.examine_surface(source)
    with suppress(FileProblem):
        _read_dicom(source)


def _read_dicom(source: MemoryFile) -> None:
    structure = walk(source)
    if structure is None:
        return
    opened = _attributes(source)
    if opened is None or opened.structure.pixels is None:
        return
    description = describe(opened.dataset)
    ranges = frame_ranges(opened.structure, description)
    for parts in ranges:
        for offset, length in zip(parts[::2], parts[1::2], strict=True):
            assert 0 <= offset <= offset + length <= opened.structure.source.size
    if description.rows * description.columns <= _PIXELS:
        pixels = decode(opened, 0, None)
        assert pixels.shape[:2] == (description.rows, description.columns)


def _attributes(source: MemoryFile) -> dicom.Opened | None:
    try:
        return dicom.open_dicom(source)
    except FileProblem:
        raise
    except Exception:  # pydicom's
        return None
