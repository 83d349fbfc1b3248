"""Whether what takes long may go on: asked again every few seconds while it is under way."""

import time
from collections.abc import Awaitable, Callable
from typing import Final

SECONDS: Final = 4.0
"""A session, a token, a link, a standing or a case's state that ends stops what is under way within 5 s."""


class Recheck:
    """``still`` raises what refuses its person now; blocking, so it is asked ``in_thread``."""

    def __init__(
        self, still: Callable[[], object], in_thread: Callable[[Callable[[], object]], Awaitable[object]]
    ) -> None:
        self._still = still
        self._in_thread = in_thread
        self._asked = time.monotonic()

    async def when_due(self) -> None:
        """Raises what ``still`` raises."""
        if time.monotonic() - self._asked > SECONDS:
            await self._in_thread(self._still)
            self._asked = time.monotonic()
