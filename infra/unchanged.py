"""Answers out of the database that hold for as long as nobody has written anything to it, and for a second at most.

A viewer asks for hundreds of frames in a row, and each time the same must be known: who asks, and what they may see. SQLite
says in microseconds whether another connection has committed since (``PRAGMA data_version``), so an answer is never older than
the last commit: a session that was ended, a right that was taken away, a case that moved on show with the next request. A
second is for what time alone ends. A database that cannot say so is asked each time.
"""

import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

_SECONDS: Final = 1.0
_MOST: Final = 1024

Name = tuple[Hashable, ...]
Value = TypeVar("Value")


class _Moment(NamedTuple):
    version: int
    at: float


class Unchanged:
    """Safe to share between threads. Values are shared, too: they are not to be changed."""

    def __init__(self, file: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        """``file``: of an SQLite database."""
        self.file = file
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._version: int | None = None
        self._known: OrderedDict[Name, tuple[float, Any]] = OrderedDict()

    def known(self, name: Name) -> Any | None:
        """The answer, if it is known and holds. Does not block."""
        with self._lock:
            moment = self._moment()
            if moment is None:
                return None
            until, value = self._known.get(name, (0.0, None))
            return value if moment.at < until else None

    def ask(self, name: Name, look_up: Callable[[], Value]) -> Value:
        """The answer, looked up where it is not known. ``look_up`` begins its own transaction: one that was begun before may
        show less than what the answer would be taken for."""
        known: Value | None = self.known(name)
        if known is not None:
            return known
        with self._lock:
            before = self._moment()
        value = look_up()
        if before is not None:
            with self._lock:
                if self._version == before.version:
                    self._known[name] = (before.at + _SECONDS, value)
                    self._known.move_to_end(name)
                    while len(self._known) > _MOST:
                        self._known.popitem(last=False)
        return value

    def close(self) -> None:
        with self._lock:
            self._known.clear()
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _moment(self) -> _Moment | None:
        """Now. Forgets everything when somebody has committed since the last time."""
        version = self._data_version()
        if version is None or version != self._version:
            self._known.clear()
            self._version = version
        return None if version is None else _Moment(version, self._clock())

    def _data_version(self) -> int | None:
        if self.file is None:
            return None
        with suppress(sqlite3.Error):
            if self._connection is None:
                # A connection of its own: of its own commits it would not be told.
                self._connection = sqlite3.connect(self.file, timeout=0, isolation_level=None, check_same_thread=False)
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        return None
