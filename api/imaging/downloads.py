"""Long answers: sent in pieces by the images' own threads, and only as long as the right to them lasts."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

from api.imaging.parsers import in_images

INERT: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}
"""What came from outside is never shown by the browser under our origin: it is saved, and could run nothing if opened."""
RECHECK_SECONDS: Final = 4.0
"""A session, a link or a standing that ends stops what is under way within 5 s."""


async def while_allowed(pieces: Iterator[bytes], still: Callable[[], object]) -> AsyncIterator[bytes]:
    """The pieces, until ``still`` raises. The answer has begun by then, so its connection breaks: no client takes what
    has arrived for the whole.
    """
    checked = time.monotonic()
    while (piece := await in_images(next, pieces, None)) is not None:
        if time.monotonic() - checked > RECHECK_SECONDS:
            await in_images(still)
            checked = time.monotonic()
        yield piece
