"""WADO-RS renderings and thumbnails (PS3.18 §10.4.1.1.3, §10.4.1.1.4): JPEG of instances and frames; the middle one
stands for a series, the first series for a study."""

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.deps import ServicesDep
from api.imaging import media
from api.imaging.access import ImageAccess, ImageAccessDep
from api.imaging.conditional import is_unchanged, not_modified
from api.imaging.downloads import while_allowed
from api.imaging.lookup import FoundInstance, need_instances
from api.imaging.parsers import in_images
from api.imaging.pixels import THUMBNAIL_SIDE, Pictures
from api.routes.dicomweb.serving import PRIVATE, DicomwebRoute, PicturesDep, Uid, readable
from api.services import Services

router = APIRouter(route_class=DicomwebRoute)

_MOST: Final = 4096
"""Pixels of a side."""


class Rendering:
    """How a picture is drawn. ``window``: centre,width[,linear]; ``viewport``: width,height; ``quality``: 1–100."""

    def __init__(
        self,
        window: Annotated[str | None, Query(max_length=60)] = None,
        viewport: Annotated[str | None, Query(max_length=40)] = None,
        quality: Annotated[int, Query(ge=1, le=100)] = 90,
    ) -> None:
        chosen = media.numbers(window, 2) if window else None
        side = max(media.numbers(viewport, 2)) if viewport else float(_MOST)
        self.window = (chosen[0], chosen[1]) if chosen else None
        self.max_side = int(min(max(side, 16), _MOST))
        self.quality = quality

    def draw(self, pictures: Pictures, found: FoundInstance, frame: int) -> bytes:
        return pictures.rendered(found, frame, window=self.window, max_side=self.max_side, quality=self.quality)


RenderingDep = Annotated[Rendering, Depends()]
Frame = Annotated[int, Path(ge=1, le=999_999)]


@router.get("/studies/{study}/series/{series}/instances/{instance}/rendered", response_class=Response)
async def rendered_instance(
    study: Uid,
    series: Uid,
    instance: Uid,
    request: Request,
    access: ImageAccessDep,
    services: ServicesDep,
    pictures: PicturesDep,
    rendering: RenderingDep,
) -> Response:
    """The instance's first frame as JPEG. ``window``: centre,width[,linear]; ``viewport``: width,height; ``quality``: 1–100."""
    return await _rendered(request, access, services, pictures, rendering, (study, series, instance), 1)


@router.get("/studies/{study}/series/{series}/instances/{instance}/frames/{frame}/rendered", response_class=Response)
async def rendered_frame(
    study: Uid,
    series: Uid,
    instance: Uid,
    frame: Frame,
    request: Request,
    access: ImageAccessDep,
    services: ServicesDep,
    pictures: PicturesDep,
    rendering: RenderingDep,
) -> Response:
    """One frame as JPEG."""
    return await _rendered(request, access, services, pictures, rendering, (study, series, instance), frame)


async def _rendered(
    request: Request,
    access: ImageAccess,
    services: Services,
    pictures: Pictures,
    rendering: Rendering,
    place: tuple[str, str, str],
    frame: int,
) -> Response:
    _need_jpeg(request)

    def answer() -> Response:
        (found, *_) = _find(services, access, *place)
        return _jpeg(rendering.draw(pictures, found, frame))

    return await in_images(answer)


@router.get("/studies/{study}/series/{series}/rendered", response_class=Response)
async def rendered_series(
    study: Uid,
    series: Uid,
    request: Request,
    access: ImageAccessDep,
    services: ServicesDep,
    pictures: PicturesDep,
    rendering: RenderingDep,
) -> Response:
    """The first frame of every instance of a series as JPEG, a part each."""
    return await _all_rendered(request, access, services, pictures, rendering, study, series)


@router.get("/studies/{study}/rendered", response_class=Response)
async def rendered_study(
    study: Uid,
    request: Request,
    access: ImageAccessDep,
    services: ServicesDep,
    pictures: PicturesDep,
    rendering: RenderingDep,
) -> Response:
    """The first frame of every instance of a study as JPEG, a part each."""
    return await _all_rendered(request, access, services, pictures, rendering, study)


