"""The treatment documents of a patient's record: list, content, names, removal. They are added with an upload."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from api.cursors import write_cursor
from api.deps import LookAgainDep, PersonDep, ServicesDep, in_practice, practice_of_patient
from api.imaging.bare_photographs import bare_photograph
from api.imaging.downloads import INERT, attachment
from api.imaging.parsers import ParsersDep, in_images
from api.patient_documents import (
    Opened,
    discard_document,
    document_views,
    find_documents,
    open_document,
    picture_of,
    rename_document,
)
from api.patients import load_patient, practice_actor
from infra.blobs.store import BlobReader
from schemas.access import PracticeRight
from schemas.document_forms import DocumentEdit, DocumentsView, DocumentView
from schemas.files import FileKind

router = APIRouter(prefix="/api/v1/patients/{patient_id}/documents", tags=["patients"])

_PRIVATE: Final = {"Cache-Control": "private, no-cache"}

SeeIn = Annotated[str, Depends(in_practice(PracticeRight.SEE_DOCUMENTS))]
EditIn = Annotated[str, Depends(in_practice(PracticeRight.EDIT_DOCUMENTS))]


@router.get("")
def list_documents(
    patient_id: str,
    practice_id: SeeIn,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> DocumentsView:
    """The documents of the record itself, the newest first; those of the patient's cases are among the cases' files."""
    with services.database.read() as session:
        patient = load_patient(session, patient_id, [practice_id])
        found = find_documents(session, patient, limit=limit + 1, cursor=cursor)
        shown = found[:limit]
        items = document_views(session, services.keys, patient, shown)
    following = write_cursor(shown[-1].created_at, shown[-1].id) if len(found) > limit else None
    return DocumentsView(items=items, next=following)


@router.head("/{document_id}/content", include_in_schema=False)
@router.get("/{document_id}/content", response_class=Response)
async def read_content(
    patient_id: str,
    document_id: str,
    request: Request,
    practice_id: SeeIn,
    services: ServicesDep,
    parsers: ParsersDep,
    look_again: LookAgainDep,
) -> Response:
    """The document as it came, a photograph without its metadata, or a range of it, to be saved."""

    def find(practice_id: str) -> Opened:
        with services.database.read() as session:
            patient = load_patient(session, patient_id, [practice_id])
            return open_document(session, services.keys, patient, document_id)

    def still() -> None:
        find(practice_of_patient(services.database, look_again(), PracticeRight.SEE_DOCUMENTS, patient_id))

    def opened() -> BlobReader:
        return services.blobs.reader(found.row.id, found.key.secret)

    found = await in_images(find, practice_id)
    if found.row.kind == FileKind.PHOTO:
        return await bare_photograph(request, parsers, opened, name=found.name, sha256=found.row.sha256, still=still)
    return await attachment(
        request,
        opened,
        name=found.name,
        kind=found.row.kind,
        size=found.row.size,
        sha256=found.row.sha256,
        still=still,
    )


@router.get("/{document_id}/thumbnail", response_class=Response)
def read_thumbnail(patient_id: str, document_id: str, practice_id: SeeIn, services: ServicesDep) -> Response:
    """A photograph, drawn anew, small, as JPEG."""
    with services.database.read() as session:
        patient = load_patient(session, patient_id, [practice_id])
        picture = picture_of(open_document(session, services.keys, patient, document_id))
    return Response(picture, media_type="image/jpeg", headers=INERT | _PRIVATE)


@router.patch("/{document_id}")
def edit_document(
    patient_id: str,
    document_id: str,
    body: DocumentEdit,
    person: PersonDep,
    practice_id: EditIn,
    services: ServicesDep,
) -> DocumentView:
    """Gives it another name."""
    with services.database.write() as session:
        patient = load_patient(session, patient_id, [practice_id])
        actor = practice_actor(person, practice_id)
        row = rename_document(session, services.keys, patient, document_id, body.name, actor=actor)
        (view,) = document_views(session, services.keys, patient, [row])
    services.feed.wake()
    return view


@router.delete("/{document_id}", status_code=204)
def delete_document(
    patient_id: str, document_id: str, person: PersonDep, practice_id: EditIn, services: ServicesDep
) -> Response:
    """Removes it for good. The audit trail keeps who did, and when."""
    actor = practice_actor(person, practice_id)
    discard_document(services, practice_id, patient_id, document_id, actor=actor)
    return Response(status_code=204)
