"""The treatment documents of a patient's record."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import ValidationError

from api.arrangement import arrangement_of
from api.deps import PersonDep, ServicesDep, in_practice
from api.listing import with_standing
from api.patient_documents import Found, discard_document, find_document, rename_document
from api.patient_facts import cases_of_patient
from api.patients import load_patient, practice_actor
from api.record_arrangement import RecordHome, record_home
from api.services import Services
from schemas.access import PracticeRight
from schemas.arrangement_forms import Labels
from schemas.document_forms import DocumentEdit
from schemas.translation import N_
from ui.assemble.documents import about_document
from ui.assemble.field_errors import sentences
from ui.assemble.nonces import new_nonce
from ui.pages.answers import answer, see_other
from ui.pages.arranging import Place, arranging, heading_of, item_page, put_item, values_of
from ui.pages.records import AfterDocument, documents_view, opened
from ui.pages.shell import ShellDep
from ui.pages.typed import TypedDep
from ui.views import FormState

SeeIn = Annotated[str, Depends(in_practice(PracticeRight.SEE_DOCUMENTS))]
EditIn = Annotated[str, Depends(in_practice(PracticeRight.EDIT_DOCUMENTS))]


def record_arranged(patient_id: str, practice_id: EditIn, person: PersonDep, services: ServicesDep) -> RecordHome:
    return record_home(services, person, practice_id, patient_id)


Home = Annotated[RecordHome, Depends(record_arranged)]


def record_place(home: Home, shell: ShellDep, services: ServicesDep) -> Place:
    with services.database.read() as session:
        ((patient, who),) = opened(session, services, [home.patient])
    url = f"/patients/{patient.id}"
    crumbs = ((shell.looker.say(N_("Patients")), "/patients"), (who.full_name, url))
    return Place(home, url, "documents-head", crumbs, "patients")


RecordPlace = Annotated[Place, Depends(record_place)]
router: Final[APIRouter] = arranging("/patients/{patient_id}", record_place)


@router.get("/documents")
def show_documents(
    patient_id: str, shell: ShellDep, practice_id: SeeIn, services: ServicesDep, documents: AfterDocument = ""
) -> Response:
    """The record's documents as they stand now: a live region of its page."""
    with services.database.read() as session:
        patient = load_patient(session, patient_id, [practice_id])
        rows = with_standing(session, shell.looker.person, cases_of_patient(session, patient))
        view = documents_view(session, services, patient, rows, shell.looker, after=documents)
    return answer("pages/patient_documents.html", shell.page(N_("Treatment documents")), view=view)


@router.get("/documents/{document_id}")
def show_document(document_id: str, home: Home, at: RecordPlace, shell: ShellDep, services: ServicesDep) -> Response:
    """The page of one: its name, words, teeth and heading."""
    found = _find(services, home, document_id)
    with services.database.read() as session:
        values = values_of(arrangement_of(session, home, list(home.items(session))), document_id)
    form = FormState(values={**values, "name": found.name}, nonce=new_nonce())
    return _page(services, home, at, shell, found, form)


@router.post("/documents/{document_id}")
def save_document(
    document_id: str, typed: TypedDep, home: Home, at: RecordPlace, shell: ShellDep, services: ServicesDep
) -> Response:
    """Gives it a name, words, teeth and a heading; what is none comes back as it was typed."""
    found = _find(services, home, document_id)
    errors: dict[str, str] = {}
    try:
        name = DocumentEdit(name=typed.text("name")).name
    except ValidationError:
        errors["name"] = shell.looker.say(N_("Write a name of one line, with at most 255 letters."))
    try:
        labels = Labels.model_validate({"description": typed.text("description"), "teeth": typed.many("teeth")})
        new_group = heading_of(typed)
    except ValidationError as error:
        errors |= sentences(error.errors(), shell.looker)
    if errors:
        return _page(services, home, at, shell, found, typed.again(errors), status=422)
    with services.database.write() as session:
        row = rename_document(session, services.keys, home.patient, document_id, name, actor=home.actor)
        renamed = row.name != found.row.name
        put_item(session, home, document_id, labels, group=typed.text("group"), new_group=new_group)
    services.feed.wake()
    return at.back("document.renamed" if renamed else "file.arranged")


@router.post("/documents/{document_id}/remove")
def take_document_out(
    patient_id: str, document_id: str, person: PersonDep, practice_id: EditIn, services: ServicesDep
) -> Response:
    """Removes a document for good; again, it stays removed."""
    actor = practice_actor(person, practice_id)
    discard_document(services, practice_id, patient_id, document_id, actor=actor)
    return see_other(f"/patients/{patient_id}#documents-head", done="document.removed")


def _find(services: Services, home: RecordHome, document_id: str) -> Found:
    with services.database.read() as session:
        return find_document(session, services.keys, home.patient, document_id)


def _page(
    services: Services, home: RecordHome, at: Place, shell: Any, found: Found, form: FormState, *, status: int = 200
) -> Response:
    with services.database.read() as session:
        arrangement = arrangement_of(session, home, list(home.items(session)))
    url = f"{at.url}/documents/{found.row.id}"
    lead = about_document(found.row, found.name, shell.looker)
    return item_page(at, shell, url, lead, arrangement, form, has_own_name=True, status=status)
