"""Surface scans in the child: STL and PLY, looked at as far as is needed to say how many triangles they hold."""

import re
from typing import Any, Final

from activities.imaging.parser.kinds import is_binary_stl
from activities.imaging.parser.limits import READ_BYTES
from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.source import Bytes

_MAX_HEADER: Final = 64 * 1024
_ELEMENT: Final = re.compile(rb"^element\s+(\w+)\s+(\d{1,12})\s*$")
_FORMATS: Final = frozenset({b"ascii", b"binary_little_endian", b"binary_big_endian"})


def examine_surface(source: Bytes) -> dict[str, Any]:
    """Format and number of triangles (of a PLY: faces). Raises FileProblem for one that is cut off or states nonsense."""
    head = source.read_at(0, min(source.size, 1024))
    if head.startswith((b"ply\n", b"ply\r\n")):
        return {"format": "PLY", "triangles": _faces_of_ply(source)}
    if is_binary_stl(head, source.size):
        return {"format": "STL", "triangles": int.from_bytes(head[80:84], "little")}
    return {"format": "STL", "triangles": _facets_of_text(source)}


def _facets_of_text(source: Bytes) -> int:
    """Counts the facets of an ASCII STL, which ends with ``endsolid``."""
    facets, carry = 0, b""
    for position in range(0, source.size, READ_BYTES):
        piece = carry + source.read_at(position, min(READ_BYTES, source.size - position))
        if b"\0" in piece:
            raise FileProblem(ProblemCode.DAMAGED)
        facets += piece.count(b"endfacet")
        # What may be the beginning of a word is looked at again with the next piece, and only there.
        carry = piece[-7:]
    tail = source.read_at(source.size - min(source.size, 1024), min(source.size, 1024))
    if b"endsolid" not in tail or facets == 0:
        raise FileProblem(ProblemCode.TRUNCATED)
    return facets


def _faces_of_ply(source: Bytes) -> int:
    header = source.read_at(0, min(source.size, _MAX_HEADER))
    end = header.find(b"end_header")
    if end < 0:
        raise FileProblem(ProblemCode.DAMAGED)
    lines = [line.strip() for line in header[:end].splitlines()]
    words = next((line.split() for line in lines if line.startswith(b"format ")), [])
    if len(words) < 2 or words[1] not in _FORMATS:
        raise FileProblem(ProblemCode.DAMAGED)
    counts = {found[1]: int(found[2]) for found in map(_ELEMENT.match, lines) if found}
    points, faces = counts.get(b"vertex", 0), counts.get(b"face", 0)
    # A vertex has three numbers, a face a count and three indices: of a byte each at the very least.
    if points == 0 or source.size - end < 3 * points + 4 * faces:
        raise FileProblem(ProblemCode.TRUNCATED)
    return faces
