"""WADO-RS (PS3.18 §10.4): studies, series and instances as they came, their metadata, and their frames.

Frames go out as they are stored, from byte ranges; decoded only for clients that ask for explicit VR little endian and
for syntaxes that no browser reads, whose metadata describes the decoded frames.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse

from api.deps import ServicesDep
from api.imaging import media
from api.imaging.access import ImageAccess, ImageAccessDep
from api.imaging.conditional import Content, is_unchanged, not_modified
from api.imaging.downloads import send, while_allowed
from api.imaging.lookup import FoundInstance, need_instance, need_instances
from api.imaging.parsers import in_images
from api.imaging.pixels import Pictures
from api.routes.dicomweb.serving import PRIVATE, DicomwebRoute, PicturesDep, Uid, need_json, readable, root_of
from api.services import Services
from schemas.errors import InvalidInput

router = APIRouter(route_class=DicomwebRoute)

MAX_FRAMES: Final = 100
MAX_BYTES: Final = 128 << 20
"""Of several frames in one answer, which is put together in memory; one frame alone may be larger."""


@readable(router, "/studies/{study}/metadata")
async def study_metadata(study: Uid, request: Request, access: ImageAccessDep, services: ServicesDep) -> Response:
    """Metadata of all instances of a study."""
    return await in_images(_metadata, request, access, services, study)


@readable(router, "/studies/{study}/series/{series}/metadata")
async def series_metadata(
    study: Uid, series: Uid, request: Request, access: ImageAccessDep, services: ServicesDep
) -> Response:
    """Metadata (DICOM JSON, PS3.18 annex F) without bulk data, as it was written at ingest."""
    return await in_images(_metadata, request, access, services, study, series)


@readable(router, "/studies/{study}/series/{series}/instances/{instance}/metadata")
async def instance_metadata(
    study: Uid, series: Uid, instance: Uid, request: Request, access: ImageAccessDep, services: ServicesDep
) -> Response:
    """Metadata of one instance."""
    return await in_images(_metadata, request, access, services, study, series, instance)


def _metadata(
    request: Request,
    access: ImageAccess,
    services: Services,
    study: str,
    series: str | None = None,
    instance: str | None = None,
) -> Response:
    need_json(request)
    with services.database.read() as session:
        found = need_instances(session, access, study, series, instance)
    etag = _etag_of_all(found)
    if is_unchanged(request, etag):
        return not_modified(etag, PRIVATE)
    root = root_of(request)
    body = b"[" + b",".join(each.metadata(root) for each in found) + b"]"
    return Response(body, media_type=media.JSON, headers=PRIVATE | {"ETag": etag})


@router.get("/studies/{study}/series/{series}/instances/{instance}/frames/{frames}", response_class=Response)
async def frames(
    study: Uid,
    series: Uid,
    instance: Uid,
    frames: Annotated[str, Path(pattern=r"^[0-9]{1,6}(,[0-9]{1,6})*$")],
    request: Request,
    access: ImageAccessDep,
    services: ServicesDep,
    pictures: PicturesDep,
) -> Response:
    """Frames by number from 1, each a part with its transfer syntax; one alone as ``application/octet-stream``, too."""
    numbers = [int(number) for number in frames.split(",")]
    if len(numbers) > MAX_FRAMES:
        raise InvalidInput(f"Ask for at most {MAX_FRAMES} frames at a time.")

    def answer() -> Response:
        found = _find(services, access, study, series, instance)
        stored = found.instance.transfer_syntax_uid
        form = media.frames_as(
            media.accept_of(request), media.EXPLICIT_LE if found.is_served_decoded else stored, count=len(numbers)
        )
        decoded = found.is_served_decoded or (form.decoded and stored not in media.SAME_AS_EXPLICIT)
        syntax = media.EXPLICIT_LE if decoded or stored in media.SAME_AS_EXPLICIT else stored
        etag = f'"{found.etag[1:-1]}-{"d" if decoded else "s"}"'
        if is_unchanged(request, etag):
            return not_modified(etag, PRIVATE)
        part = media.frame_part(form.media, syntax)
        there = pictures.frames(found, numbers, decoded=decoded)
        if form.single:
            (frame,) = there
            return Response(frame, media_type=None, headers=_typed(part, etag))
        parts = media.Multipart(form.media)
        body = bytearray()
        for index, frame in enumerate(there):
            if index and len(body) + len(frame) > MAX_BYTES:
                raise InvalidInput("These frames are too large to be sent together. Ask for fewer at a time.")
            body += parts.begin(part, first=index == 0)
            body += frame
        body += parts.end()
        return Response(bytes(body), media_type=None, headers=_typed(parts.content_type, etag))

    return await in_images(answer)


@readable(router, "/studies/{study}/series/{series}/instances/{instance}/bulkdata/{tag}")
async def bulk_data(
    study: Uid,
    series: Uid,
    instance: Uid,
    tag: Annotated[str, Path(pattern=r"^[0-9A-Fa-f]{8}$")],
    request: Request,
    access: ImageAccessDep,
    services: ServicesDep,
    pictures: PicturesDep,
) -> Response:
    """A value that the metadata refers to (BulkDataURI), or a range of it."""
    found = await in_images(_find, services, access, study, series, instance)
    offset, length = found.bulk(int(tag, 16))

    def still() -> None:
        _find(services, access.again(), study, series, instance)

    def read(begin: int, size: int) -> Iterator[bytes]:
        return pictures.whole(found, offset + begin, size)

    etag = f'"{found.etag[1:-1]}-{tag.lower()}"'
    if not media.octets_in_parts(media.accept_of(request)):
        return send(request, Content(length, etag, PRIVATE | {"Content-Type": media.OCTETS}, read), still)
    if is_unchanged(request, etag):
        return not_modified(etag, PRIVATE)
    parts = media.Multipart(media.OCTETS)

    def body() -> Iterator[bytes]:
        yield parts.begin(media.OCTETS, first=True)
        yield from read(0, length)
        yield parts.end()

    return StreamingResponse(while_allowed(body(), still), headers=_typed(parts.content_type, etag))


@readable(router, "/studies/{study}/series/{series}/instances/{instance}")
async def retrieve_instance(
    study: Uid,
    series: Uid,
    instance: Uid,
    request: Request,
    access: ImageAccessDep,
    services: ServicesDep,
    pictures: PicturesDep,
) -> Response:
    """The instance as it came, as one part or, for ``Accept: application/dicom``, as it is, or a range of it."""
    return await _whole(request, access, services, pictures, study, series, instance)


@readable(router, "/studies/{study}/series/{series}")
async def retrieve_series(
    study: Uid, series: Uid, request: Request, access: ImageAccessDep, services: ServicesDep, pictures: PicturesDep
) -> Response:
    """All instances of a series, a part each."""
    return await _whole(request, access, services, pictures, study, series)


@readable(router, "/studies/{study}")
async def retrieve_study(
    study: Uid, request: Request, access: ImageAccessDep, services: ServicesDep, pictures: PicturesDep
) -> Response:
    """All instances of a study, a part each."""
    return await _whole(request, access, services, pictures, study)


async def _whole(
    request: Request,
    access: ImageAccess,
    services: Services,
    pictures: Pictures,
    study: str,
    series: str | None = None,
    instance: str | None = None,
) -> Response:
    def find(access: ImageAccess) -> Sequence[FoundInstance]:
        with services.database.read() as session:
            return need_instances(session, access, study, series, instance)

    def still() -> None:
        find(access.again())

    found = await in_images(find, access)
    form = media.instances_as(
        media.accept_of(request), {each.instance.transfer_syntax_uid for each in found}, count=len(found)
    )
    if form == media.DICOM:
        return send(request, as_it_came(found[0], pictures), still)
    etag = _etag_of_all(found)
    if is_unchanged(request, etag):
        return not_modified(etag, PRIVATE)
    return _in_parts(found, pictures, etag, still)


def as_it_came(found: FoundInstance, pictures: Pictures) -> Content:
    content_type = media.instance_part(found.instance.transfer_syntax_uid)

    def read(offset: int, length: int) -> Iterator[bytes]:
        return pictures.whole(found, offset, length)

    return Content(found.file.size, found.etag, PRIVATE | {"Content-Type": content_type}, read)


def _in_parts(
    found: Sequence[FoundInstance], pictures: Pictures, etag: str, still: Callable[[], object]
) -> StreamingResponse:
    parts = media.Multipart(media.DICOM)

    def body() -> Iterator[bytes]:
        for index, each in enumerate(found):
            yield parts.begin(media.instance_part(each.instance.transfer_syntax_uid), first=index == 0)
            yield from pictures.whole(each)
        yield parts.end()

    return StreamingResponse(while_allowed(body(), still), headers=_typed(parts.content_type, etag))


def _find(services: Services, access: ImageAccess, study: str, series: str, instance: str) -> FoundInstance:
    with services.database.read() as session:
        return need_instance(session, access, study, series, instance)


def _etag_of_all(found: Sequence[FoundInstance]) -> str:
    return f'"{media.tag_of_all(each.etag for each in found)}"'


def _typed(content_type: str, etag: str) -> dict[str, str]:
    return PRIVATE | {"Content-Type": content_type, "ETag": etag}
