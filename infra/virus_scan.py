"""An optional virus scanner: ClamAV's daemon, asked over its INSTREAM command (man clamd, COMMANDS)."""

import logging
import socket
import struct
from typing import Final, Protocol

from schemas.errors import OdontoError
from schemas.translation import N_

_log: Final = logging.getLogger(__name__)
_PIECE: Final = 1 << 20
_CONNECT_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 120.0
_LONGEST_ANSWER: Final = 4096


class ScannerAway(OdontoError):
    code = "virus_scanner_away"
    status = 503
    title = N_("The virus scanner does not answer. The files are kept, and are checked when it is back.")


class Content(Protocol):
    """What is scanned."""

    @property
    def size(self) -> int: ...

    def read_at(self, offset: int, length: int) -> bytes: ...


class ClamAv:
    """A daemon at ``host:port``, or at the path of its socket. Safe to share between threads; calls block."""

    def __init__(self, address: str) -> None:
        self._address = address

    def finds(self, content: Content) -> str | None:
        """The name of what was found, or None for clean. Raises ScannerAway, also for what the daemon takes not because of
        its own limits: nothing passes unscanned."""
        try:
            with self._connected() as line:
                return self._scanned(line, content)
        except OSError as error:
            raise ScannerAway() from error

    def _connected(self) -> socket.socket:
        host, _, port = self._address.rpartition(":")
        if not host or "/" in self._address:
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            line.settimeout(_CONNECT_SECONDS)
            line.connect(self._address)
        else:
            line = socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS)
        line.settimeout(_ANSWER_SECONDS)
        return line

    def _scanned(self, line: socket.socket, content: Content) -> str | None:
        line.sendall(b"zINSTREAM\0")
        for offset in range(0, content.size, _PIECE):
            piece = content.read_at(offset, _PIECE)
            line.sendall(struct.pack(">I", len(piece)) + piece)
        line.sendall(struct.pack(">I", 0))
        answer = b""
        while not answer.endswith(b"\0") and len(answer) < _LONGEST_ANSWER:
            more = line.recv(_LONGEST_ANSWER)
            if not more:
                break
            answer += more
        said = answer.rstrip(b"\0\n").decode("ascii", "replace")
        if said == "stream: OK":
            return None
        if said.startswith("stream: ") and said.endswith(" FOUND"):
            return said.removeprefix("stream: ").removesuffix(" FOUND")
        _log.error("the virus scanner refused a file of %d bytes: %s", content.size, said)
        raise ScannerAway()
