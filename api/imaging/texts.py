"""Metadata of whole series and studies as they were last put together: the same text is asked for by each who opens one.

Who may have it is decided before, with each request.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from fastapi import FastAPI

_BYTES: Final = 32 << 20
_LARGEST: Final = 8 << 20
_making: Final = threading.Lock()


class Texts:
    """The most recent ones, up to 32 MiB of them. Safe to share between threads."""

    def __init__(self, most_bytes: int = _BYTES, largest: int = _LARGEST) -> None:
        self._most_bytes, self._largest = most_bytes, largest
        self._lock = threading.Lock()
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def get(self, name: str, write: Callable[[], bytes]) -> bytes:
        """``name`` says all that the text depends on."""
        with self._lock:
            if name in self._known:
                self._known.move_to_end(name)
                return self._known[name]
        text = write()
        if len(text) <= self._largest:
            with self._lock:
                self._bytes += len(text) - len(self._known.pop(name, b""))
                self._known[name] = text
                while self._bytes > self._most_bytes:
                    self._bytes -= len(self._known.popitem(last=False)[1])
        return text


def texts_of(app: FastAPI) -> Texts:
    """The process's."""
    with _making:
        if getattr(app.state, "texts", None) is None:
            app.state.texts = Texts()
        texts: Texts = app.state.texts
        return texts
