"""Readers that several ask for: frames of one file are wanted by the hundred, and each would verify it anew.

What is kept between two of them is what was verified of a file, and its last records; no file stays open.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from typing import Final

from infra.blobs.reading import Reader, RecordReader

_MOST: Final = 8
"""Files whose last records stay in memory while nobody reads them."""
_SECONDS: Final = 10.0

Open = Callable[[str, bytes], RecordReader]


class _Held:
    """A reader, how many read it now, and when it is not to be handed out any more."""

    def __init__(self, reader: RecordReader) -> None:
        self.reader = reader
        self.users = 0
        self.is_out = False
        self.until = 0.0


class SharedReaders:
    """A store's readers by file and key. Each is handed out again for some seconds, and closed after that with the next
    question, or with its last user's ``close``."""

    def __init__(self, open_reader: Open, clock: Callable[[], float] = time.monotonic) -> None:
        self._open = open_reader
        self._clock = clock
        self._held: OrderedDict[tuple[str, bytes], _Held] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, blob_id: str, key: bytes) -> Reader:
        """Raises what opening raises."""
        name = (blob_id, key)
        with self._lock:
            spare = self._turn_out_old()
            held = self._held.get(name)
            if held is not None:
                self._hand_out(name, held)
        _close(spare)
        if held is None:
            held = self._opened(name)
        return _Share(self, held)

    def forget(self, blob_id: str) -> None:
        """For a file that is deleted: nobody else gets its reader."""
        with self._lock:
            spare = self._turn_out({name for name in self._held if name[0] == blob_id})
        _close(spare)

    def release(self, held: _Held) -> None:
        """One user less."""
        with self._lock:
            held.users -= 1
            if held.users == 0:
                held.reader.rest()
            is_over = held.is_out and held.users == 0
        if is_over:
            held.reader.close()

    def _opened(self, name: tuple[str, bytes]) -> _Held:
        fresh = _Held(self._open(*name))
        with self._lock:
            held = self._held.setdefault(name, fresh)
            self._hand_out(name, held)
        if held is not fresh:
            fresh.reader.close()  # another thread was as quick
        return held

    def _hand_out(self, name: tuple[str, bytes], held: _Held) -> None:
        held.users += 1
        held.until = self._clock() + _SECONDS
        self._held.move_to_end(name)

    def _turn_out_old(self) -> list[RecordReader]:
        """Those whose time is over, and the least recent of too many."""
        now = self._clock()
        names = {name for name, held in self._held.items() if held.until < now}
        too_many = list(self._held)[: max(0, len(self._held) - _MOST)]
        return self._turn_out({*names, *too_many})

    def _turn_out(self, names: Collection[tuple[str, bytes]]) -> list[RecordReader]:
        """Takes them from the shelf; those that nobody reads are the caller's to close."""
        spare = []
        for name in names:
            held = self._held.pop(name)
            held.is_out = True
            if not held.users:
                spare.append(held.reader)
        return spare


def _close(readers: list[RecordReader]) -> None:
    for reader in readers:
        reader.close()


class _Share(Reader):
    """One user's part in a reader."""

    def __init__(self, shelf: SharedReaders, held: _Held) -> None:
        self._shelf: SharedReaders | None = shelf
        self._held = held

    @property
    def size(self) -> int:
        return self._held.reader.size

    def _pieces(self, offset: int, end: int) -> Iterator[bytes]:
        return self._held.reader.stream(offset, max(0, end - offset))

    def close(self) -> None:
        shelf, self._shelf = self._shelf, None
        if shelf is not None:
            shelf.release(self._held)
