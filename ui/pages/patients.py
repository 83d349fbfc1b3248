"""Patients of a practice: list, search, record."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlmodel import Session, col, select

from activities.records.opening import demographics_of
from api.cursors import write_cursor
from api.deps import PersonDep, ServicesDep, in_practice, practice_of, practices_of
from api.patient_edits import ImagesSayOtherwise, edit_patient
from api.patient_facts import cases_by_patient, count_patients
from api.patients import (
    EditedMeanwhile,
    PossibleDuplicate,
    create_patient,
    duplicates_of,
    find_patients,
    find_patients_by_text,
    load_patient,
    practice_actor,
)
from api.services import Services
from schemas.access import Person, PracticeRight
from schemas.forms import Demographics
from schemas.tables.people import Organization, Patient
from schemas.translation import N_
from ui.assemble.nonces import new_nonce
from ui.assemble.patients import (
    differences,
    duplicates,
    images_say_otherwise,
    patient_rows,
    sex_options,
)
from ui.pages.answers import answer, see_other
from ui.pages.form_fields import read_person
from ui.pages.records import SAME, AfterDocument, opened, record_again, record_view
from ui.pages.shell import Shell, ShellDep
from ui.pages.typed import TypedDep
from ui.views import FormState, Option, PatientsView

router: Final = APIRouter()

_PAGE: Final = 50

ListIn = Annotated[str, Depends(in_practice(PracticeRight.LIST_PATIENTS))]
CreateIn = Annotated[str, Depends(in_practice(PracticeRight.CREATE_PATIENT))]
EditIn = Annotated[str, Depends(in_practice(PracticeRight.EDIT_PATIENT))]


@router.get("/patients")
def list_patients(shell: ShellDep, practice_id: ListIn, services: ServicesDep, after: str = "") -> Response:
    """The practice's patients, the last changed first."""
    with services.database.read() as session:
        found = find_patients(session, services.keys, practice_id, limit=_PAGE + 1, cursor=after or None)
        view = _list_view(session, services, shell, practice_id, found)
    return answer("pages/patients.html", shell.page(N_("Patients"), "patients"), view=view)


@router.get("/patients/search")
def go_to_list(practice_id: ListIn) -> Response:
    """The address of a search, asked for anew: what was typed is not in it."""
    return see_other("/patients")


@router.post("/patients/search")
def search_patients(typed: TypedDep, shell: ShellDep, practice_id: ListIn, services: ServicesDep) -> Response:
    """By parts of the name, the date of birth or the practice's number: in the body, so that no name is in an address."""
    text = typed.text("q")
    with services.database.read() as session:
        if text:
            found = find_patients_by_text(session, services.keys, practice_id, text, limit=_PAGE)
        else:
            found = find_patients(session, services.keys, practice_id, limit=_PAGE)
        view = _list_view(session, services, shell, practice_id, found, search=FormState(values={"q": text}))
    return answer("pages/patients.html", shell.page(N_("Patients"), "patients"), view=view)


@router.post("/patients")
def add_patient(
    typed: TypedDep, shell: ShellDep, person: PersonDep, practice_id: CreateIn, services: ServicesDep
) -> Response:
    """Adds a patient. One with the same name and birth date on record has to be looked at first."""
    practice_id = practice_of(person, PracticeRight.CREATE_PATIENT, typed.text("practice") or practice_id)
    who, errors = read_person(typed, shell.looker)
    if who is None:
        return _again(services, shell, practice_id, typed.again(errors), status=422)
    try:
        patient = services.database.transact(
            lambda session: create_patient(
                session,
                services.keys,
                practice_id,
                who,
                actor=practice_actor(person, practice_id),
                confirmed=typed.ticked("confirmed"),
                key=typed.nonce,
            )
        )
    except PossibleDuplicate as fact:
        form = typed.again({"confirmed": shell.looker.say(fact.title)}, nonce=typed.nonce)
        return _again(services, shell, practice_id, form, like=who, status=fact.status)
    return see_other(f"/patients/{patient.id}", done="patient.added")


