"""The page of a case: its regions, its steps, its files."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response

from activities.records.commands import APPLIED, raise_refusal
from api.case_facts import CaseFacts, Part, case_facts, newest_message_of_others
from api.case_files import files_of_study, take_out
from api.deps import CaseDep, PersonDep, ServicesDep, SessionsDep, require
from api.messages import mark_read, unread_counts
from api.notices import has_unread, mark_notices_read
from api.routes.cases import WrongPassword, take_step
from api.services import Services
from api.standing import CaseAccess, load_case
from infra.removals import remove
from infra.sessions import Sessions
from schemas.access import Right
from schemas.errors import NotFound, OdontoError
from schemas.forms import ACTION_FORMS
from schemas.lifecycle import Action
from schemas.tables.case import CaseCommand
from schemas.translation import N_
from ui.assemble.case_actions import Tried
from ui.assemble.case_page import case_page
from ui.assemble.case_rows import case_url
from ui.assemble.field_errors import sentences
from ui.assemble.looker import Looker
from ui.pages.answers import answer, same_site, see_other
from ui.pages.shell import Shell, ShellDep
from ui.pages.typed import Typed, TypedDep
from ui.views import CaseView, FormState

router: Final = APIRouter()

_WHOLE: Final = frozenset(Part)
_LOOK_AGAIN: Final = {"Refresh": "3"}
_LEAVING: Final = frozenset({Action.DECLINE, Action.REJECT, Action.REFUSE_IDENTITY, Action.RETURN_TO_AUTHOR})
"""After these the case is no longer the person's to go on with: they see their list."""

MayDelete = Annotated[CaseAccess, Depends(require(Right.DELETE_FILES))]


@router.get("/cases/{case_id}")
def show_case(access: CaseDep, shell: ShellDep, services: ServicesDep, part: Part | None = None) -> Response:
    """The whole page, which counts as seen, or one live region of it."""
    if part is not None:
        view = view_of_case(services, access, shell.looker, frozenset({part}))
        return answer("pages/case_part.html", shell.page(access.row.number), view=view, part=part)
    _mark_seen(services, access)
    return case_answer(services, access, shell)


@router.post("/cases/{case_id}/actions/{action}")
async def act(
    action: str, typed: TypedDep, access: CaseDep, shell: ShellDep, services: ServicesDep, sessions: SessionsDep
) -> Response:
    """Takes a step. A refusal brings the form back as it was typed, with the reason."""
    outcome = await give_command(services, sessions, access, shell.looker, action=action, typed=typed)
    if isinstance(outcome, Tried):
        fresh = await asyncio.to_thread(reload_case, services, access)
        return await asyncio.to_thread(case_answer, services, fresh, shell, tried=outcome)
    if outcome.outcome != APPLIED:
        return see_other(f"/cases/{access.row.id}/commands/{outcome.id}")
    url = await asyncio.to_thread(place_after, services, access, action)
    return see_other(same_site(typed.text("back"), url), done=action)


@router.get("/cases/{case_id}/actions/{action}")
@router.get("/cases/{case_id}/messages")
def go_to_case(access: CaseDep) -> Response:
    """The address of a form that came back with an error, asked for anew: the case itself."""
    return see_other(f"/cases/{access.row.id}")


@router.get("/cases/{case_id}/commands/{command_id}")
def show_command(
    command_id: str, access: CaseDep, person: PersonDep, shell: ShellDep, services: ServicesDep
) -> Response:
    """A step whose outcome was not known: the case as it is, looked at again by itself until the step is settled."""
    with services.database.read() as session:
        command = session.get(CaseCommand, command_id)
    if command is None or command.user_id != person.user_id or command.case_id != access.row.id:
        raise NotFound()
    if command.outcome == APPLIED:
        return see_other(place_after(services, access, command.action), done=command.action)
    try:
        raise_refusal(command)
    except OdontoError as fact:
        tried = Tried(action=command.action, problem=fact.detail, status=fact.status)
        return case_answer(services, access, shell, tried=tried)
    pending = shell.looker.say(N_("Your step was received. The case has not confirmed it yet."))
    response = case_answer(services, access, shell, pending=pending, status=202)
    response.headers.update(_LOOK_AGAIN)
    return response


