"""Signs of life of a blocking activity, so that the engine hears of a killed worker in seconds."""

import contextvars
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from temporalio import activity

_BEAT_S: Final = 3.0


@contextmanager
def beating() -> Iterator[None]:
    """Sends heartbeats while the block runs. Outside an activity it does nothing."""
    if not activity.in_activity():
        yield
        return
    over = threading.Event()

    def beat() -> None:
        while not over.wait(_BEAT_S):
            activity.heartbeat()

    # The activity's own context tells the other thread whose heartbeat it is.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(beat,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