@router.get("/patients/{patient_id}")
def show_patient(
    patient_id: str, shell: ShellDep, practice_id: ListIn, services: ServicesDep, documents: AfterDocument = ""
) -> Response:
    with services.database.read() as session:
        view = record_view(session, services, shell, load_patient(session, patient_id, [practice_id]), after=documents)
    return answer("pages/patient.html", shell.page(view.name, "patients", live=True), view=view)


@router.post("/patients/{patient_id}")
def save_patient(
    patient_id: str,
    typed: TypedDep,
    shell: ShellDep,
    person: PersonDep,
    practice_id: EditIn,
    services: ServicesDep,
) -> Response:
    """Saves the details. What somebody else saved meanwhile is shown beside what was typed, and nothing is overwritten."""
    looker = shell.looker
    with services.database.read() as session:
        patient = load_patient(session, patient_id, [practice_id])
        stored = demographics_of(services.keys, patient)
    who, errors = read_person(typed, looker, base=stored)
    if who is None:
        return record_again(services, shell, patient, typed.again(errors), status=422)
    revision = typed.number("revision") or 0
    try:
        edit_patient(
            services.database,
            services.keys,
            patient_id,
            practice_id,
            who,
            revision=revision,
            actor=practice_actor(person, practice_id),
        )
    except ImagesSayOtherwise as fact:
        form = typed.again(images_say_otherwise(fact, looker))
        return record_again(services, shell, patient, form, status=fact.status)
    except EditedMeanwhile as fact:
        form = typed.again({"given_name": looker.say(fact.title)})
        values = {**form.values, "revision": str(patient.revision)}
        form = FormState(values=values, errors=form.errors, nonce=form.nonce)
        conflict = differences(stored, who, looker)
        return record_again(services, shell, patient, form, conflict=conflict, status=fact.status)
    return see_other(f"/patients/{patient_id}", done="patient.saved")


def _list_view(
    session: Session,
    services: Services,
    shell: Shell,
    practice_id: str,
    found: Sequence[Patient],
    *,
    search: FormState | None = None,
    create: FormState | None = None,
    like: Demographics | None = None,
) -> PatientsView:
    """``found`` may hold one more than a page: then there is a next one. ``like``: a new patient with doubles on record."""
    shown = found[:_PAGE]
    people = opened(session, services, shown)
    cases = cases_by_patient(session, shell.looker.person, [patient.id for patient in shown])
    practices = _practices(session, shell.looker.person)
    chosen = f"practice={practice_id}&" if practices else ""
    more = f"/patients?{chosen}after={write_cursor(shown[-1].updated_at, shown[-1].id)}" if len(found) > _PAGE else ""
    doubles = duplicates_of(session, services.keys, practice_id, like) if like else ()
    return PatientsView(
        rows=patient_rows(people, cases, shell.looker),
        search=search or FormState(),
        create=create or FormState(values={"practice": practice_id}, nonce=new_nonce()),
        practice=practice_id if practices else "",
        practices=practices,
        sexes=sex_options(shell.looker),
        total=len(shown) if search and search.value("q") else count_patients(session, practice_id),
        next_url=more,
        duplicates=duplicates(opened(session, services, doubles), shell.looker, why=SAME),
    )


def _practices(session: Session, person: Person) -> tuple[Option, ...]:
    """To choose from, for people of several; empty for people of one."""
    mine = practices_of(person, PracticeRight.LIST_PATIENTS)
    if len(mine) < 2:
        return ()
    rows = session.exec(select(Organization.id, Organization.name).where(col(Organization.id).in_(mine))).all()
    names = dict(rows)
    return tuple(Option(value=practice_id, word=names[practice_id]) for practice_id in mine)


def _again(
    services: Services,
    shell: Shell,
    practice_id: str,
    form: FormState,
    *,
    like: Demographics | None = None,
    status: int,
) -> Response:
    with services.database.read() as session:
        found = find_patients(session, services.keys, practice_id, limit=_PAGE + 1)
        view = _list_view(session, services, shell, practice_id, found, create=form, like=like)
    return answer("pages/patients.html", shell.page(N_("Patients"), "patients"), status=status, view=view)
