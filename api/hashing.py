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
from schemas.translation import N_

MOST_WAITING: Final = 200


class _Line:
    """Those who are served or wait, counted at once: a limiter notices who waits only after a turn of the loop."""

    def __init__(self) -> None:
        self.limiter = CapacityLimiter(AT_ONCE)
        self.length = 0


_line: Final[RunVar[_Line]] = RunVar("passwords")

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class TooManyAtOnce(OdontoError):
    code = "too_many_at_once"
    status = 503
    title = N_("Very many people are signing in at this moment. Wait a minute and try again.")


async def in_hashing(
    function: Callable[Parameters, Result], *arguments: Parameters.args, **named: Parameters.kwargs
) -> Result:
    """Raises TooManyAtOnce rather than let the line grow without end, and what the function raises."""
    try:
        line = _line.get()
    except LookupError:
        line = _Line()
        _line.set(line)
    if line.length >= AT_ONCE + MOST_WAITING:
        raise TooManyAtOnce()
    line.length += 1
    try:
        return await anyio.to_thread.run_sync(partial(function, *arguments, **named), limiter=line.limiter)
    finally:
        line.length -= 1
