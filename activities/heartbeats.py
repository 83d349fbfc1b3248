"""Signs of life of a blocking activity, so that the engine hears of a killed worker in seconds."""

import contextvars
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias

from temporalio import activity

_BEAT_S: Final = 3.0

Told: TypeAlias = Callable[[int, int], None]
"""(done, in all): what the next heartbeat carries."""


@contextmanager
def beating() -> Iterator[Told]:
    """Sends heartbeats while the block runs, with the progress that it was told. Outside an activity it does nothing."""
    progress: list[int] = []

    def tell(done: int, total: int) -> None:
        progress[:] = [done, total]

    if not activity.in_activity():
        yield tell
        return
    over = threading.Event()

    def beat() -> None:
        while not over.wait(_BEAT_S):
            activity.heartbeat(*progress)

    # The activity's own context tells the other thread whose heartbeat it is.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(beat,), daemon=True)
    thread.start()
    try:
        yield tell
    finally:
        over.set()
        thread.join()
