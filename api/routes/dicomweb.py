"""DICOMweb at ``/dicomweb``: QIDO-RS and WADO-RS (PS3.18 §10.4, §10.6) over the images that a requester may see.

Frames go out as they are stored, from byte ranges; decoded only for clients that ask for explicit VR little endian and
for syntaxes that no browser reads, whose metadata describes the decoded frames.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from api.deps import ServicesDep
from api.imaging import media, qido
from api.imaging.access import ImageAccess, ImageAccessDep
from api.imaging.downloads import while_allowed
from api.imaging.lookup import FoundInstance, FoundStudy, need_instance, need_instances, studies
from api.imaging.parsers import ParsersDep, in_images
from api.imaging.pixels import Pictures
from api.services import Services
from schemas.errors import InvalidInput, NotFound

router = APIRouter(prefix="/dicomweb", tags=["dicomweb"])

JSON: Final = "application/dicom+json"
_PRIVATE: Final = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization, Cookie"}
_MAX_FRAMES: Final = 100
_MAX_BYTES: Final = 128 << 20
"""Of several frames in one answer, which is put together in memory; one frame alone may be larger."""

Uid = Annotated[str, Path(pattern=r"^[0-9.]{1,64}$")]


async def get_pictures(services: ServicesDep, parsers: ParsersDep) -> Pictures:
    return Pictures(services.database, services.blobs, parsers)


PicturesDep = Annotated[Pictures, Depends(get_pictures)]


@router.get("/studies")
def search_studies(request: Request, access: ImageAccessDep, services: ServicesDep) -> Response:
    """QIDO-RS: the studies that the requester may see. Keys: StudyInstanceUID, StudyDate, AccessionNumber, ModalitiesInStudy."""
    query = qido.Query.of(request.query_params.multi_items())
    with services.database.read() as session:
        return _found(qido.search_studies(session, access, query, _base(request)), query)


@router.get("/studies/{study}/series")
def search_series(study: Uid, request: Request, access: ImageAccessDep, services: ServicesDep) -> Response:
    """QIDO-RS: the series of a study. Keys: SeriesInstanceUID, Modality, SeriesNumber."""
    query = qido.Query.of(request.query_params.multi_items())
    with services.database.read() as session:
        for found in _need_studies(list(studies(session, access, study))):
            series = qido.search_series(session, found, query, _base(request))
            if series or query.match:
                return _found(series, query)
    raise NotFound()


@router.get("/studies/{study}/instances")
def search_instances(study: Uid, request: Request, access: ImageAccessDep, services: ServicesDep) -> Response:
    """QIDO-RS: the instances of a study. Keys: SeriesInstanceUID, SOPInstanceUID, SOPClassUID, InstanceNumber."""
    return _search_instances(request, access, services, study, None)


@router.get("/studies/{study}/series/{series}/instances")
def search_instances_of_series(
    study: Uid, series: Uid, request: Request, access: ImageAccessDep, services: ServicesDep
) -> Response:
    return _search_instances(request, access, services, study, series)


def _search_instances(
    request: Request, access: ImageAccess, services: Services, study: str, series: str | None
) -> Response:
    query = qido.Query.of(request.query_params.multi_items())
    with services.database.read() as session:
        there = need_instances(session, access, study, series)
    return _found(qido.search_instances(there, query), query)


@router.get("/studies/{study}/metadata")
async def study_metadata(study: Uid, request: Request, access: ImageAccessDep, services: ServicesDep) -> Response:
    return await in_images(_metadata, request, access, services, study)


@router.get("/studies/{study}/series/{series}/metadata")
async def series_metadata(
    study: Uid, series: Uid, request: Request, access: ImageAccessDep, services: ServicesDep
) -> Response:
    """WADO-RS metadata (DICOM JSON, PS3.18 annex F) without bulk data, as it was written at ingest."""
    return await in_images(_metadata, request, access, services, study, series)


@router.get("/studies/{study}/series/{series}/instances/{instance}/metadata")
async def instance_metadata(
    study: Uid, series: Uid, instance: Uid, request: Request, access: ImageAccessDep, services: ServicesDep
) -> Response:
    return await in_images(_metadata, request, access, services, study, series, instance)


def _metadata(
    request: Request,
    access: ImageAccess,
    services: Services,
    study: str,
    series: str | None = None,
    instance: str | None = None,
) -> Response:
    if not media.accepts(request.headers.get("accept", ""), JSON, "application/json"):
        raise media.NotAcceptable()
    with services.database.read() as session:
        found = need_instances(session, access, study, series, instance)
    body = b"[" + b",".join(each.metadata() for each in found) + b"]"
    return Response(body, media_type=JSON, headers=_PRIVATE)


@router.get("/studies/{study}/series/{series}/instances/{instance}/frames/{frames}")
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
    """WADO-RS frames by number from 1, each a part of type ``application/octet-stream`` with its transfer syntax."""
    numbers = [int(number) for number in frames.split(",")]
    if len(numbers) > _MAX_FRAMES:
        raise InvalidInput(f"Ask for at most {_MAX_FRAMES} frames at a time.")

    def answer() -> Response:
        found = _find(services, access, study, series, instance)
        stored = found.instance.transfer_syntax_uid
        decoded = found.is_served_decoded
        if not media.frames_as_stored(request.headers.get("accept", ""), media.EXPLICIT_LE if decoded else stored):
            decoded = decoded or stored not in media.SAME_AS_EXPLICIT
        syntax = media.EXPLICIT_LE if decoded or stored in media.SAME_AS_EXPLICIT else stored
        etag = f'"{found.etag[1:-1]}-{"d" if decoded else "s"}"'
        if _unchanged(request, etag):
            return _not_modified(etag)
        parts = media.Multipart(media.OCTETS)
        body = bytearray()
        for index, frame in enumerate(pictures.frames(found, numbers, decoded=decoded)):
            if index and len(body) + len(frame) > _MAX_BYTES:
                raise InvalidInput("These frames are too large to be sent together. Ask for fewer at a time.")
            body += parts.begin(media.frame_part(syntax), first=index == 0)
            body += frame
        body += parts.end()
        return Response(bytes(body), media_type=None, headers=_typed(parts.content_type, etag))

    return await in_images(answer)


@router.get("/studies/{study}/series/{series}/instances/{instance}")
async def retrieve_instance(
    study: Uid,
    series: Uid,
    instance: Uid,
    request: Request,
    access: ImageAccessDep,
    services: ServicesDep,
    pictures: PicturesDep,
) -> Response:
    """WADO-RS: the instance as it came, as one part or, for ``Accept: application/dicom``, as it is."""
    found = await in_images(_find, services, access, study, series, instance)
    return _whole(request, [found], pictures, lambda: _find(services, access.again(), study, series, instance))


@router.get("/studies/{study}/series/{series}")
async def retrieve_series(
    study: Uid, series: Uid, request: Request, access: ImageAccessDep, services: ServicesDep, pictures: PicturesDep
) -> Response:
    """WADO-RS: all instances of a series, a part each."""

    def find(access: ImageAccess) -> Sequence[FoundInstance]:
        with services.database.read() as session:
            return need_instances(session, access, study, series)

    return _whole(request, await in_images(find, access), pictures, lambda: find(access.again()))


@router.get("/studies/{study}/series/{series}/instances/{instance}/rendered")
async def rendered_instance(
    study: Uid,
    series: Uid,
    instance: Uid,
    request: Request,
    access: ImageAccessDep,
    services: ServicesDep,
    pictures: PicturesDep,
    window: Annotated[str | None, Query(max_length=60)] = None,
    viewport: Annotated[str | None, Query(max_length=40)] = None,
    quality: Annotated[int, Query(ge=1, le=100)] = 90,
) -> Response:
    """The instance's first frame as JPEG. ``window``: centre,width[,linear]; ``viewport``: width,height; ``quality``: 1–100."""
    return await _rendered(request, services, access, pictures, (study, series, instance), 1, window, viewport, quality)


