"""A child's answer, a JSON object and large values beside it, as a result. One that does not hold together is the file's
problem: no child of ours gives it, save one that a file took over."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.results import BareCopy, DicomFacts, Examined, PhotoFacts, Picture, metadata_object
from schemas.files import FileKind

Facts = dict[str, Any]


@contextmanager
def _doubted() -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        raise FileProblem(ProblemCode.UNSAFE) from None


def raise_problem(facts: Facts) -> None:
    """Raises FileProblem when the answer is one."""
    with _doubted():
        code = ProblemCode(facts["problem"]) if facts.get("problem") else None
    if code is not None:
        raise FileProblem(code)


def picture_of(facts: Facts, blobs: list[bytes]) -> Picture:
    """Raises FileProblem."""
    raise_problem(facts)
    with _doubted():
        return Picture(image=_jpeg(blobs[0]), width=facts["width"], height=facts["height"])


def bare_copy_of(facts: Facts, blobs: list[bytes], size: int) -> BareCopy:
    """Of a file of ``size`` bytes. Raises FileProblem."""
    raise_problem(facts)
    with _doubted():
        return _bare(facts, blobs, size)


def examined_of(facts: Facts, blobs: list[bytes], size: int) -> Examined:
    """Of a file of ``size`` bytes; with the problem in it, where it has one. Raises FileProblem."""
    with _doubted():
        return _examined(facts, blobs, size)


def _jpeg(image: bytes) -> bytes:
    if not image.startswith(b"\xff\xd8\xff"):
        raise ValueError("not a JPEG")
    return image


def _bare(facts: dict[str, Any], blobs: list[bytes], size: int) -> BareCopy:
    if not facts["pieces"]:
        return BareCopy(drawn=_jpeg(blobs[0]))
    pieces: list[tuple[int, int] | bytes] = []
    for piece in facts["pieces"]:
        if isinstance(piece, str):
            pieces.append(base64.b64decode(piece, validate=True))
            continue
        offset, length = piece
        if length < 1 or offset < -1 or length > size or (offset >= 0 and offset + length > size):
            raise ValueError("a piece outside of the file")
        last = pieces[-1] if pieces else b""
        if offset >= 0 and isinstance(last, tuple) and last[0] >= 0 and last[0] + last[1] == offset:
            pieces[-1] = (last[0], last[1] + length)  # one read of the storage instead of two
            continue
        pieces.append((offset, length))
    copy = BareCopy(pieces=tuple(pieces))
    if copy.size > 2 * size + (1 << 16):
        raise ValueError("larger than its file")
    return copy


def _examined(facts: dict[str, Any], blobs: list[bytes], size: int) -> Examined:
    if facts.get("problem"):
        return Examined(kind=facts["kind"], problem=facts["problem"])
    dicom = DicomFacts.model_validate(facts["dicom"]) if "dicom" in facts else None
    photo = PhotoFacts.model_validate(facts["photo"]) if "photo" in facts else None
    metadata = b""
    if dicom is not None:
        metadata = blobs[0]
        metadata_object(metadata)
        if not dicom.within(size):
            raise ValueError("a frame outside of the file")
    match FileKind(facts["kind"]):
        case FileKind.DICOM:
            if dicom is None or dicom.frames < 1 or dicom.rows < 1 or dicom.columns < 1:
                raise ValueError("an image without pixels")
            return Examined(kind=FileKind.DICOM, dicom=dicom, metadata=metadata)
        case FileKind.PHOTO:
            return Examined(kind=FileKind.PHOTO, photo=photo, preview=_jpeg(blobs[0]))
        case FileKind.ARCHIVE:
            archive = Examined(kind=FileKind.ARCHIVE, members=facts["members"], left_out=facts["left_out"])
            if any(member.end > size for member in archive.members):
                raise ValueError("an entry outside of the file")
            return archive
        case FileKind.DIRECTORY:
            return Examined(kind=FileKind.DIRECTORY, listed=facts["listed"])
        case FileKind.DOCUMENT | FileKind.SURFACE as kind:
            if photo is None or (dicom is not None and (dicom.frames or not dicom.ranges)):
                raise ValueError("neither a document nor a surface")
            return Examined(kind=kind, photo=photo, dicom=dicom, metadata=metadata)
        case kind:
            raise ValueError(f"{kind} says nothing of a file without a problem")
