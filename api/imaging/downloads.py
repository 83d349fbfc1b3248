"""Long answers: sent in pieces by the images' own threads, and only as long as the right to them lasts."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final
from urllib.parse import quote

from fastapi.responses import StreamingResponse

from api.imaging.parsers import in_images
from infra.blobs.store import BlobStore
from infra.keys import DataKey

INERT: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}
"""What came from outside is never shown by the browser under our origin: it is saved, and could run nothing if opened."""
_TYPES: Final = {"dicom": "application/dicom", "document": "application/pdf"}
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


async def attachment(
    blobs: BlobStore,
    blob_id: str,
    key: DataKey,
    *,
    name: str,
    kind: str,
    size: int,
    still: Callable[[], object],
) -> StreamingResponse:
    """A checked file as it came, under its own name, to be saved; as long as ``still`` does not raise.

    What cannot be opened is an answer of its own, and no download that breaks: raises what the blob store raises.
    """

    def check() -> None:
        with blobs.reader(blob_id, key.secret):
            pass

    def body() -> Iterator[bytes]:
        # Opened here: where the client has left before the first byte, nobody would close what was opened before.
        with blobs.reader(blob_id, key.secret) as reader:
            yield from reader.stream()

    await in_images(check)
    return StreamingResponse(
        while_allowed(body(), still),
        media_type=_TYPES.get(kind, "application/octet-stream"),
        headers=INERT
        | {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "Content-Length": str(size),
        },
    )
