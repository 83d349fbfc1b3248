"""Annotations and key images of a case."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Response
from fastapi.responses import JSONResponse

from api.deps import ServicesDep, require
from api.errors import problem
from api.holding import hold
from api.imaging.access import images_of
from api.imaging.parsers import ParsersDep, in_images
from api.imaging.viewer_state import (
    AnnotationsBody,
    KeyImageEdit,
    KeyImageOrder,
    KeyImageView,
    NewKeyImage,
    add_key_image,
    key_images,
    need_key_image,
    picture_of,
    read_annotations,
    redraw_key_image,
    remove_key_image,
    reorder,
    save_annotations,
    set_caption,
)
from api.patients import EditedMeanwhile, RevisionMissing
from api.revisions import IfMatch, revision_in
from api.standing import CaseAccess
from schemas.access import Right
from schemas.forms import Page

router = APIRouter(prefix="/api/v1/cases/{case_id}", tags=["viewer"])

_PRIVATE: Final = {"Cache-Control": "private, no-store"}

SeeImages = Annotated[CaseAccess, Depends(require(Right.SEE_IMAGES))]
MayAnnotate = Annotated[CaseAccess, Depends(require(Right.ANNOTATE))]


async def expected_revision(
    if_match: IfMatch = None,
    if_none_match: Annotated[str | None, Header(alias="If-None-Match", max_length=64)] = None,
) -> int:
    """The revision that was read: ``If-Match: "3"``; ``If-None-Match: *`` is revision 0, nothing saved yet."""
    if if_match is None:
        if if_none_match == "*":
            return 0
        raise RevisionMissing()
    revision = revision_in(if_match)
    return -1 if revision is None else revision


Expected = Annotated[int, Depends(expected_revision)]


@router.get("/annotations")
def get_annotations(access: SeeImages, services: ServicesDep) -> Response:
    """Annotations and view as they are saved. ``ETag`` is the revision; 0 is not saved yet."""
    with services.database.read() as session:
        found = read_annotations(session, access.key, access.row.id)
    return JSONResponse(found.model_dump(mode="json"), headers=_PRIVATE | {"ETag": f'"{found.revision}"'})


@router.put("/annotations", responses={412: {"description": "Saved by somebody meanwhile; `current` is theirs"}})
def put_annotations(body: AnnotationsBody, access: MayAnnotate, expected: Expected, services: ServicesDep) -> Response:
    """Saves them over the revision in ``If-Match``; 428 without one, 412 with the current ones when somebody saved."""
    with services.database.write() as session:
        hold(session, services.keys, access, Right.ANNOTATE)
        saved = save_annotations(session, access.key, access.row.id, access.person.user_id, body, revision=expected)
        current = read_annotations(session, access.key, access.row.id)
    headers = _PRIVATE | {"ETag": f'"{current.revision}"'}
    if saved is None:
        return problem(EditedMeanwhile(), headers=headers, current=current.model_dump(mode="json"))
    return JSONResponse({"revision": saved.revision}, headers=headers)


@router.get("/key-images")
def list_key_images(access: SeeImages, services: ServicesDep) -> Page:
    with services.database.read() as session:
        return Page(items=key_images(session, images_of(access)))


@router.post("/key-images", status_code=201)
async def post_key_image(
    body: NewKeyImage, access: MayAnnotate, services: ServicesDep, parsers: ParsersDep
) -> KeyImageView:
    """A picture for the report, with its marks drawn in; kept as JPEG of at most 2,048 pixels."""

    def add() -> KeyImageView:
        picture = redraw_key_image(parsers, body.image)
        with services.database.write() as session:
            hold(session, services.keys, access, Right.ANNOTATE)
            return add_key_image(session, images_of(access), access.person.user_id, body, picture)

    return await in_images(add)


@router.put("/key-images/order", status_code=204)
def put_order(body: KeyImageOrder, access: MayAnnotate, services: ServicesDep) -> Response:
    """Puts the key images into a new order."""
    with services.database.write() as session:
        hold(session, services.keys, access, Right.ANNOTATE)
        reorder(session, access.row.id, body.ids)
    return Response(status_code=204)


@router.patch("/key-images/{key_image_id}", status_code=204)
def edit_key_image(key_image_id: str, body: KeyImageEdit, access: MayAnnotate, services: ServicesDep) -> Response:
    """Changes the caption."""
    with services.database.write() as session:
        hold(session, services.keys, access, Right.ANNOTATE)
        set_caption(access.key, need_key_image(session, access.row.id, key_image_id), body.caption)
    return Response(status_code=204)


@router.delete("/key-images/{key_image_id}", status_code=204)
def delete_key_image(key_image_id: str, access: MayAnnotate, services: ServicesDep) -> Response:
    with services.database.write() as session:
        hold(session, services.keys, access, Right.ANNOTATE)
        remove_key_image(session, services.keys, access.row.id, key_image_id)
    return Response(status_code=204)


@router.get("/key-images/{key_image_id}/image", response_class=Response)
def read_key_image(key_image_id: str, access: SeeImages, services: ServicesDep) -> Response:
    with services.database.read() as session:
        picture = picture_of(access.key, need_key_image(session, access.row.id, key_image_id))
    return Response(picture, media_type="image/jpeg", headers=_PRIVATE | {"X-Content-Type-Options": "nosniff"})