@router.get("/studies/{study}/series/{series}/instances/{instance}/frames/{frame}/rendered")
async def rendered_frame(
    study: Uid,
    series: Uid,
    instance: Uid,
    frame: Annotated[int, Path(ge=1, le=999_999)],
    request: Request,
    access: ImageAccessDep,
    services: ServicesDep,
    pictures: PicturesDep,
    window: Annotated[str | None, Query(max_length=60)] = None,
    viewport: Annotated[str | None, Query(max_length=40)] = None,
    quality: Annotated[int, Query(ge=1, le=100)] = 90,
) -> Response:
    """One frame as JPEG."""
    place = (study, series, instance)
    return await _rendered(request, services, access, pictures, place, frame, window, viewport, quality)


async def _rendered(
    request: Request,
    services: Services,
    access: ImageAccess,
    pictures: Pictures,
    place: tuple[str, str, str],
    frame: int,
    window: str | None,
    viewport: str | None,
    quality: int,
) -> Response:
    _need_jpeg(request)
    chosen = media.numbers(window, 2) if window else None
    side = max(media.numbers(viewport, 2)) if viewport else 4096.0

    def answer() -> Response:
        found = _find(services, access, *place)
        return _jpeg(
            pictures.rendered(
                found,
                frame,
                window=(chosen[0], chosen[1]) if chosen else None,
                max_side=int(min(max(side, 16), 4096)),
                quality=quality,
            )
        )

    return await in_images(answer)


