"""A body on its way into a blob: read on the event loop, encrypted and written in a thread, 1 MiB at a time."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Final, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from starlette.requests import ClientDisconnect

from api.tus.protocol import CHECKED_BYTES, BeyondTheEnd, Checksum, PartTooLarge, WrongOffset
from infra.blobs.store import BlobWriter, StorageFailed, StorageFull
from infra.uploads import UploadGone
from schemas.errors import OdontoError

_BUFFER: Final = 1 << 20
_RECHECK_SECONDS: Final = 4.0
"""A session, a person or a case's state that ends stops the uploads under way within 5 s."""
_SILENCE_SECONDS: Final = 60.0
"""A line without a byte for so long is taken for broken. Its upload would be locked for ever, to its own sender too."""
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
    length: int,
    checksum: Checksum | None,
    recheck: Callable[[], None],
) -> int:
    """Appends the body at ``offset`` of a file of ``length`` bytes; returns the durable offset, or ``length`` when all of it
    is there and the caller is to finish the file.

    Raises WrongOffset, BeyondTheEnd, ChecksumMismatch, PartTooLarge, Interrupted, and what ``recheck`` raises; whatever
    came before such an end is durable, except where a checksum did not hold.
    """
    if writer.offset != offset:
        raise WrongOffset()
    room = length - offset
    if checksum is not None:
        too_large = PartTooLarge if room > CHECKED_BYTES else BeyondTheEnd
        whole = await _collect(body, min(room, CHECKED_BYTES), too_large, recheck)
        await in_thread(checksum.check, whole)
        await in_thread(writer.append, whole)
        return await _durable(writer, length)
    try:
        async for piece in _pieces(body, room, recheck):
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


async def _durable(writer: BlobWriter, length: int) -> int:
    """Syncs what is not the end of the file: that is made durable by finishing it, before anything is acknowledged."""
    return length if writer.offset == length else await in_thread(writer.sync)


async def _heard(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The body's chunks. Raises ClientDisconnect after a silence."""
    chunks = aiter(body)
    while True:
        try:
            async with asyncio.timeout(_SILENCE_SECONDS):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise ClientDisconnect from None
        yield chunk


async def _collect(
    body: AsyncIterator[bytes], limit: int, too_large: type[Exception], recheck: Callable[[], None]
) -> bytearray:
    whole = bytearray()
    checked = time.monotonic()
    try:
        async for chunk in _heard(body):
            whole += chunk
            if len(whole) > limit:
                raise too_large()
            if time.monotonic() - checked > _RECHECK_SECONDS:
                await in_thread(recheck)
                checked = time.monotonic()
    except ClientDisconnect:
        raise Interrupted from None
    return whole


async def _pieces(body: AsyncIterator[bytes], room: int, recheck: Callable[[], None]) -> AsyncIterator[bytearray]:
    """Pieces of about 1 MiB. What had arrived is handed over before an end of the line or of the right to go on."""
    buffer = bytearray()
    checked = time.monotonic()
    try:
        async for chunk in _heard(body):
            room -= len(chunk)
            if room < 0:
                raise BeyondTheEnd()
            if time.monotonic() - checked > _RECHECK_SECONDS:
                await in_thread(recheck)
                checked = time.monotonic()
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
