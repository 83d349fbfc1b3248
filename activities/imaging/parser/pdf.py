"""Documents in the child: a PDF is looked at from outside and never rendered.

Looked for is what would keep a reader out (a password) and what would run when it is opened (ISO 32000-1 12.6.4.16
JavaScript, 12.6.4.5 launch actions, 7.11.4 embedded files). Content streams are passed over; object streams, in which
newer files pack their objects (7.5.7), are inflated within a bound and looked at as well.
"""

import re
import zlib
from collections.abc import Iterator
from typing import Any, Final

from activities.imaging.parser.limits import MIB, READ_BYTES
from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.source import Bytes

_END: Final = rb"(?![A-Za-z0-9_.-])"
_ACTIVE: Final = re.compile(rb"/(?:JavaScript|JS|Launch|EmbeddedFiles|XFA|RichMedia)" + _END)
_ENCRYPTED: Final = re.compile(rb"/Encrypt" + _END)
_OBJECTS: Final = re.compile(rb"/ObjStm" + _END)
_ESCAPED: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_OVERLAP: Final = 4096
"""Bytes by which pieces overlap, so that no name is cut in two unseen."""
_MAX_OBJECTS: Final = 64 * MIB
"""Inflated object streams of one document."""
_BEGIN_STREAM: Final = re.compile(rb"(?<!end)stream\r?\n")


def examine_document(source: Bytes) -> dict[str, Any]:
    """Raises FileProblem for one that is cut off, asks for a password, or carries something that runs."""
    tail = min(source.size, 2048)
    if b"%%EOF" not in source.read_at(source.size - tail, tail):
        raise FileProblem(ProblemCode.TRUNCATED)
    active = False
    for text in _texts(source):
        plain = _plain(text)
        if _ENCRYPTED.search(plain):
            raise FileProblem(ProblemCode.PDF_LOCKED)
        active = active or _ACTIVE.search(plain) is not None
    if active:
        raise FileProblem(ProblemCode.PDF_ACTIVE)
    return {"format": "PDF"}


def _texts(source: Bytes) -> Iterator[bytes]:
    """What lies outside of streams, and what the object streams hold, in pieces that overlap."""
    left = _MAX_OBJECTS
    pending, position, inside = b"", 0, False
    while position < source.size or pending:
        more = source.read_at(position, min(READ_BYTES, source.size - position))
        position += len(more)
        pending += more
        is_last = position >= source.size
        while True:
            if inside:
                end = pending.find(b"endstream")
                if end < 0:
                    break
                inside, pending = False, pending[end:]
            begun = _BEGIN_STREAM.search(pending)
            if begun is None:
                break
            dictionary = pending[: begun.start()]
            yield dictionary
            pending, inside = pending[begun.end() :], True
            if _OBJECTS.search(_plain(dictionary)):
                inflated = _inflated(source, position - len(pending), left)
                left -= len(inflated)
                yield inflated
        if is_last:
            yield b"" if inside else pending
            return
        # Inside a stream only its end is of interest; outside, what may be half a word is kept.
        if inside:
            pending = pending[-16:]
        elif len(pending) > _OVERLAP:
            yield pending
            pending = pending[-_OVERLAP:]


def _plain(text: bytes) -> bytes:
    """Names without their escapes: ``/J#61vaScript`` is ``/JavaScript`` (7.3.5)."""
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), text)


def _inflated(source: Bytes, start: int, limit: int) -> bytes:
    """An object stream's content; nothing where it is not deflated. Raises FileProblem beyond the bound."""
    inflater = zlib.decompressobj()
    out = bytearray()
    for position in range(start, source.size, 64 * 1024):
        piece = source.read_at(position, min(64 * 1024, source.size - position))
        while piece and not inflater.eof:
            try:
                out += inflater.decompress(piece, READ_BYTES)
            except zlib.error:
                return bytes(out)
            if len(out) > limit:
                raise FileProblem(ProblemCode.OVER_LIMITS)
            piece = inflater.unconsumed_tail
        if inflater.eof:
            break
    return bytes(out)
