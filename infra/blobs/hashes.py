"""The hash of a file that is written in several requests: kept in the process between them.

A hash's state cannot be stored. Without it, whoever finishes a file that was sent in parts must read all of it again.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from typing import Final, NamedTuple

_FILES: Final = 256
_SECONDS: Final = 1800.0
"""A pause longer than this costs reading the file again."""


class _Kept(NamedTuple):
    offset: int
    digest: "hashlib._Hash"
    until: float


class KeptHashes:
    """By the file's identity: its id and salt, so that an earlier file of the same id is another one."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, identity: bytes, offset: int, digest: "hashlib._Hash") -> None:
        """``digest`` covers the first ``offset`` bytes, all of which are durable."""
        with self._lock:
            self._kept[identity] = _Kept(offset, digest, time.monotonic() + _SECONDS)
            self._kept.move_to_end(identity)
            while len(self._kept) > _FILES:
                self._kept.popitem(last=False)

    def take(self, identity: bytes, offset: int) -> "hashlib._Hash | None":
        """What was kept, if the file stands exactly there; it is the taker's from now on."""
        with self._lock:
            kept = self._kept.pop(identity, None)
        if kept is None or kept.offset != offset or kept.until < time.monotonic():
            return None
        return kept.digest
