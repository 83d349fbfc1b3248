"""Whose turn it is to write to SQLite, which has one writer at a time.

SQLite lets a waiter sleep for up to 100 ms and look again. Where many write, whoever looks at the wrong moments starves:
with twenty cases at once a step waited for more than 15 s and failed, while others overtook it. Here writers are woken
when the one before is done: threads by a lock, processes by a lock on a file, which dies with its process.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Turns:
    """``file`` lies beside the database and stays empty. None: the database queues its writers itself."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._descriptor: int | None = None

    @contextmanager
    def take(self) -> Iterator[None]:
        """Waits for the turn and holds it for the block. Not to be taken again inside of it."""
        if self._file is None:
            yield
            return
        with self._lock:
            if self._descriptor is None:
                self._descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
