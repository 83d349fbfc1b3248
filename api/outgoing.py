"""Mail that the API hands over itself: one-time codes, which live ten minutes and are asked for again in their page.

A code that is lost with its process costs its patient a click, and one that came late would be of no use; so these mails
are not owed (``activities.post``), as every other one is. Never with PHI.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from infra.mail import Mail, Mailer

_log = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 0.35
"""How long an answer takes that must not tell whether a mail went out."""

_under_way: set[asyncio.Task[None]] = set()
"""The loop itself keeps no hold on a task."""


def send(mailer: Mailer, mails: Sequence[Mail]) -> None:
    """Begins to hand the mails over, in a thread, and does not wait for it. Call it on the event loop."""
    for mail in mails:
        task = asyncio.create_task(_hand_over(mailer, mail))
        _under_way.add(task)
        task.add_done_callback(_under_way.discard)


async def answer_evenly(started: float) -> None:
    """Waits until the answer is as old as every other of its kind. ``started`` is the loop's time."""
    await asyncio.sleep(max(0.0, started + ANSWER_SECONDS - asyncio.get_running_loop().time()))


async def _hand_over(mailer: Mailer, mail: Mail) -> None:
    try:
        await asyncio.to_thread(mailer.send, mail)
    except Exception as error:
        # Its recipient is personal data and its text may hold a code: the log has the message's id alone.
        _log.error("the mail %s could not be handed over: %s", mail.message_id, type(error).__name__)
