"""What the confined process does with a file: facts for a JSON object, and large values beside them."""

from collections.abc import Callable
from typing import Any

from activities.imaging.parser import archive, dicom, directory, kinds, pdf, photos, pixels, surfaces
from activities.imaging.parser.decoding import decode as decode_frame
from activities.imaging.parser.enclosed import examine_enclosed
from activities.imaging.parser.pipe import Pipe
from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.source import Bytes, RangedFile
from activities.imaging.parser.syntaxes import NATIVE
from activities.imaging.parser.wire import Emit, Operation
from schemas.files import FileKind

Answer = tuple[dict[str, Any], list[bytes]]


def examine(source: Bytes, arguments: dict[str, Any], emit: Emit) -> Answer:
    if source.size == 0:
        raise FileProblem(ProblemCode.EMPTY)
    opened = dicom.open_dicom(source)
    if opened is not None:
        return _examine_dicom(opened)
    kind = kinds.kind_of(source)
    if kind == FileKind.PHOTO:
        facts = photos.examine_photo(source)
        preview, _, _ = photos.redraw(source, int(arguments["max_side"]), int(arguments["quality"]))
        return {"kind": kind, "photo": facts}, [preview]
    if kind == FileKind.DOCUMENT:
        return {"kind": kind, "photo": pdf.examine_document(source)}, []
    if kind == FileKind.SURFACE:
        return {"kind": kind, "photo": surfaces.examine_surface(source)}, []
    if kinds.is_avif(source.read_at(0, min(source.size, 256))):
        raise FileProblem(ProblemCode.AVIF)
    match kinds.archive_kind(source):
        case "zip":
            members, left_out = archive.list_archive(source, int(arguments["archive_bytes"]))
            return {"kind": FileKind.ARCHIVE, "members": members, "left_out": left_out}, []
        case None:
            raise FileProblem(ProblemCode.NOT_AN_IMAGE)
        case _:
            raise FileProblem(ProblemCode.ARCHIVE_KIND)


def _examine_dicom(opened: dicom.Opened) -> Answer:
    if directory.is_directory(opened):
        return {"kind": FileKind.DIRECTORY, "listed": directory.list_directory(opened)}, []
    enclosed = examine_enclosed(opened)
    if enclosed is not None:
        return enclosed[0], [enclosed[1]]
    facts, metadata = dicom.examine_dicom(opened)
    if opened.structure.transfer_syntax not in NATIVE:
        # Only decoding shows whether a codestream is whole; one frame stands for the rest of its instance.
        decode_frame(opened, 0, facts["ranges"][0])
    return {"kind": FileKind.DICOM, "dicom": facts}, [metadata]


def _opened(source: Bytes, arguments: dict[str, Any]) -> tuple[dicom.Opened, int, list[int] | None]:
    ranges: list[int] | None = arguments.get("ranges")
    opened = dicom.open_dicom(source, fragments=not ranges)
    if opened is None:
        raise FileProblem(ProblemCode.DAMAGED)
    return opened, int(arguments["frame"]), ranges


def decode(source: Bytes, arguments: dict[str, Any], emit: Emit) -> Answer:
    opened, frame, ranges = _opened(source, arguments)
    emit(pixels.as_little_endian(decode_frame(opened, frame, ranges)))
    return {}, []


def render(source: Bytes, arguments: dict[str, Any], emit: Emit) -> Answer:
    opened, frame, ranges = _opened(source, arguments)
    image, width, height = pixels.render(opened, frame, ranges, arguments)
    return {"width": width, "height": height}, [image]


def redraw(source: Bytes, arguments: dict[str, Any], emit: Emit) -> Answer:
    if kinds.kind_of(source) != FileKind.PHOTO:
        raise FileProblem(ProblemCode.NOT_AN_IMAGE)
    image, width, height = photos.redraw(source, int(arguments["max_side"]), int(arguments["quality"]))
    return {"width": width, "height": height}, [image]


def bare(source: Bytes, arguments: dict[str, Any], emit: Emit) -> Answer:
    if kinds.kind_of(source) != FileKind.PHOTO:
        raise FileProblem(ProblemCode.NOT_AN_IMAGE)
    pieces = photos.bare_pieces(source)
    if pieces is not None:
        return {"pieces": pieces}, []
    image, _, _ = photos.redraw(source, 65535, int(arguments["quality"]))
    return {"pieces": []}, [image]


def unpack(source: Bytes, arguments: dict[str, Any], emit: Emit) -> Answer:
    archive.unpack(source, arguments, emit)
    return {}, []


OPERATIONS: dict[str, Callable[[Bytes, dict[str, Any], Emit], Answer]] = {
    Operation.EXAMINE: examine,
    Operation.DECODE: decode,
    Operation.RENDER: render,
    Operation.REDRAW: redraw,
    Operation.BARE: bare,
    Operation.UNPACK: unpack,
}


def answer(pipe: Pipe, request: dict[str, Any], head: bytes) -> Answer:
    """The facts and the large values of what was asked for, or the problem with the file. ``head`` are its first bytes."""
    source = RangedFile(int(request["size"]), head, pipe.fetch, key=str(request["key"]))
    try:
        return OPERATIONS[request["operation"]](source, request["arguments"], pipe.emit)
    except FileProblem as problem:
        code = problem.code
    except (MemoryError, RecursionError):
        code = ProblemCode.OVER_LIMITS
    except Exception:  # a parser's surprise at a hostile file is that file's problem, not this process's
        code = ProblemCode.DAMAGED
    return {"problem": code.value, "kind": _kind_in_trouble(source)}, []


def _kind_in_trouble(source: Bytes) -> FileKind:
    try:
        if source.size >= 132 and source.read_at(128, 4) == b"DICM":
            return FileKind.DICOM
        return kinds.kind_of(source)
    except (FileProblem, MemoryError):
        return FileKind.OTHER
