"""Loading a process's code without Python's cyclic garbage collector in the way."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """For imports. Afterwards everything that was loaded is left out of collections for good.

    The collector would walk through a growing heap of classes and code that all stay: a sixth of the web server's start,
    and later a pause in the middle of a request at each full collection.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
