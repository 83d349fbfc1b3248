"""Cases: opening, lists, one case, its form, its timeline, and its commands."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Query, Response
from fastapi.exceptions import RequestValidationError
from pydantic import SecretStr, ValidationError

from activities.records.commands import APPLIED, KeyReused, fingerprint, id_of_command, raise_refusal, view_of
from api.cases import edit_form, open_new_case, timeline_of
from api.deps import (
    CaseDep,
    CaseId,
    DatabaseDep,
    IdempotencyKey,
    PersonDep,
    ServicesDep,
    SessionsDep,
    in_practice,
    policy,
    practice_of_patient,
    require,
)
from api.hashing import in_hashing
from api.listing import CaseFilter, list_cases, patients_within
from api.patients import find_patients
from api.routes.patients import Revision
from api.row_views import row_views
from api.services import Services
from api.standing import CaseAccess, load_case
from api.views import case_view
from infra.sessions import Sessions
from schemas.access import Person, PracticeRight, Right
from schemas.errors import NotFound, OdontoError
from schemas.forms import (
    ACTION_FORMS,
    ActionForm,
    CaseFormEdit,
    CaseSearch,
    CaseView,
    CommandView,
    FreshForm,
    NewCase,
    Page,
)
from schemas.lifecycle import Action, State
from schemas.sla import Priority
from schemas.tables.case import CaseCommand
from schemas.translation import N_
from workflows.gateway import Wish

router = APIRouter(prefix="/api/v1", tags=["cases"])

CreateIn = Annotated[str, Depends(in_practice(PracticeRight.CREATE_CASE))]
Timeline = Annotated[CaseAccess, Depends(require(Right.SEE_TIMELINE))]
Form = Annotated[CaseAccess, Depends(require(Right.EDIT_FORM))]


class WrongPassword(OdontoError):
    code = "wrong_password"
    status = 403
    title = N_("The password is not right. Nothing was done; type it again.")


class ActionUnknown(NotFound):
    code = "action_unknown"
    title = N_("There is no such step. The case's allowed_actions name the ones that are possible.")


@router.post("/cases", status_code=201)
async def create_case(
    body: NewCase, person: PersonDep, _own: CreateIn, key: IdempotencyKey, services: ServicesDep
) -> CaseView:
    """A new draft, in the patient's practice. Its workflow starts by itself; the answer does not wait for it."""
    practice_id = await asyncio.to_thread(
        practice_of_patient, services.database, person, PracticeRight.CREATE_CASE, body.patient_id
    )
    case_id = await asyncio.to_thread(
        open_new_case,
        services.database,
        services.keys,
        practice_id,
        person,
        new=body,
        idempotency_key=key,
    )
    await services.gateway.announce(case_id)
    services.feed.wake()
    return await asyncio.to_thread(_view, services, case_id, person)


