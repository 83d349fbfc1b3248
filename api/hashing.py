"""Threads of their own for whatever checks or hashes a password. One costs as much as dozens of pages: a burst of
sign-ins, which need nobody's leave, waits here and not in the threads that serve everybody else.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, ParamSpec, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from anyio.lowlevel import RunVar

from infra.passwords import AT_ONCE
from schemas.errors import OdontoError

MOST_WAITING: Final = 200
_limiter: Final[RunVar[CapacityLimiter]] = RunVar("passwords")

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class TooManyAtOnce(OdontoError):
    code = "too_many_at_once"
    status = 503
    title = "Very many people are signing in at this moment. Wait a minute and try again."


async def in_hashing(
    function: Callable[Parameters, Result], *arguments: Parameters.args, **named: Parameters.kwargs
) -> Result:
    """Raises TooManyAtOnce rather than let the line grow without end, and what the function raises."""
    try:
        limiter = _limiter.get()
    except LookupError:
        limiter = CapacityLimiter(AT_ONCE)
        _limiter.set(limiter)
    if limiter.statistics().tasks_waiting >= MOST_WAITING:
        raise TooManyAtOnce()
    return await anyio.to_thread.run_sync(partial(function, *arguments, **named), limiter=limiter)
