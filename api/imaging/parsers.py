"""The API's own file readers: frames that have to be decoded, renderings and redrawn photographs."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Annotated, Final, ParamSpec, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from fastapi import Depends, FastAPI, Request

from activities.imaging.parser.pool import ParserPool
from activities.imaging.readers import open_readers

_CHILDREN: Final = 2
_THREADS: Final = 8
_starting: Final = threading.Lock()
_limiter: Final[RunVar[CapacityLimiter]] = RunVar("images")

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


async def get_parsers(request: Request) -> ParserPool:
    """The process's pool; its children start with the first file that needs one."""
    return parsers_of(request.app)


def parsers_of(app: FastAPI) -> ParserPool:
    with _starting:
        if getattr(app.state, "parsers", None) is None:
            app.state.parsers = open_readers(app.state.settings, _CHILDREN)
        pool: ParserPool = app.state.parsers
        return pool


def close_parsers(app: FastAPI) -> None:
    """At the end of the process."""
    pool: ParserPool | None = getattr(app.state, "parsers", None)
    if pool is not None:
        pool.close()


ParsersDep = Annotated[ParserPool, Depends(get_parsers)]


async def in_images(
    function: Callable[Parameters, Result], *arguments: Parameters.args, **named: Parameters.kwargs
) -> Result:
    """Runs in the images' own threads, so that a long decoding keeps no page waiting for its database read."""
    try:
        limiter = _limiter.get()
    except LookupError:
        limiter = CapacityLimiter(_THREADS)
        _limiter.set(limiter)
    return await anyio.to_thread.run_sync(partial(function, *arguments, **named), limiter=limiter)
