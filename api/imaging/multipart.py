"""Reads a multipart body (RFC 2046 §5.1) piece by piece: no part is ever whole in memory, and none touches a disk."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from enum import Enum, auto
from typing import Final

from schemas.errors import InvalidInput, OdontoError
from schemas.translation import N_

_MAX_PREAMBLE: Final = 64 << 10
_MAX_HEADERS: Final = 16 << 10
_MAX_BOUNDARY: Final = 70


class NotMultipart(OdontoError):
    code = "not_multipart"
    status = 415
    title = N_('Send instances as multipart/related; type="application/dicom", with a boundary.')


class MalformedMultipart(InvalidInput):
    code = "malformed_multipart"
    status = 400
    title = N_(
        "The request's parts cannot be told apart, or the last one is cut off. Nothing of it was kept; send it again."
    )


@dataclass(frozen=True)
class Begin:
    """A part begins. Names of headers are in lower case."""

    headers: Mapping[str, str]


class _At(Enum):
    PREAMBLE = auto()
    DELIMITER = auto()
    HEADERS = auto()
    BODY = auto()
    END = auto()


def boundary_of(content_type: str) -> bytes:
    """Of a multipart/related of DICOM instances. Raises NotMultipart, MalformedMultipart."""
    message = Message()
    message["content-type"] = content_type
    inner = str(message.get_param("type") or "application/dicom").lower()
    if message.get_content_type() != "multipart/related" or inner != "application/dicom":
        raise NotMultipart()
    boundary = str(message.get_param("boundary") or "")
    if not 1 <= len(boundary) <= _MAX_BOUNDARY or not boundary.isascii():
        raise MalformedMultipart()
    return boundary.encode()


class PartReader:
    """Is fed with the body's chunks; gives each part's beginning and the pieces of its content, in their order."""

    def __init__(self, boundary: bytes) -> None:
        self._delimiter = b"\r\n--" + boundary
        # The first delimiter may stand at the very start, without the line end before it.
        self._buffer = bytearray(b"\r\n")
        self._at = _At.PREAMBLE
        self._skipped = 0

    @property
    def is_whole(self) -> bool:
        """Whether the closing delimiter was met."""
        return self._at is _At.END

    def feed(self, chunk: bytes) -> Iterator[Begin | bytes]:
        """Raises MalformedMultipart. To be read to its end before the next chunk."""
        if self.is_whole:
            return  # an epilogue says nothing
        self._buffer += chunk
        while not self.is_whole:
            if self._at is _At.DELIMITER:
                if not self._pass_delimiter():
                    return
            elif self._at is _At.HEADERS:
                begin = self._headers()
                if begin is None:
                    return
                yield begin
            else:
                content, found = self._content()
                if content:
                    yield content
                if not found:
                    return

    def _content(self) -> tuple[bytes, bool]:
        """What stands before the next delimiter, and whether that was found. A delimiter that is cut in two waits."""
        at = self._buffer.find(self._delimiter)
        found = at >= 0
        length = at if found else max(0, len(self._buffer) - len(self._delimiter) + 1)
        content = b""
        if self._at is _At.BODY:
            content = bytes(memoryview(self._buffer)[:length])
        else:
            self._skipped += length
            if self._skipped > _MAX_PREAMBLE:
                raise MalformedMultipart()
        del self._buffer[: length + len(self._delimiter) if found else length]
        if found:
            self._at = _At.DELIMITER
        return content, found

    def _pass_delimiter(self) -> bool:
        if len(self._buffer) < 2:
            return False
        if self._buffer.startswith(b"--"):
            self._at = _At.END
            self._buffer.clear()
            return True
        end = self._buffer.find(b"\r\n")
        if end > 0 and self._buffer[:end].strip(b" \t"):
            raise MalformedMultipart()
        if end < 0:
            if len(self._buffer) > _MAX_HEADERS:
                raise MalformedMultipart()
            return False
        del self._buffer[:end]  # the line end stays: after it come headers, or at once the empty line
        self._at = _At.HEADERS
        return True

    def _headers(self) -> Begin | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end > _MAX_HEADERS or (end < 0 and len(self._buffer) > _MAX_HEADERS):
            raise MalformedMultipart()
        if end < 0:
            return None
        headers = {}
        for line in self._buffer[:end].decode("latin-1").split("\r\n"):
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        del self._buffer[: end + 4]
        self._at = _At.BODY
        return Begin(headers)