async def _all_rendered(
    request: Request,
    access: ImageAccess,
    services: Services,
    pictures: Pictures,
    rendering: Rendering,
    study: str,
    series: str | None = None,
) -> Response:
    if not media.accepts(media.accept_of(request), media.MULTIPART):
        raise media.NotAcceptable()
    found = await in_images(_find, services, access, study, series)
    parts = media.Multipart(media.JPEG)

    def body() -> Iterator[bytes]:
        for index, each in enumerate(found):
            yield parts.begin(media.JPEG, first=index == 0) + rendering.draw(pictures, each, 1)
        yield parts.end()

    def still() -> None:
        _find(services, access.again(), study, series)

    headers = PRIVATE | {"Content-Type": parts.content_type}
    return StreamingResponse(while_allowed(body(), still), headers=headers)


@readable(router, "/studies/{study}/series/{series}/instances/{instance}/frames/{frame}/thumbnail")
async def frame_thumbnail(
    study: Uid,
    series: Uid,
    instance: Uid,
    frame: Frame,
    request: Request,
    access: ImageAccessDep,
    services: ServicesDep,
    pictures: PicturesDep,
) -> Response:
    """One frame as a small JPEG."""

    def draw(found: Sequence[FoundInstance]) -> bytes:
        return pictures.rendered(found[0], frame, max_side=THUMBNAIL_SIDE, quality=82)

    return await _thumbnail(request, access, services, draw, str(frame), study, series, instance)


@readable(router, "/studies/{study}/series/{series}/instances/{instance}/thumbnail")
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

    def draw(found: Sequence[FoundInstance]) -> bytes:
        return pictures.thumbnail(found[0])

    return await _thumbnail(request, access, services, draw, "t", study, series, instance)


@readable(router, "/studies/{study}/series/{series}/thumbnail")
async def series_thumbnail(
    study: Uid, series: Uid, request: Request, access: ImageAccessDep, services: ServicesDep, pictures: PicturesDep
) -> Response:
    """The series' middle image as a small JPEG."""

    def draw(found: Sequence[FoundInstance]) -> bytes:
        return pictures.thumbnail(found[len(found) // 2])

    return await _thumbnail(request, access, services, draw, "s", study, series)


@readable(router, "/studies/{study}/thumbnail")
async def study_thumbnail(
    study: Uid, request: Request, access: ImageAccessDep, services: ServicesDep, pictures: PicturesDep
) -> Response:
    """The middle image of the study's first series as a small JPEG."""

    def draw(found: Sequence[FoundInstance]) -> bytes:
        first = [each for each in found if each.series.id == found[0].series.id]
        return pictures.thumbnail(first[len(first) // 2])

    return await _thumbnail(request, access, services, draw, "y", study)


async def _thumbnail(
    request: Request,
    access: ImageAccess,
    services: Services,
    draw: Callable[[Sequence[FoundInstance]], bytes],
    what: str,
    study: str,
    series: str | None = None,
    instance: str | None = None,
) -> Response:
    _need_jpeg(request)

    def answer() -> Response:
        found = _find(services, access, study, series, instance)
        etag = f'"{media.tag_of_all(each.etag for each in found)}-{what}"'
        return not_modified(etag, PRIVATE) if is_unchanged(request, etag) else _jpeg(draw(found), etag)

    return await in_images(answer)


def _find(
    services: Services, access: ImageAccess, study: str, series: str | None = None, instance: str | None = None
) -> Sequence[FoundInstance]:
    with services.database.read() as session:
        return need_instances(session, access, study, series, instance)


def _need_jpeg(request: Request) -> None:
    if not media.accepts(media.accept_of(request), media.JPEG):
        raise media.NotAcceptable()


def _jpeg(image: bytes, etag: str | None = None) -> Response:
    return Response(image, media_type=media.JPEG, headers=PRIVATE | ({"ETag": etag} if etag else {}))
