"""WADO-RS renderings and thumbnails (PS3.18 §10.4.1.1.3, §10.4.1.1.4): JPEG of instances and frames; the middle one
stands for a series, the first series for a study."""

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.imaging import media
from api.imaging.conditional import is_unchanged, not_modified
from api.imaging.downloads import while_allowed
from api.imaging.lookup import FoundInstance
from api.imaging.parsers import in_images
from api.imaging.pixels import THUMBNAIL_SIDE, Pictures
from api.routes.dicomweb.serving import (
    PRIVATE,
    DicomwebRoute,
    OfInstance,
    OfSeries,
    OfStudy,
    Retrieval,
    private,
    readable,
)

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
async def rendered_instance(asked: OfInstance, rendering: RenderingDep) -> Response:
    """The instance's first frame as JPEG. ``window``: centre,width[,linear]; ``viewport``: width,height; ``quality``: 1–100."""
    return await _rendered(asked, rendering, 1)


@router.get("/studies/{study}/series/{series}/instances/{instance}/frames/{frame}/rendered", response_class=Response)
async def rendered_frame(frame: Frame, asked: OfInstance, rendering: RenderingDep) -> Response:
    """One frame as JPEG."""
    return await _rendered(asked, rendering, frame)


async def _rendered(asked: Retrieval, rendering: Rendering, frame: int) -> Response:
    _need_jpeg(asked.request)
    image = await in_images(lambda: rendering.draw(asked.pictures, asked.instance(), frame))
    return Response(image, headers=private(media.JPEG))


@router.get("/studies/{study}/series/{series}/rendered", response_class=Response)
async def rendered_series(asked: OfSeries, rendering: RenderingDep) -> Response:
    """The first frame of every instance of a series as JPEG, a part each."""
    return await _all_rendered(asked, rendering)


@router.get("/studies/{study}/rendered", response_class=Response)
async def rendered_study(asked: OfStudy, rendering: RenderingDep) -> Response:
    """The first frame of every instance of a study as JPEG, a part each."""
    return await _all_rendered(asked, rendering)


async def _all_rendered(asked: Retrieval, rendering: Rendering) -> Response:
    if not media.accepts(media.accept_of(asked.request), media.MULTIPART):
        raise media.NotAcceptable()
    found = await in_images(asked.instances)
    answer = media.Multipart(media.JPEG)
    body = answer.body((media.JPEG, (rendering.draw(asked.pictures, each, 1),)) for each in found)
    return StreamingResponse(while_allowed(body, asked.check_again), headers=private(answer.content_type))


@readable(router, "/studies/{study}/series/{series}/instances/{instance}/frames/{frame}/thumbnail")
async def frame_thumbnail(frame: Frame, asked: OfInstance) -> Response:
    """One frame as a small JPEG."""

    def draw(found: FoundInstance) -> bytes:
        return asked.pictures.rendered(found, frame, max_side=THUMBNAIL_SIDE, quality=82)

    return await _thumbnail(asked, str(frame), draw)


@readable(router, "/studies/{study}/series/{series}/instances/{instance}/thumbnail")
async def instance_thumbnail(asked: OfInstance) -> Response:
    """The instance's middle frame as a small JPEG."""
    return await _thumbnail(asked, "t", asked.pictures.thumbnail)


@readable(router, "/studies/{study}/series/{series}/thumbnail")
async def series_thumbnail(asked: OfSeries) -> Response:
    """The series' middle image as a small JPEG."""
    return await _thumbnail(asked, "s", asked.pictures.thumbnail)


@readable(router, "/studies/{study}/thumbnail")
async def study_thumbnail(asked: OfStudy) -> Response:
    """The middle image of the study's first series as a small JPEG."""
    return await _thumbnail(asked, "y", asked.pictures.thumbnail)


async def _thumbnail(asked: Retrieval, what: str, draw: Callable[[FoundInstance], bytes]) -> Response:
    """Of the middle image of the first series that was asked for. ``what`` tells in the entity tag which picture of the same
    images it is."""
    _need_jpeg(asked.request)

    def answer() -> Response:
        listed = asked.listing()
        etag = f'"{media.tag_of_all(each.etag for each in listed)}-{what}"'
        if is_unchanged(asked.request, etag):
            return not_modified(etag, PRIVATE)
        first = [each for each in listed if each.series_uid == listed[0].series_uid]
        return Response(draw(asked.one_of(first[len(first) // 2])), headers=private(media.JPEG, etag))

    return await in_images(answer)


def _need_jpeg(request: Request) -> None:
    if not media.accepts(media.accept_of(request), media.JPEG):
        raise media.NotAcceptable()
