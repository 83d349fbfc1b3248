"""The gate before the mail relay: few conversations at once, and none for a while after one that came to nothing.

Without it a relay that hangs would hold every place of the notices' queue, and with them the notices of the application,
which are written there before their mails are tried.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from infra.mail import MailDeferred, MailRefused

_log = logging.getLogger(__name__)

PERMITS: Final = 4
"""Conversations at once; fewer than the queue has places."""
PATIENCE_S: Final = 2.0
"""How long a mail waits for a permit before its place is given to something else."""
REST_S: Final = 20.0


class RelayAway(Exception):
    """No mail can be sent at the moment, to nobody. ``tried``: this very mail met it."""

    def __init__(self, *, tried: bool) -> None:
        super().__init__("the mail relay is away")
        self.tried = tried


class RelayGate:
    """Shared by all threads of a process."""

    def __init__(self) -> None:
        self._permits = threading.BoundedSemaphore(PERMITS)
        self._closed_until = 0.0

    @property
    def is_closed(self) -> bool:
        return time.monotonic() < self._closed_until

    @contextmanager
    def conversation(self, message_id: str) -> Iterator[None]:
        """Raises RelayAway; MailRefused and MailDeferred are answers of a relay that is there, and pass."""
        if self.is_closed or not self._permits.acquire(timeout=PATIENCE_S):
            raise RelayAway(tried=False)
        try:
            if self.is_closed:  # it was found away meanwhile
                raise RelayAway(tried=False)
            yield
        except (MailRefused, MailDeferred, RelayAway):
            raise
        except Exception as error:
            # An address may be in the error's text: the log has the message's id and the error's kind alone.
            _log.error("no mail can be sent now: %s at %s", type(error).__name__, message_id)
            self._closed_until = time.monotonic() + REST_S
            raise RelayAway(tried=True) from None
        finally:
            self._permits.release()
