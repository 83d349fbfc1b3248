"""Documents and surfaces that come wrapped in DICOM (PS3.3 A.45 encapsulated PDF, A.104 encapsulated STL)."""

from typing import Any, Final

from activities.imaging.parser.dicom import Opened, examine_enclosing
from activities.imaging.parser.kinds import kind_of
from activities.imaging.parser.pdf import examine_document
from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.source import Bytes
from activities.imaging.parser.surfaces import examine_surface
from schemas.files import FileKind

_KINDS: Final = {"1.2.840.10008.5.1.4.1.1.104.1": FileKind.DOCUMENT, "1.2.840.10008.5.1.4.1.1.104.3": FileKind.SURFACE}


class _Part:
    """A run of a file's bytes as a file of its own."""

    key = ""

    def __init__(self, source: Bytes, offset: int, length: int) -> None:
        self.size = length
        self._source = source
        self._offset = offset

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length < 0 or offset + length > self.size:
            raise FileProblem(ProblemCode.TRUNCATED)
        return self._source.read_at(self._offset + offset, length)


def examine_enclosed(opened: Opened) -> tuple[dict[str, Any], bytes] | None:
    """The answer for one, with the place of what it holds as its only range; None for an image.

    Raises FileProblem for what would not be taken without its wrapping either.
    """
    wanted = _KINDS.get(str(opened.dataset.get("SOPClassUID") or ""))
    place = opened.structure.enclosed
    if wanted is None or opened.structure.pixels is not None:
        return None
    if place is None or opened.structure.inflated:
        raise FileProblem(ProblemCode.NO_PIXEL_DATA)
    offset, length = place
    stated = opened.dataset.get("EncapsulatedDocumentLength")
    if isinstance(stated, int) and 0 < stated < length:
        length = stated
    part = _Part(opened.structure.source, offset, length)
    if wanted == FileKind.SURFACE and length % 2 == 0 and kind_of(part) != FileKind.SURFACE:
        part = _Part(opened.structure.source, offset, length - 1)  # made even with a zero (PS3.5 §6.2)
    if kind_of(part) != wanted:
        raise FileProblem(ProblemCode.DAMAGED)
    facts = examine_document(part) if wanted == FileKind.DOCUMENT else examine_surface(part)
    dicom, metadata = examine_enclosing(opened, [offset, part.size])
    return {"kind": wanted, "photo": facts, "dicom": dicom}, metadata
