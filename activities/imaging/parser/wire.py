"""How parent and child talk: frames of one type byte, a four-byte length and a payload, over two pipes.

The parent sends a request and, whenever the child asks for a range, that range's bytes. So the child never holds more
of a file than it reads, clear text never touches a disk, and the child needs no descriptor beyond its two pipes.
"""

import struct
from collections.abc import Callable
from enum import IntEnum, StrEnum
from typing import Final

FRAME: Final = struct.Struct(">BI")
RANGE: Final = struct.Struct(">QI")

Emit = Callable[[memoryview], None]
"""Sends some of a large result to the parent, in pieces; it is of no use to the child afterwards."""


class Type(IntEnum):
    HELLO = 1
    """Child: ready. JSON: which confinements hold."""
    REQUEST = 2
    """Parent: JSON of operation, size of the file and arguments; followed by one DATA frame with the file's head."""
    DATA = 3
    """Parent: bytes of the file. Fewer than asked for only at its end."""
    NEED = 4
    """Child: a range (offset, length) that it wants."""
    ANSWER = 5
    """Child: JSON; ``blobs`` says how many BLOB frames follow."""
    BLOB = 6
    """Child: a small result as a whole."""
    PIECE = 7
    """Child: some of a large result, before its ANSWER; the parent passes each on as it comes."""


class Operation(StrEnum):
    EXAMINE = "examine"
    DECODE = "decode"
    RENDER = "render"
    REDRAW = "redraw"
    BARE = "bare"
    UNPACK = "unpack"
