"""The confined process's end of its two pipes."""

import os

from activities.imaging.parser.limits import MAX_PIECE
from activities.imaging.parser.wire import FRAME, RANGE, Type


class Pipe:
    """Requests come on standard input; answers go out where standard output was."""

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
