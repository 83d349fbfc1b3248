"""A DICOMweb or tus client that costs as little as it can: one kept-alive connection. Blocking."""

import http.client
import socket
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

_PATIENCE_S: Final = 600.0


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class NotAsAsked(Exception):
    """An answer that is none: what would be measured is not what was meant."""


class Line:
    """``headers`` go with every request."""

    def __init__(self, port: int, headers: Mapping[str, str], root: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
        self._headers, self._root = dict(headers), root

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None, *, expected: int = 200
    ) -> Answer:
        """Raises NotAsAsked for another status."""
        try:
            return self._ask(method, path, headers, body, expected)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            if method != "GET":
                raise
        self.close()  # the server closes a line that rests for a second: it is opened again, as browsers do it
        return self._ask(method, path, headers, body, expected)

    def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, expected: int) -> Answer:
        self._connection.request(method, self._root + path, body, self._headers | dict(headers))
        return self._answer(expected)

    def send_file(
        self, path: str, headers: Mapping[str, str], file: Path, *, offset: int, count: int, expected: int
    ) -> Answer:
        """A PATCH with a body out of a file, which goes from the page cache to the socket without this process."""
        connection = self._connection
        connection.putrequest("PATCH", self._root + path)
        for name, value in (self._headers | dict(headers) | {"Content-Length": str(count)}).items():
            connection.putheader(name, value)
        connection.endheaders()
        assert isinstance(connection.sock, socket.socket)
        with file.open("rb") as source:
            connection.sock.sendfile(source, offset, count)
        return self._answer(expected)

    def _answer(self, expected: int) -> Answer:
        answer = self._connection.getresponse()
        found = Answer(answer.status, answer.headers, answer.read())
        if found.status != expected:
            raise NotAsAsked(found.status, found.body[:400])
        return found

    def get(self, path: str, accept: str) -> bytes:
        return self.ask("GET", path, {"Accept": accept}).body

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
