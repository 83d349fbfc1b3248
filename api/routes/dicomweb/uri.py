"""WADO-URI (PS3.18 §9): one instance by the parameters of an address, as it came or drawn."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from api.deps import ServicesDep
from api.imaging import media
from api.imaging.access import ImageAccessDep
from api.imaging.downloads import send
from api.imaging.parsers import in_images
from api.routes.dicomweb.rendered import Rendering
from api.routes.dicomweb.retrieve import as_it_came
from api.routes.dicomweb.serving import DicomwebRoute, Retrieval, private, readable

router = APIRouter(route_class=DicomwebRoute)

Uid = Annotated[str, Query(pattern=r"^[0-9.]{1,64}$")]
Number = Annotated[float | None, Query(ge=-1e9, le=1e9)]
_DRAWN: Final = media.JPEG
_MOST: Final = 4096


@readable(router, "/wado")
async def retrieve_by_address(
    request: Request,
    access: ImageAccessDep,
    services: ServicesDep,
    request_type: Annotated[str, Query(alias="requestType", pattern="^WADO$")],
    study: Annotated[Uid, Query(alias="studyUID")],
    series: Annotated[Uid, Query(alias="seriesUID")],
    instance: Annotated[Uid, Query(alias="objectUID")],
    content_type: Annotated[str, Query(alias="contentType", max_length=200)] = _DRAWN,
    frame: Annotated[int, Query(alias="frameNumber", ge=1, le=999_999)] = 1,
    center: Annotated[Number, Query(alias="windowCenter")] = None,
    width: Annotated[Number, Query(alias="windowWidth")] = None,
    rows: Annotated[int, Query(ge=1, le=65535)] = _MOST,
    columns: Annotated[int, Query(ge=1, le=65535)] = _MOST,
    quality: Annotated[int, Query(alias="imageQuality", ge=1, le=100)] = 90,
) -> Response:
    """``contentType``: ``application/dicom``, or ``image/jpeg`` for a frame of it."""

    asked = Retrieval(request, access, services, (study, series, instance))
    if media.accepts(content_type, media.JPEG):
        window = None if center is None or width is None else f"{center},{width}"
        rendering = Rendering(window, f"{columns},{rows}", quality)
        image = await in_images(lambda: rendering.draw(asked.pictures, asked.instance(), frame))
        return Response(image, headers=private(media.JPEG))
    if not media.accepts(content_type, media.DICOM):
        raise media.NotAcceptable()
    return send(request, as_it_came(await in_images(asked.instance), asked.pictures), asked.check_again)