@router.get("/studies/{study}/series/{series}/instances/{instance}/thumbnail")
async def instance_thumbnail(
    study: Uid,
    series: Uid,
    instance: Uid,
    request: Request,
    access: ImageAccessDep,
    services: ServicesDep,
    pictures: PicturesDep,
) -> Response:
    """The instance's middle frame as a small JPEG."""
    _need_jpeg(request)

    def answer() -> Response:
        found = _find(services, access, study, series, instance)
        etag = f'"{found.etag[1:-1]}-t"'
        return _not_modified(etag) if _unchanged(request, etag) else _jpeg(pictures.thumbnail(found), etag)

    return await in_images(answer)


@router.get("/studies/{study}/series/{series}/thumbnail")
async def series_thumbnail(
    study: Uid, series: Uid, request: Request, access: ImageAccessDep, services: ServicesDep, pictures: PicturesDep
) -> Response:
    """The series' middle image as a small JPEG."""
    _need_jpeg(request)

    def answer() -> Response:
        with services.database.read() as session:
            there = need_instances(session, access, study, series)
        return _jpeg(pictures.series_thumbnail(there[len(there) // 2]))

    return await in_images(answer)


def _find(services: Services, access: ImageAccess, study: str, series: str, instance: str) -> FoundInstance:
    with services.database.read() as session:
        return need_instance(session, access, study, series, instance)


def _need_studies(found: list[FoundStudy]) -> list[FoundStudy]:
    if not found:
        raise NotFound()
    return found


def _found(found: list[qido.Attributes], query: qido.Query) -> Response:
    return JSONResponse(found, media_type=JSON, headers={**_PRIVATE, **query.warning})


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/") + "/dicomweb"


def _whole(
    request: Request, found: Sequence[FoundInstance], pictures: Pictures, still: Callable[[], object]
) -> Response:
    stored = {each.instance.transfer_syntax_uid for each in found}
    form = media.instances_as(request.headers.get("accept", ""), stored)
    if form == media.DICOM:
        if len(found) > 1:
            raise media.NotAcceptable()
        (only,) = found
        headers = {**_PRIVATE, "ETag": only.etag, "Content-Length": str(only.file.size)}
        content_type = media.instance_part(only.instance.transfer_syntax_uid)
        return StreamingResponse(
            while_allowed(pictures.whole(only), still), headers=headers | {"Content-Type": content_type}
        )
    parts = media.Multipart(media.DICOM)

    def body() -> Iterator[bytes]:
        for index, each in enumerate(found):
            yield parts.begin(media.instance_part(each.instance.transfer_syntax_uid), first=index == 0)
            yield from pictures.whole(each)
        yield parts.end()

    return StreamingResponse(while_allowed(body(), still), headers=_PRIVATE | {"Content-Type": parts.content_type})


def _need_jpeg(request: Request) -> None:
    if not media.accepts(request.headers.get("accept", ""), "image/jpeg"):
        raise media.NotAcceptable()


def _jpeg(image: bytes, etag: str | None = None) -> Response:
    return Response(image, media_type="image/jpeg", headers=_PRIVATE | ({"ETag": etag} if etag else {}))


def _typed(content_type: str, etag: str) -> dict[str, str]:
    return _PRIVATE | {"Content-Type": content_type, "ETag": etag}


def _unchanged(request: Request, etag: str) -> bool:
    return etag in {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}


def _not_modified(etag: str) -> Response:
    return Response(status_code=304, headers=_PRIVATE | {"ETag": etag})
