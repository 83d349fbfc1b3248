"""The files of a case: list, content, thumbnails, removal."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from sqlmodel import select

from api.deps import CaseDep, LookAgainDep, ServicesDep, policy, require
from api.file_removal import take_out_with_bytes
from api.imaging.access import images_of
from api.imaging.bare_photographs import bare_photograph
from api.imaging.downloads import INERT, attachment
from api.imaging.files import FilesView, files_of_case, need_file, place_within, unfinished_uploads
from api.imaging.lookup import FoundInstance
from api.imaging.parsers import ParsersDep, in_images
from api.routes.dicomweb.serving import PicturesDep
from api.standing import CaseAccess, load_case
from infra.blobs.store import BlobReader
from infra.database import now
from infra.file_names import name_of
from infra.stored_files import BlobSlice, open_stored
from schemas.access import Right
from schemas.errors import Forbidden, NotFound
from schemas.files import FileKind
from schemas.tables.imaging import Instance, Series, StoredFile

router = APIRouter(prefix="/api/v1/cases/{case_id}/files", tags=["files"])

_PRIVATE: Final = {"Cache-Control": "private, no-cache"}
_ENCLOSED: Final[Mapping[str, str]] = {FileKind.DOCUMENT: ".pdf", FileKind.SURFACE: ".stl"}


@policy("case: see_images or upload")
async def listing(access: CaseDep) -> CaseAccess:
    """A scheduler of the practice adds files without seeing images: the list is theirs too."""
    if not (access.may(Right.SEE_IMAGES) or access.may(Right.UPLOAD)):
        raise Forbidden()
    return access


Listing = Annotated[CaseAccess, Depends(listing)]
SeeImages = Annotated[CaseAccess, Depends(require(Right.SEE_IMAGES))]
MayDelete = Annotated[CaseAccess, Depends(require(Right.DELETE_FILES))]


@router.get("")
def list_files(access: Listing, services: ServicesDep) -> FilesView:
    """Every file with its state, and uploads that have not ended. A reader sees what was submitted and can be read."""
    images = images_of(access)
    with services.database.read() as session:
        items = files_of_case(session, images, may_open=access.may(Right.SEE_IMAGES))
        open_uploads = unfinished_uploads(session, images, now()) if access.may(Right.UPLOAD) else []
    return FilesView(items=items, uploads=open_uploads)


@router.head("/{file_id}/content", include_in_schema=False)
@router.get("/{file_id}/content", response_class=Response)
async def read_content(
    file_id: str,
    request: Request,
    access: SeeImages,
    services: ServicesDep,
    parsers: ParsersDep,
    look_again: LookAgainDep,
) -> Response:
    """The file as it came, or a range of it, to be saved: a photograph without its metadata, a document without its DICOM
    wrapping."""

    def find(access: CaseAccess) -> tuple[StoredFile, str, tuple[int, int] | None]:
        with services.database.read() as session:
            file = need_file(session, images_of(access), file_id)
            within = place_within(session, file)
        return file, name_of(access.key, file)["name"], within

    def still() -> None:
        person = look_again()
        with services.database.read() as session:
            fresh = load_case(session, services.keys, access.row.id, person)
        fresh.need(Right.SEE_IMAGES)
        find(fresh)

    def opened() -> BlobReader:
        return open_stored(services.blobs, file, access.key.secret)

    def opened_within() -> BlobReader:
        return opened() if within is None else BlobSlice(opened(), *within)

    file, name, within = await in_images(find, access)
    if file.kind == FileKind.PHOTO:
        return await bare_photograph(request, parsers, opened, name=name, sha256=file.sha256, still=still)
    return await attachment(
        request,
        opened_within,
        name=name if within is None else f"{PurePath(name).stem}{_ENCLOSED[file.kind]}",
        kind=file.kind,
        size=file.size if within is None else within[1],
        sha256=file.sha256 if within is None else f"within-{file.sha256}",
        still=still,
    )


@router.get("/{file_id}/picture", response_class=Response)
async def read_picture(file_id: str, access: SeeImages, services: ServicesDep, pictures: PicturesDep) -> Response:
    """A photograph drawn anew as JPEG: upright, without metadata, at most 2,560 pixels wide and high."""

    def draw() -> bytes:
        with services.database.read() as session:
            file = need_file(session, images_of(access), file_id)
        if file.kind != FileKind.PHOTO:
            raise NotFound()
        return pictures.photo(access.key, file, small=False)

    return Response(await in_images(draw), media_type="image/jpeg", headers=INERT | _PRIVATE)


@router.get("/{file_id}/thumbnail", response_class=Response)
async def read_thumbnail(file_id: str, access: SeeImages, services: ServicesDep, pictures: PicturesDep) -> Response:
    """A photograph or an image, small, as JPEG."""

    def draw() -> bytes:
        images = images_of(access)
        with services.database.read() as session:
            file = need_file(session, images, file_id)
            row = session.exec(
                select(Instance, Series)
                .join(Series)
                .where(Instance.file_id == file.id, Instance.series_id == Series.id)
            ).first()
        if row is not None:
            return pictures.thumbnail(FoundInstance(row[0], row[1], file, images))
        if file.kind != FileKind.PHOTO:
            raise NotFound()
        return pictures.photo(access.key, file, small=True)

    return Response(await in_images(draw), media_type="image/jpeg", headers=INERT | _PRIVATE)


@router.delete("/{file_id}", status_code=204)
def delete_file(file_id: str, access: MayDelete, services: ServicesDep) -> Response:
    """Removes a file that was not submitted, or one of the set that is held for attention."""
    take_out_with_bytes(services, access, [file_id])
    return Response(status_code=204)
