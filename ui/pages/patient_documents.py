"""The treatment documents of a patient's record."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import ValidationError

from api.deps import PersonDep, ServicesDep, in_practice
from api.listing import with_standing
from api.patient_documents import discard_document, rename_document
from api.patient_facts import cases_of_patient
from api.patients import (
    load_patient,
    practice_actor,
)
from schemas.access import PracticeRight
from schemas.document_forms import DocumentEdit
from schemas.translation import N_
from ui.pages.answers import answer, see_other
from ui.pages.records import AfterDocument, documents_view, record_again
from ui.pages.shell import ShellDep
from ui.pages.typed import TypedDep

router: Final = APIRouter()

SeeIn = Annotated[str, Depends(in_practice(PracticeRight.SEE_DOCUMENTS))]
EditIn = Annotated[str, Depends(in_practice(PracticeRight.EDIT_DOCUMENTS))]


@router.get("/patients/{patient_id}/documents")
def show_documents(
    patient_id: str, shell: ShellDep, practice_id: SeeIn, services: ServicesDep, documents: AfterDocument = ""
) -> Response:
    """The record's documents as they stand now: a live region of its page."""
    with services.database.read() as session:
        patient = load_patient(session, patient_id, [practice_id])
        rows = with_standing(session, shell.looker.person, cases_of_patient(session, patient))
        view = documents_view(session, services, patient, rows, shell.looker, after=documents)
    return answer("pages/patient_documents.html", shell.page(N_("Treatment documents")), view=view)


@router.get("/patients/{patient_id}/documents/{document_id}")
def go_to_record(patient_id: str, document_id: str, practice_id: SeeIn) -> Response:
    """The address of a name that came back with an error, asked for anew: the record."""
    return see_other(f"/patients/{patient_id}#documents-head")


@router.post("/patients/{patient_id}/documents/{document_id}")
def save_document_name(
    patient_id: str,
    document_id: str,
    typed: TypedDep,
    shell: ShellDep,
    person: PersonDep,
    practice_id: EditIn,
    services: ServicesDep,
) -> Response:
    """Gives a document another name; one that is none comes back as it was typed."""
    with services.database.write() as session:
        patient = load_patient(session, patient_id, [practice_id])
        actor = practice_actor(person, practice_id)
        try:
            name = DocumentEdit(name=typed.text("name")).name
        except ValidationError:
            name = ""
        if name:
            rename_document(session, services.keys, patient, document_id, name, actor=actor)
    if not name:
        form = typed.again({"name": shell.looker.say(N_("Write a name of one line, with at most 255 letters."))})
        return record_again(services, shell, patient, tried={document_id: form}, status=422)
    services.feed.wake()
    return see_other(f"/patients/{patient_id}#documents-head", done="document.renamed")


@router.post("/patients/{patient_id}/documents/{document_id}/remove")
def take_document_out(
    patient_id: str, document_id: str, person: PersonDep, practice_id: EditIn, services: ServicesDep
) -> Response:
    """Removes a document for good; again, it stays removed."""
    actor = practice_actor(person, practice_id)
    discard_document(services, practice_id, patient_id, document_id, actor=actor)
    return see_other(f"/patients/{patient_id}#documents-head", done="document.removed")
