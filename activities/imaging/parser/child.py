"""The confined process: ``python -I child.py``. Reads requests from its first pipe, answers on its second, opens nothing."""

import gc
import json
import logging
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from activities.imaging.parser.confinement import confine, leave_namespaces

ISOLATED = leave_namespaces()  # before numpy: a process with threads cannot leave its user namespace

# What follows is imported after that, and before the process is confined: no file can be opened then.
import codecs  # noqa: E402

import gdcm  # noqa: E402, F401 - a decoder that pydicom would import on first use, when no file can be opened any more
import jpeg_ls  # noqa: E402, F401
import numpy.ma  # noqa: E402, F401
import openjpeg  # noqa: E402, F401
from PIL import Image  # noqa: E402
from pydicom.charset import python_encoding  # noqa: E402

from activities.imaging.parser import archive, dicom, directory, kinds, pdf, photos, pixels, surfaces  # noqa: E402
from activities.imaging.parser.decoding import decode as decode_frame  # noqa: E402
from activities.imaging.parser.enclosed import examine_enclosed  # noqa: E402
from activities.imaging.parser.limits import MAX_BLOB, MAX_MESSAGE, MAX_PIECE  # noqa: E402
from activities.imaging.parser.problems import FileProblem, ProblemCode  # noqa: E402
from activities.imaging.parser.source import Bytes, RangedFile  # noqa: E402
from activities.imaging.parser.syntaxes import NATIVE  # noqa: E402
from activities.imaging.parser.wire import FRAME, RANGE, Emit, Operation, Type  # noqa: E402


class Pipe:
    """The child's end of the two pipes."""

    def __init__(self) -> None:
        self._incoming = 0
        self._outgoing = os.dup(1)
        os.dup2(2, 1)  # what a library prints does not get into an answer

    def send(self, kind: Type, payload: bytes) -> None:
        view = memoryview(
            FRAME.pack(kind, len(payload)) + payload if len(payload) < 4096 else FRAME.pack(kind, len(payload))
        )
        self._write(view)
        if len(payload) >= 4096:
            self._write(memoryview(payload))

    def emit(self, data: memoryview) -> None:
        """Some of a large result; see ``wire.Emit``."""
        for start in range(0, len(data), MAX_PIECE):
            piece = data[start : start + MAX_PIECE]
            self._write(memoryview(FRAME.pack(Type.PIECE, len(piece))))
            self._write(piece)

    def receive(self, kind: Type) -> bytes:
        found, length = FRAME.unpack(self._read(FRAME.size))
        if found != kind:
            raise SystemExit(1)
        return self._read(length)

    def fetch(self, offset: int, length: int) -> bytes:
        self.send(Type.NEED, RANGE.pack(offset, length))
        return self.receive(Type.DATA)

    def _write(self, view: memoryview) -> None:
        while view:
            view = view[os.write(self._outgoing, view) :]

    def _read(self, length: int) -> bytes:
        data = bytearray(length)
        view = memoryview(data)
        while view:
            count = os.readv(self._incoming, [view])
            if count == 0:
                raise SystemExit(0)  # the parent is gone
            view = view[count:]
        return bytes(data)


Answer = tuple[dict[str, Any], list[bytes]]


def examine(source: Bytes, arguments: dict[str, Any], emit: Emit) -> Answer:
    if source.size == 0:
        raise FileProblem(ProblemCode.EMPTY)
    opened = dicom.open_dicom(source)
    if opened is not None:
        return _examine_dicom(opened)
    kind = kinds.kind_of(source)
    if kind == kinds.PHOTO:
        facts = photos.examine_photo(source)
        preview, _, _ = photos.redraw(source, int(arguments["max_side"]), int(arguments["quality"]))
        return {"kind": kind, "photo": facts}, [preview]
    if kind == kinds.DOCUMENT:
        return {"kind": kind, "photo": pdf.examine_document(source)}, []
    if kind == kinds.SURFACE:
        return {"kind": kind, "photo": surfaces.examine_surface(source)}, []
    if kinds.is_avif(source.read_at(0, min(source.size, 256))):
        raise FileProblem(ProblemCode.AVIF)
    match kinds.archive_kind(source):
        case "zip":
            members, left_out = archive.list_archive(source, int(arguments["archive_bytes"]))
            return {"kind": "archive", "members": members, "left_out": left_out}, []
        case None:
            raise FileProblem(ProblemCode.NOT_AN_IMAGE)
        case _:
            raise FileProblem(ProblemCode.ARCHIVE_KIND)


def _examine_dicom(opened: dicom.Opened) -> Answer:
    if directory.is_directory(opened):
        return {"kind": "directory", "listed": directory.list_directory(opened)}, []
    enclosed = examine_enclosed(opened)
    if enclosed is not None:
        return enclosed[0], [enclosed[1]]
    facts, metadata = dicom.examine_dicom(opened)
    if opened.structure.transfer_syntax not in NATIVE:
        # Only decoding shows whether a codestream is whole; one frame stands for the rest of its instance.
        decode_frame(opened, 0, facts["ranges"][0])
    return {"kind": "dicom", "dicom": facts}, [metadata]


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
    if kinds.kind_of(source) != kinds.PHOTO:
        raise FileProblem(ProblemCode.NOT_AN_IMAGE)
    image, width, height = photos.redraw(source, int(arguments["max_side"]), int(arguments["quality"]))
    return {"width": width, "height": height}, [image]


def bare(source: Bytes, arguments: dict[str, Any], emit: Emit) -> Answer:
    if kinds.kind_of(source) != kinds.PHOTO:
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


def _kind_in_trouble(source: Bytes) -> str:
    try:
        if source.size >= 132 and source.read_at(128, 4) == b"DICM":
            return "dicom"
        return kinds.kind_of(source)
    except (FileProblem, MemoryError):
        return "other"


def main() -> None:
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    Image.init()
    for encoding in {*python_encoding.values(), archive.NAMES_IN}:
        codecs.lookup(encoding)
    pipe = Pipe()
    confine()
    gc.freeze()
    pipe.send(Type.HELLO, json.dumps({"isolated": ISOLATED}).encode())
    while True:
        request = json.loads(pipe.receive(Type.REQUEST))
        facts, blobs = answer(pipe, request, pipe.receive(Type.DATA))
        facts["blobs"] = len(blobs)
        encoded = json.dumps(facts, separators=(",", ":")).encode()
        if len(encoded) > MAX_MESSAGE or any(len(blob) > MAX_BLOB for blob in blobs):
            blobs = []
            encoded = json.dumps({"problem": ProblemCode.OVER_LIMITS.value, "kind": "other", "blobs": 0}).encode()
        pipe.send(Type.ANSWER, encoded)
        for blob in blobs:
            pipe.send(Type.BLOB, blob)


if __name__ == "__main__":
    main()
