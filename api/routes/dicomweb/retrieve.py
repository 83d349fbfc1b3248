"""WADO-RS (PS3.18 §10.4): studies, series and instances as they came, their metadata, and their frames.

Frames go out as they are stored, from byte ranges; decoded only for clients that ask for explicit VR little endian and
for syntaxes that no browser reads, whose metadata describes the decoded frames.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response
from fastapi.responses import StreamingResponse

from api.imaging import media
from api.imaging.conditional import Content, is_unchanged, not_modified
from api.imaging.downloads import send, while_allowed
from api.imaging.lookup import FoundInstance, Listed
from api.imaging.parsers import in_images
from api.imaging.pixels import Pictures
from api.imaging.texts import texts_of
from api.routes.dicomweb.serving import (
    PRIVATE,
    DicomwebRoute,
    OfInstance,
    OfSeries,
    OfStudy,
    Retrieval,
    need_json,
    private,
    readable,
    root_of,
)
from schemas.errors import InvalidInput

router = APIRouter(route_class=DicomwebRoute)

MAX_FRAMES: Final = 100
MAX_BYTES: Final = 128 << 20
"""Of several frames in one answer, which is put together in memory; one frame alone may be larger."""


@readable(router, "/studies/{study}/metadata")
async def study_metadata(asked: OfStudy) -> Response:
    """Metadata of all instances of a study."""
    return await in_images(_metadata, asked)


@readable(router, "/studies/{study}/series/{series}/metadata")
async def series_metadata(asked: OfSeries) -> Response:
    """Metadata (DICOM JSON, PS3.18 annex F) without bulk data, as it was written at ingest."""
    return await in_images(_metadata, asked)


@readable(router, "/studies/{study}/series/{series}/instances/{instance}/metadata")
async def instance_metadata(asked: OfInstance) -> Response:
    """Metadata of one instance."""
    return await in_images(_metadata, asked)


def _metadata(asked: Retrieval) -> Response:
    need_json(asked.request)
    listed = asked.listing()
    etag = _etag_of_all(listed)
    if is_unchanged(asked.request, etag):
        return not_modified(etag, PRIVATE)
    root = root_of(asked.request)

    def written() -> bytes:
        return b"[" + b",".join(each.metadata(root) for each in asked.instances()) + b"]"

    # An instance's metadata are written once, when it is read.
    name = media.tag_of_all((root, *(each.instance_id for each in listed)))
    body = texts_of(asked.request.app).get(name, written)
    return Response(body, headers=private(media.JSON, etag))


@router.get("/studies/{study}/series/{series}/instances/{instance}/frames/{frames}", response_class=Response)
async def frames(
    frames: Annotated[str, Path(pattern=r"^[0-9]{1,6}(,[0-9]{1,6})*$")],
    asked: OfInstance,
) -> Response:
    """Frames by number from 1, each a part with its transfer syntax; one alone as ``application/octet-stream``, too."""
    numbers = [int(number) for number in frames.split(",")]
    if len(numbers) > MAX_FRAMES:
        raise InvalidInput(f"Ask for at most {MAX_FRAMES} frames at a time.")
    return await in_images(_frames, asked, numbers)


def _frames(asked: Retrieval, numbers: list[int]) -> Response:
    found = asked.instance()
    stored = found.instance.transfer_syntax_uid
    form = media.frames_as(
        media.accept_of(asked.request), media.EXPLICIT_LE if found.is_served_decoded else stored, count=len(numbers)
    )
    decoded = found.is_served_decoded or (form.decoded and stored not in media.SAME_AS_EXPLICIT)
    syntax = media.EXPLICIT_LE if decoded or stored in media.SAME_AS_EXPLICIT else stored
    etag = f'"{found.etag[1:-1]}-{"d" if decoded else "s"}"'
    if is_unchanged(asked.request, etag):
        return not_modified(etag, PRIVATE)
    part = media.frame_part(form.media, syntax)
    there = asked.pictures.frames(found, numbers, decoded=decoded)
    if form.single:
        (frame,) = there
        return Response(frame, media_type=None, headers=private(part, etag))
    answer = media.Multipart(form.media)
    body = b"".join(answer.body((part, (frame,)) for frame in _bounded(there)))
    return Response(body, media_type=None, headers=private(answer.content_type, etag))


def _bounded(frames: Iterator[bytes]) -> Iterator[bytes]:
    """Raises InvalidInput at the frame that is too much."""
    total = 0
    for frame in frames:
        if total and total + len(frame) > MAX_BYTES:
            raise InvalidInput("These frames are too large to be sent together. Ask for fewer at a time.")
        total += len(frame)
        yield frame


@readable(router, "/studies/{study}/series/{series}/instances/{instance}/bulkdata/{tag}")
async def bulk_data(tag: Annotated[str, Path(pattern=r"^[0-9A-Fa-f]{8}$")], asked: OfInstance) -> Response:
    """A value that the metadata refers to (BulkDataURI), or a range of it."""
    found = await in_images(asked.instance)
    offset, length = found.bulk(int(tag, 16))

    def read(begin: int, size: int) -> Iterator[bytes]:
        return asked.pictures.whole(found, offset + begin, size)

    etag = f'"{found.etag[1:-1]}-{tag.lower()}"'
    if media.octets_in_parts(media.accept_of(asked.request)):
        return _in_parts(asked, media.OCTETS, [(media.OCTETS, read(0, length))], etag)
    return send(asked.request, Content(length, etag, private(media.OCTETS), read), asked.check_again)


@readable(router, "/studies/{study}/series/{series}/instances/{instance}")
async def retrieve_instance(asked: OfInstance) -> Response:
    """The instance as it came, as one part or, for ``Accept: application/dicom``, as it is, or a range of it."""
    return await _whole(asked)


@readable(router, "/studies/{study}/series/{series}")
async def retrieve_series(asked: OfSeries) -> Response:
    """All instances of a series, a part each."""
    return await _whole(asked)


@readable(router, "/studies/{study}")
async def retrieve_study(asked: OfStudy) -> Response:
    """All instances of a study, a part each."""
    return await _whole(asked)


async def _whole(asked: Retrieval) -> Response:
    found = await in_images(asked.instances)
    syntaxes = [each.instance.transfer_syntax_uid for each in found]
    form = media.instances_as(media.accept_of(asked.request), set(syntaxes), count=len(found))
    if form == media.DICOM:
        return send(asked.request, as_it_came(found[0], asked.pictures), asked.check_again)
    parts = (
        (media.instance_part(syntax), asked.pictures.whole(each)) for syntax, each in zip(syntaxes, found, strict=True)
    )
    return _in_parts(asked, media.DICOM, parts, _etag_of_all(found))


def as_it_came(found: FoundInstance, pictures: Pictures) -> Content:
    def read(offset: int, length: int) -> Iterator[bytes]:
        return pictures.whole(found, offset, length)

    content_type = media.instance_part(found.instance.transfer_syntax_uid)
    return Content(found.file.size, found.etag, private(content_type), read)


def _in_parts(asked: Retrieval, inner: str, parts: Iterable[tuple[str, Iterable[bytes]]], etag: str) -> Response:
    if is_unchanged(asked.request, etag):
        return not_modified(etag, PRIVATE)
    answer = media.Multipart(inner)
    pieces = while_allowed(answer.body(parts), asked.check_again)
    return StreamingResponse(pieces, headers=private(answer.content_type, etag))


def _etag_of_all(found: Sequence[FoundInstance | Listed]) -> str:
    return f'"{media.tag_of_all(each.etag for each in found)}"'
