"""The tail of an unfinished file: what does not fill a record yet, sealed aside so that ``sync`` can vouch for it.

Two slots are written in turn, so that a crash during one leaves the other. A slot is: index of the record that the tail
will begin (8 bytes) · clear length (4 bytes) · sealed record. It is written after all records before that index are
durable, and so is also the proof that they were.
"""

import os
import struct
from pathlib import Path
from typing import Final, NamedTuple

from infra.blobs.paths import read_all, write_all
from infra.blobs.records import CLEAR_BYTES, OVERHEAD_BYTES, RECORD_BYTES, Kind, Place, RecordCipher
from infra.blobs.store import BlobDamaged

_HEAD: Final = struct.Struct(">QI")
_SLOT_BYTES: Final = _HEAD.size + RECORD_BYTES


class Tail(NamedTuple):
    number: int
    clear: bytes

    @property
    def total(self) -> int:
        return self.number * CLEAR_BYTES + len(self.clear)


class TailFile:
    """Opened and used by the one writer of a file."""

    def __init__(self, path: Path) -> None:
        """Opens or creates it. Whoever creates it makes its name durable before the first ``write``."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._next_slot = 0

    def read(self, cipher: RecordCipher) -> Tail | None:
        """The furthest tail that verifies; the next ``write`` leaves it alone."""
        found = [(tail, slot) for slot in (0, 1) if (tail := self._read_slot(cipher, slot)) is not None]
        if not found:
            return None
        tail, slot = max(found, key=lambda each: each[0].total)
        self._next_slot = 1 - slot
        return tail

    def _read_slot(self, cipher: RecordCipher, slot: int) -> Tail | None:
        raw = read_all(self._descriptor, _SLOT_BYTES, slot * _SLOT_BYTES)
        if len(raw) < _HEAD.size + OVERHEAD_BYTES:
            return None
        index, length = _HEAD.unpack_from(raw)
        record = memoryview(raw)[_HEAD.size : _HEAD.size + length + OVERHEAD_BYTES]
        try:
            return Tail(index, cipher.open(_place(index, length), record))
        except BlobDamaged:
            return None

    def write(self, cipher: RecordCipher, index: int, clear: memoryview) -> None:
        """Durable on return."""
        sealed = cipher.seal(_place(index, len(clear)), clear)
        write_all(self._descriptor, _HEAD.pack(index, len(clear)) + sealed, self._next_slot * _SLOT_BYTES)
        os.fdatasync(self._descriptor)
        self._next_slot = 1 - self._next_slot

    def discard(self) -> None:
        """Forget tails that do not fit their file: they must not fit again once it has grown to their place."""
        os.ftruncate(self._descriptor, 0)
        self._next_slot = 0

    def close(self) -> None:
        os.close(self._descriptor)


def _place(index: int, length: int) -> Place:
    return Place(Kind.TAIL, index, index * CLEAR_BYTES + length)
