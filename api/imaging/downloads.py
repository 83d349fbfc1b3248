"""Long answers: sent in pieces by the images' own threads, and only as long as the right to them lasts."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from types import TracebackType
from typing import Final, Protocol, Self
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from api.errors import problem
from api.imaging.conditional import Content, RangeNotSatisfiable, is_unchanged, not_modified, wanted_range
from api.imaging.parsers import in_images
from api.rechecking import Recheck
from schemas.files import FileKind

INERT: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}
"""What came from outside is never shown by the browser under our origin: it is saved, and could run nothing if opened."""
_TYPES: Final[Mapping[str, str]] = {
    FileKind.DICOM: "application/dicom",
    FileKind.DOCUMENT: "application/pdf",
    FileKind.SURFACE: "model/stl",
}


async def while_allowed(pieces: Iterator[bytes], still: Callable[[], object]) -> AsyncIterator[bytes]:
    """The pieces, until ``still`` raises. The answer has begun by then, so its connection breaks: no client takes what
    has arrived for the whole.
    """
    recheck = Recheck(still, in_images)
    while (piece := await in_images(next, pieces, None)) is not None:
        await recheck.when_due()
        yield piece


def send(request: Request, content: Content, still: Callable[[], object]) -> Response:
    """The content or its wanted part, as long as ``still`` does not raise; 304, 206 and 416 where they belong."""
    if is_unchanged(request, content.etag):
        return not_modified(content.etag, content.headers)
    headers = {**content.headers, "ETag": content.etag, "Accept-Ranges": "bytes"}
    try:
        part = wanted_range(request.headers, content.etag, content.size)
    except RangeNotSatisfiable as fact:
        return problem(fact, headers={"Content-Range": f"bytes */{content.size}"})
    offset, length = part or (0, content.size)
    headers["Content-Length"] = str(length)
    if part is not None:
        headers["Content-Range"] = f"bytes {offset}-{offset + length - 1}/{content.size}"
    if request.method == "HEAD":
        return Response(status_code=206 if part else 200, headers=headers)
    return StreamingResponse(
        while_allowed(content.read(offset, length), still), status_code=206 if part else 200, headers=headers
    )


class Sent(Protocol):
    """What can be sent from any byte on: a blob's reader, or what is made of one."""

    def stream(self, offset: int = 0, length: int | None = None) -> Iterator[bytes]: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


async def attachment(
    request: Request,
    opened: Callable[[], Sent],
    *,
    name: str,
    kind: str,
    size: int,
    sha256: str,
    still: Callable[[], object],
) -> Response:
    """A checked file as it came, or a range of it, under its own name, to be saved; as long as ``still`` does not raise.

    What cannot be opened is an answer of its own, and no download that breaks: raises what the blob store raises.
    """

    def check() -> None:
        with opened():
            pass

    def read(offset: int, length: int) -> Iterator[bytes]:
        # Opened here: where the client has left before the first byte, nobody would close what was opened before.
        with opened() as reader:
            yield from reader.stream(offset, length)

    await in_images(check)
    headers = INERT | {
        "Content-Type": _TYPES.get(kind, "application/octet-stream"),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
    }
    return send(request, Content(size, f'"{sha256[:32]}"', headers, read), still)