@router.get("/cases")
def read_cases(
    person: PersonDep,
    services: ServicesDep,
    state: Annotated[list[State] | None, Query()] = None,
    priority: Annotated[list[Priority] | None, Query()] = None,
    mine: Annotated[bool, Query(description="Only cases assigned to me.")] = False,
    open_only: Annotated[bool | None, Query(alias="open")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Page:
    """The cases that exist for this person, the newest first. Names are searched with POST /cases/search."""
    wanted = CaseFilter(
        states=state or (),
        priorities=priority or (),
        assignee_id=person.user_id if mine else None,
        is_open=open_only,
        limit=limit,
        cursor=cursor,
    )
    with services.database.read() as session:
        rows, following = list_cases(session, person, wanted)
        return Page(items=row_views(session, services.keys, rows, person), next=following)


@router.post("/cases/search")
def search_cases(body: CaseSearch, person: PersonDep, services: ServicesDep) -> Page:
    """By the patient's name and date of birth, within one's own practices: nobody else may search by name."""
    with services.database.read() as session:
        patients = patients_within(
            person,
            lambda practice_id: find_patients(
                session, services.keys, practice_id, name=body.name, born=body.birth_date, limit=200
            ),
        )
        wanted = CaseFilter(patient_ids=patients, limit=body.limit, cursor=body.cursor)
        rows, following = list_cases(session, person, wanted)
        return Page(items=row_views(session, services.keys, rows, person), next=following)


@router.get("/cases/{case_id}")
def read_case(access: CaseDep, services: ServicesDep) -> CaseView:
    """State, owner of the wait, clock and allowed actions; what the person may not know is null."""
    with services.database.read() as session:
        return case_view(session, services.keys, access)


@router.get("/cases/{case_id}/timeline")
def read_timeline(access: Timeline, services: ServicesDep) -> Page:
    with services.database.read() as session:
        return Page(items=timeline_of(session, services.keys, access))


@router.put("/cases/{case_id}/form")
def replace_form(body: CaseFormEdit, access: Form, revision: Revision, services: ServicesDep) -> Response:
    """The clinical form while the case is a draft. ``If-Match`` holds the revision that was read."""
    with services.database.write() as session:
        saved = edit_form(session, services.keys, access, body, revision)
    services.feed.wake()
    return Response(body.form.model_dump_json(), media_type="application/json", headers={"ETag": f'"{saved}"'})


@policy("case: any relation")
def to_act_on(
    case_id: CaseId,
    person: PersonDep,
    services: ServicesDep,
    key: Annotated[str | None, Header(alias="Idempotency-Key", max_length=128)] = None,
) -> CaseAccess | CaseCommand:
    """The case. To somebody who no longer stands to it, their own earlier command with this key: a reader who declines
    may lose the case with that very step, and a repeat of it must hear what came of the first."""
    with services.database.read() as session:
        try:
            return load_case(session, services.keys, case_id, person)
        except NotFound:
            command = session.get(CaseCommand, id_of_command(case_id, key)) if key else None
            if command is None or command.user_id != person.user_id:
                raise
            return command


@router.post(
    "/cases/{case_id}/actions/{action}",
    responses={202: {"model": CommandView}, 409: {"description": "The state does not allow it; the reason is given"}},
)
async def act(
    action: str,
    access: Annotated[CaseAccess | CaseCommand, Depends(to_act_on)],
    key: IdempotencyKey,
    services: ServicesDep,
    sessions: SessionsDep,
    form: Annotated[dict[str, Any] | None, Body(description="The action's form; see the schemas by name.")] = None,
) -> Response:
    """Takes a step. 200 with the new case, or with the command where the case is no longer this person's to see; 202 with
    the command to look up while the outcome is not known."""
    if isinstance(access, CaseCommand):
        return _what_became_of(access, action, form or {})
    command = await take_step(services, sessions, access, action, fields=form or {}, key=key)
    if command.outcome != APPLIED:
        return _command_answer(command)
    try:
        view = await asyncio.to_thread(_view, services, access.row.id, access.person)
    except NotFound:
        return _command_answer(command)
    return Response(view.model_dump_json(), media_type="application/json")


def _command_answer(command: CaseCommand) -> Response:
    look_up = {"Location": f"/api/v1/commands/{command.id}", "Retry-After": "2"}
    return Response(
        view_of(command).model_dump_json(),
        status_code=200 if command.outcome == APPLIED else 202,
        media_type="application/json",
        headers={} if command.outcome == APPLIED else look_up,
    )


def _what_became_of(command: CaseCommand, action: str, fields: dict[str, Any]) -> Response:
    """The answer to a repeat whose person has lost the case. Raises KeyReused, and the refusal that it met."""
    form = read_action_form(Action(action), fields).stored() if action in ACTION_FORMS else {}
    if fingerprint(command.user_id, action, form) != command.fingerprint:
        raise KeyReused()
    raise_refusal(command)
    return _command_answer(command)


async def take_step(
    services: Services, sessions: Sessions, access: CaseAccess, action: str, *, fields: dict[str, Any], key: str
) -> CaseCommand:
    """What the API and the pages share: the form is read, the password is proved, the gateway acts."""
    if action not in ACTION_FORMS:
        raise ActionUnknown()
    verb = Action(action)
    form = read_action_form(verb, fields)
    if isinstance(form, FreshForm):
        await in_hashing(_prove, sessions, access.person, form.password)
    wish = Wish(
        person=access.person,
        case=access.row,
        held=access.held,
        is_owner=access.is_owner,
        action=verb,
        form=form,
        idempotency_key=key,
        fresh=isinstance(form, FreshForm),
    )
    command = await services.gateway.act(wish)
    services.feed.wake()
    return command


def read_action_form(action: Action, fields: dict[str, Any]) -> ActionForm:
    try:
        return ACTION_FORMS[action].model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None


def _prove(sessions: Sessions, person: Person, password: SecretStr) -> None:
    if not sessions.prove(person, password.get_secret_value()):
        raise WrongPassword()


def _view(services: Services, case_id: str, person: Person) -> CaseView:
    with services.database.read() as session:
        access = load_case(session, services.keys, case_id, person)
        return case_view(session, services.keys, access)


@router.get("/commands/{command_id}")
def read_command(command_id: str, person: PersonDep, database: DatabaseDep) -> CommandView:
    """What became of one's own command."""
    with database.read() as session:
        row = session.get(CaseCommand, command_id)
    if row is None or row.user_id != person.user_id:
        raise NotFound()
    return view_of(row)