@router.post("/cases/{case_id}/files/studies/{study_id}/remove")
def remove_study(study_id: str, access: MayDelete, services: ServicesDep) -> Response:
    with services.database.read() as session:
        file_ids = files_of_study(session, access, study_id)
    return _remove(services, access, file_ids)


@router.post("/cases/{case_id}/files/{file_id}/remove")
def remove_file(file_id: str, access: MayDelete, services: ServicesDep) -> Response:
    return _remove(services, access, [file_id])


def _remove(services: Services, access: CaseAccess, file_ids: list[str]) -> Response:
    with services.database.write() as session:
        take_out(session, access, file_ids)
    services.feed.wake()
    remove(services.database, services.blobs, file_ids)
    return see_other(f"/cases/{access.row.id}#images", done="file.removed")


async def give_command(
    services: Services, sessions: Sessions, access: CaseAccess, looker: Looker, *, action: str, typed: Typed
) -> CaseCommand | Tried:
    """The command, or what was tried and why it was not taken. Raises NotFound for a step that does not exist."""
    key = typed.nonce
    form = ACTION_FORMS[Action(action)] if action in ACTION_FORMS else None
    names = form.model_fields if form is not None else {}
    fields = {name: typed.values[name] for name in names if typed.values.get(name)}
    try:
        return await take_step(services, sessions, access, action, fields=fields, key=key)
    except RequestValidationError as error:
        return Tried(action=action, form=typed.again(sentences(error.errors(), looker)))
    except WrongPassword as fact:
        return Tried(action=action, form=typed.again({"password": looker.say(fact.detail)}), status=fact.status)
    except NotFound:
        raise
    except OdontoError as fact:
        return Tried(action=action, form=typed.again(), problem=looker.say(fact.detail), status=fact.status)


def reload_case(services: Services, access: CaseAccess) -> CaseAccess:
    """The case as it is now. Raises NotFound when it is no longer this person's."""
    with services.database.read() as session:
        return load_case(session, services.keys, access.row.id, access.person)


def place_after(services: Services, access: CaseAccess, action: str) -> str:
    """Where a person goes on after a step: the case where it is read, the case, or their list."""
    if action in _LEAVING:
        return "/"
    try:
        fresh = reload_case(services, access)
    except NotFound:
        return "/"
    return case_url(fresh.row, fresh.held) if action in {Action.ACCEPT, Action.CLAIM} else f"/cases/{access.row.id}"


def view_of_case(
    services: Services,
    access: CaseAccess,
    looker: Looker,
    parts: frozenset[Part] = _WHOLE,
    *,
    tried: Tried | None = None,
    message: FormState | None = None,
    pending: str = "",
) -> CaseView:
    with services.database.read() as session:
        facts: CaseFacts = case_facts(session, services.keys, access, parts)
    trace_url = f"/admin/cases/{access.row.id}/trace" if access.may(Right.SEE_TRACE) else ""
    return case_page(access, facts, looker, tried=tried, message=message, pending=pending, trace_url=trace_url)


def case_answer(
    services: Services,
    access: CaseAccess,
    shell: Shell,
    *,
    tried: Tried | None = None,
    message: FormState | None = None,
    pending: str = "",
    status: int = 200,
) -> Response:
    view = view_of_case(services, access, shell.looker, tried=tried, message=message, pending=pending)
    page = shell.page(view.patient or view.number, "cases" if not shell.looker.is_reader else "reading", live=True)
    return answer("pages/case.html", page, status=tried.status if tried else status, view=view)


def _mark_seen(services: Services, access: CaseAccess) -> None:
    """The chat and the case's notices count as read; nothing is written when there is nothing new."""
    user_id, case_id = access.person.user_id, access.row.id
    may_chat = access.may(Right.CHAT) or access.may(Right.CHAT_LOGISTICS)
    with services.database.read() as session:
        notices = has_unread(session, user_id, case_id)
        chat = may_chat and bool(unread_counts(session, user_id, [case_id]))
        chat = chat and newest_message_of_others(session, access) is not None
    if not (notices or chat):
        return
    with services.database.write() as session:
        if chat:
            mark_read(session, access)
        if notices:
            mark_notices_read(session, user_id, case_id=case_id)
