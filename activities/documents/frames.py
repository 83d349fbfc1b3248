"""How the laying-out process is spoken to: one kind, one length, then bytes. No pickle: neither side runs the other's data."""

import struct
from typing import IO, Final

PDF: Final = b"P"
FAILED: Final = b"F"
DOCUMENT: Final = b"D"
MAX_FRAME_BYTES: Final = 512 * 2**20
_HEAD: Final = struct.Struct(">cQ")


def write_frame(stream: IO[bytes], kind: bytes, body: bytes) -> None:
    """Raises BrokenPipeError when the other side is gone."""
    stream.write(_HEAD.pack(kind, len(body)))
    stream.write(body)
    stream.flush()


def read_frame(stream: IO[bytes]) -> tuple[bytes, bytes]:
    """The next frame's kind and body. Raises EOFError when the other side is gone or says nonsense."""
    kind, length = _HEAD.unpack(_exactly(stream, _HEAD.size))
    if length > MAX_FRAME_BYTES:
        raise EOFError
    return kind, _exactly(stream, length)


def _exactly(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data
