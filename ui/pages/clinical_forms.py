"""Opening a case for a patient, and editing its clinical form."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from activities.records.opening import demographics_of, form_of, policy_of
from api.cases import edit_form, open_new_case
from api.deps import PersonDep, ServicesDep, in_practice, require
from api.patients import EditedMeanwhile, load_patient
from api.services import Services
from api.standing import CaseAccess
from schemas.access import PracticeRight, Right
from schemas.forms import CaseFormEdit, Demographics, NewCase
from schemas.lifecycle import Role
from schemas.sla import Priority, SlaPolicy
from schemas.tables.case import Case
from schemas.tables.people import Patient
from schemas.translation import N_
from ui.assemble.clinical_forms import clinical_page, form_as_typed
from ui.assemble.nonces import new_nonce
from ui.pages.answers import answer, see_other
from ui.pages.form_fields import read_clinical
from ui.pages.shell import Shell, ShellDep
from ui.pages.typed import TypedDep
from ui.views import FormState

router: Final = APIRouter()

CreateIn = Annotated[str, Depends(in_practice(PracticeRight.CREATE_CASE))]
EditForm = Annotated[CaseAccess, Depends(require(Right.EDIT_FORM))]

_NEW: Final = N_("New case")
_EDIT: Final = N_("Edit the request")


@router.get("/patients/{patient_id}/new-case")
def show_new_case(patient_id: str, shell: ShellDep, practice_id: CreateIn, services: ServicesDep) -> Response:
    """The clinical form, empty but for who asks."""
    referrer = shell.user.name if shell.looker.role is Role.DENTIST else ""
    values = {"priority": Priority.ROUTINE.value, "referrer": referrer}
    form = FormState(values=values, nonce=new_nonce())
    return _new_case_page(services, shell, practice_id, patient_id, form)


@router.post("/patients/{patient_id}/new-case")
async def open_case(
    patient_id: str,
    typed: TypedDep,
    shell: ShellDep,
    person: PersonDep,
    practice_id: CreateIn,
    services: ServicesDep,
) -> Response:
    """Opens the draft, however unfinished the form is; the same form sent twice opens one."""
    form, errors = read_clinical(typed, shell.looker)
    if form is None:
        return await asyncio.to_thread(
            _new_case_page, services, shell, practice_id, patient_id, typed.again(errors), status=422
        )
    priority = next((known for known in Priority if known == typed.text("priority")), Priority.ROUTINE)
    case_id = await asyncio.to_thread(
        open_new_case,
        services.database,
        services.keys,
        practice_id,
        person,
        new=NewCase(patient_id=patient_id, priority=priority, form=form),
        idempotency_key=typed.nonce,
    )
    await services.gateway.announce(case_id)
    services.feed.wake()
    return see_other(f"/cases/{case_id}", done="case.opened")


@router.get("/cases/{case_id}/form")
def show_form(access: EditForm, shell: ShellDep, services: ServicesDep) -> Response:
    row = access.row
    saved = form_of(services.keys, row)
    form = form_as_typed(saved, priority=row.priority, revision=row.form_revision, nonce=new_nonce())
    return _form_page(services, access, shell, form)


@router.post("/cases/{case_id}/form")
def save_form(typed: TypedDep, access: EditForm, shell: ShellDep, services: ServicesDep) -> Response:
    """Saves the form. What somebody else saved meanwhile is not overwritten unseen."""
    form, errors = read_clinical(typed, shell.looker)
    if form is None:
        return _form_page(services, access, shell, typed.again(errors), status=422)
    revision = typed.number("revision") or 0
    try:
        with services.database.write() as session:
            edit_form(session, services.keys, access, CaseFormEdit(form=form), revision)
    except EditedMeanwhile as fact:
        again = typed.again()
        current = {**again.values, "revision": str(fact.facts.get("revision", revision))}
        again = FormState(values=current, nonce=again.nonce)
        return _form_page(services, access, shell, again, conflict=shell.looker.say(fact.title), status=fact.status)
    services.feed.wake()
    return see_other(f"/cases/{access.row.id}", done="case.saved")


def _new_case_page(
    services: Services, shell: Shell, practice_id: str, patient_id: str, form: FormState, *, status: int = 200
) -> Response:
    with services.database.read() as session:
        patient = load_patient(session, patient_id, [practice_id])
        policy: SlaPolicy = policy_of(session, practice_id)
    view = clinical_page(
        shell.looker,
        form,
        heading=_NEW,
        url=f"/patients/{patient_id}/new-case",
        patient_id=patient_id,
        person=demographics_of(services.keys, patient),
        policy=policy,
    )
    return answer("pages/new_case.html", shell.page(view.heading, "patients"), status=status, view=view)


def _form_page(
    services: Services,
    access: CaseAccess,
    shell: Shell,
    form: FormState,
    *,
    conflict: str = "",
    status: int = 200,
) -> Response:
    row: Case = access.row
    with services.database.read() as session:
        person: Demographics = demographics_of(services.keys, session.get_one(Patient, row.patient_id))
    view = clinical_page(
        shell.looker,
        form,
        heading=_EDIT,
        url=f"/cases/{row.id}/form",
        patient_id=row.patient_id,
        person=person,
        policy=None,
        cancel_url=f"/cases/{row.id}",
        conflict=conflict,
    )
    return answer("pages/new_case.html", shell.page(view.heading, "cases"), status=status, view=view)
