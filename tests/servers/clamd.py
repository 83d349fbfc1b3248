"""A double of ClamAV's daemon: INSTREAM as ``man clamd`` describes it, with one pattern that it knows."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PATTERN = b"HARMFUL-PATTERN"


@dataclass
class Clamd:
    """``address`` is what the setting takes. ``largest`` is its own limit; ``scanned`` are sizes of what it was sent."""

    listener: socket.socket
    largest: int = 1 << 30
    scanned: list[int] = field(default_factory=list)

    @property
    def address(self) -> str:
        host, port = self.listener.getsockname()
        return f"{host}:{port}"

    def serve(self) -> None:
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            with line, line.makefile("rb") as reader:
                line.sendall(self._answer(reader.read))

    def _answer(self, read) -> bytes:  # type: ignore[no-untyped-def] # BufferedReader.read
        assert read(len(b"zINSTREAM\0")) == b"zINSTREAM\0"
        content = b""
        while length := struct.unpack(">I", read(4))[0]:
            content += read(length)
            if len(content) > self.largest:
                return b"INSTREAM size limit exceeded. ERROR\0"
        self.scanned.append(len(content))
        return b"stream: Test.Pattern FOUND\0" if PATTERN in content else b"stream: OK\0"


@contextmanager
def clamd() -> Iterator[Clamd]:
    listener = socket.create_server(("127.0.0.1", 0))
    daemon = Clamd(listener)
    thread = threading.Thread(target=daemon.serve, daemon=True)
    thread.start()
    try:
        yield daemon
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
