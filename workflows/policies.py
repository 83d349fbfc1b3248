"""Timeouts and retry policies, each with a name. Errors that no retry mends are listed by type."""

from datetime import timedelta
from typing import Final, TypedDict

from temporalio.common import RetryPolicy

from schemas.state import EffectKind

CASE_QUEUE: Final = "cases"
IMAGING_QUEUE: Final = "imaging"
DOCUMENT_QUEUE: Final = "documents"
NOTICE_QUEUE: Final = "notices"
"""Mail waits for relays, and nothing else may wait for mail."""

TASK_TIMEOUT: Final = timedelta(seconds=5)
"""Workflow task timeout: how long a case waits for a worker that died in the middle of a task, or to which the server gave
the task just before it learned of its death. A task takes milliseconds, a cold replay a fifth of a second."""


class Options(TypedDict):
    """Keyword arguments of ``workflow.execute_activity``."""

    task_queue: str
    start_to_close_timeout: timedelta
    retry_policy: RetryPolicy


QUICK: Final = Options(
    task_queue=CASE_QUEUE,
    start_to_close_timeout=timedelta(seconds=8),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        maximum_interval=timedelta(seconds=10),
        non_retryable_error_types=["SeqTaken", "CaseMissing"],
    ),
)
"""One database transaction. Retried until the database is back: an accepted command is never dropped.

The time is also how long a step waits for a worker that was killed while writing it; an attempt that is only slow does
no harm, because the record is written once.
"""

IMAGING: Final = Options(
    task_queue=IMAGING_QUEUE,
    start_to_close_timeout=timedelta(hours=1),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)),
)
IMAGING_HEARTBEAT: Final = timedelta(seconds=10)
"""How long a check of images waits for a worker that was killed in the middle of it."""

NOTICE: Final = Options(
    task_queue=NOTICE_QUEUE,
    start_to_close_timeout=timedelta(minutes=5),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1),
        maximum_interval=timedelta(minutes=10),
        non_retryable_error_types=["EffectUnknown"],
    ),
)
"""Tried until every recipient's mail is settled: taken, refused for good, or given up after some days (schemas.mail)."""

DOCUMENT: Final = Options(
    task_queue=DOCUMENT_QUEUE,
    start_to_close_timeout=timedelta(minutes=5),
    retry_policy=NOTICE["retry_policy"],
)

EFFECTS: Final[dict[EffectKind, Options]] = {
    EffectKind.NOTIFY: NOTICE,
    EffectKind.MAIL_LINK: NOTICE,
    EffectKind.RENDER_PDF: DOCUMENT,
}

EFFECT_HEARTBEAT: Final = timedelta(seconds=10)
"""How long an effect waits for a worker that was killed in the middle of it."""

RUN_AGAIN_AFTER_EVENTS: Final = 500
"""Continue as new near this history length, so that a cold replay stays short; the server's own suggestion counts too."""

REOPENING_PATIENCE: Final = timedelta(minutes=1)
"""How long a run that was started to reopen a closed case waits for the step itself; then the case stays closed."""

ALARM_PAUSE: Final = timedelta(minutes=1)
"""How long a case rests before it looks again at a step that its record refused."""
