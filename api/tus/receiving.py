"""A body on its way into a blob: read on the event loop, encrypted and written in a thread, 1 MiB at a time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect

from api.rechecking import Recheck
from api.tus.protocol import CHECKED_BYTES, BeyondTheEnd, Checksum, PartTooLarge, WrongOffset
from infra.blobs.store import BlobWriter, StorageFailed, StorageFull
from infra.database import now
from infra.uploads import UploadGone
from schemas.errors import OdontoError

_BUFFER: Final = 1 << 20
SILENCE_SECONDS: Final = 60.0
"""A line without a byte for so long is taken for broken. Its upload would be locked for ever, to its own sender too."""
_LISTEN_SECONDS: Final = 1.0
"""After so long without a byte a line is given up to a newer request of the same sender."""
_limiter: Final[RunVar[CapacityLimiter]] = RunVar("uploads")
_THREADS: Final = 16

Result = TypeVar("Result")


async def in_thread(function: Callable[..., Result], *arguments: object) -> Result:
    """Runs in the uploads' own threads: a slow disk keeps no database read waiting. A thread that began always ends."""
    try:
        limiter = _limiter.get()
    except LookupError:
        limiter = CapacityLimiter(_THREADS)
        _limiter.set(limiter)
    return await anyio.to_thread.run_sync(partial(function, *arguments), limiter=limiter)


class Interrupted(Exception):
    """The client is gone; what arrived is durable."""


async def receive(
    writer: BlobWriter,
    body: AsyncIterator[bytes],
    *,
    offset: int,
    length: int | None,
    room: int,
    checksum: Checksum | None,
    still: Callable[[], None],
    is_claimed: Callable[[datetime], bool],
) -> int:
    """Appends the body, of at most ``room`` bytes, at ``offset`` of a file of ``length`` bytes, if that is known; returns the
    durable offset, or ``length`` when all of it is there and the caller is to finish the file.

    ``still`` is asked every few seconds while bytes arrive. ``is_claimed`` is asked while none do: whether a newer request
    of the sender has come since that moment, so that this one's line is taken for broken.

    Raises WrongOffset, BeyondTheEnd, ChecksumMismatch, PartTooLarge, Interrupted, and what ``still`` raises; whatever
    came before such an end is durable, except where a checksum did not hold.
    """
    if writer.offset != offset:
        raise WrongOffset()
    chunks = _Line(body, is_claimed).chunks()
    recheck = Recheck(still, in_thread)
    if checksum is not None:
        too_large = PartTooLarge if room > CHECKED_BYTES else BeyondTheEnd
        whole = await _collect(chunks, min(room, CHECKED_BYTES), too_large, recheck)
        await in_thread(checksum.check, whole)
        await in_thread(writer.append, whole)
        return await _durable(writer, length)
    try:
        async for piece in _pieces(chunks, room, recheck):
            await in_thread(writer.append, piece)
    except ClientDisconnect:
        await in_thread(writer.sync)
        raise Interrupted from None
    except (StorageFailed, StorageFull, UploadGone):
        raise  # the writer is not to be used any more; what it had synced stays, or is to be deleted
    except OdontoError:
        await in_thread(writer.sync)
        raise
    return await _durable(writer, length)


async def _durable(writer: BlobWriter, length: int | None) -> int:
    """Syncs what is not the end of the file: that is made durable by finishing it, before anything is acknowledged."""
    return writer.offset if writer.offset == length else await in_thread(writer.sync)


class _Line:
    """The line that a body comes over."""

    def __init__(self, body: AsyncIterator[bytes], is_claimed: Callable[[datetime], bool]) -> None:
        self._body = body
        self._is_claimed = is_claimed
        self._heard = now()
        self._wait: asyncio.Timeout | None = None

    async def chunks(self) -> AsyncIterator[bytes]:
        """Raises ClientDisconnect after a long silence, and after a short one once a newer request of the sender is there:
        who lost the network is back before this side has noticed."""
        chunks = aiter(self._body)
        watch = asyncio.create_task(self._listen())
        try:
            while True:
                try:
                    async with asyncio.timeout(SILENCE_SECONDS) as self._wait:
                        chunk = await anext(chunks)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    raise ClientDisconnect from None
                finally:
                    self._wait = None
                self._heard = now()
                yield chunk
        finally:
            watch.cancel()

    async def _listen(self) -> None:
        while True:
            await asyncio.sleep(_LISTEN_SECONDS)
            heard = self._heard
            if self._wait is None or now() - heard < timedelta(seconds=_LISTEN_SECONDS):
                continue
            with contextlib.suppress(SQLAlchemyError):  # a database that is away says nothing about the line
                if await in_thread(self._is_claimed, heard) and self._heard == heard and self._wait is not None:
                    self._wait.reschedule(asyncio.get_running_loop().time())


async def _collect(chunks: AsyncIterator[bytes], limit: int, too_large: type[Exception], recheck: Recheck) -> bytearray:
    whole = bytearray()
    try:
        async for chunk in chunks:
            whole += chunk
            if len(whole) > limit:
                raise too_large()
            await recheck.when_due()
    except ClientDisconnect:
        raise Interrupted from None
    return whole


async def _pieces(chunks: AsyncIterator[bytes], room: int, recheck: Recheck) -> AsyncIterator[bytearray]:
    """Pieces of about 1 MiB. What had arrived is handed over before an end of the line or of the right to go on."""
    buffer = bytearray()
    try:
        async for chunk in chunks:
            room -= len(chunk)
            if room < 0:
                raise BeyondTheEnd()
            await recheck.when_due()
            buffer += chunk
            if len(buffer) >= _BUFFER:
                yield buffer
                buffer = bytearray()
    except ClientDisconnect:
        if buffer:
            yield buffer
        raise
    if buffer:
        yield buffer
