"""The series in which a case's images are read, and moving an image to another one before it is submitted."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.deps import ServicesDep, require
from api.imaging.access import images_of, root_of_case
from api.placing import place_images
from api.reading_order import Telling, reading_order, series_view
from api.standing import CaseAccess
from schemas.access import Right
from schemas.series_forms import Placement, SeriesView
from schemas.teeth import Notation, written

router = APIRouter(prefix="/api/v1/cases/{case_id}/series", tags=["files"])

SeeImages = Annotated[CaseAccess, Depends(require(Right.SEE_IMAGES))]
MayArrange = Annotated[CaseAccess, Depends(require(Right.DELETE_FILES))]


@router.get("")
def read_series(
    access: SeeImages,
    services: ServicesDep,
    notation: Annotated[Notation, Query(description="How teeth are written.")] = Notation.FDI,
) -> SeriesView:
    """Series, photographs and documents in the practice's order, under its headings and with its words.

    DICOMweb answers with what the files say; this is how they are read.
    """
    images = images_of(access)
    telling = Telling(
        root=root_of_case(access.row.id),
        files=f"/api/v1/cases/{access.row.id}/files",
        shown="/picture",
        teeth=lambda codes: list(written(codes, notation)),
    )
    with services.database.read() as session:
        return series_view(images, reading_order(session, images), telling)


@router.put("/images/{image_id}", status_code=204)
def place_image(image_id: str, body: Placement, access: MayArrange, services: ServicesDep) -> Response:
    """Moves an instance or a photograph to another series, apart, or back. Its file and its UIDs stay as they came."""
    with services.database.write() as session:
        place_images(session, access, [image_id], body.series_id)
    services.feed.wake()
    return Response(status_code=204)
