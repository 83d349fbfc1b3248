"""The page of a case: its regions, its steps, its files."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path
from fastapi.responses import Response

from activities.records.commands import APPLIED, raise_refusal
from api import case_batches
from api.case_facts import CaseFacts, Part, case_facts, newest_message_of_others
from api.deps import CaseDep, ServicesDep, SessionsDep, require
from api.file_removal import files_of_study, files_with, take_out_with_bytes
from api.messages import mark_read, unread_counts
from api.notices import has_unread, mark_notices_read
from api.services import Services
from api.standing import CaseAccess
from schemas.access import Right
from schemas.errors import OdontoError
from schemas.tables.case import CaseCommand
from schemas.translation import N_
from ui.assemble.case_actions import Tried
from ui.assemble.case_page import case_page
from ui.assemble.looker import Looker
from ui.pages.answers import answer, same_site, see_other
from ui.pages.shell import Shell, ShellDep
from ui.pages.steps import ActedOn, OwnCommand, give_command, out_of_sight, place_after, reload_tried
from ui.pages.typed import TypedDep
from ui.views import CaseView, FormState

router: Final = APIRouter()

_WHOLE: Final = frozenset(Part)
_LOOK_AGAIN: Final = {"Refresh": "3"}

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
    action: str, typed: TypedDep, access: ActedOn, shell: ShellDep, services: ServicesDep, sessions: SessionsDep
) -> Response:
    """Takes a step. A refusal brings the form back as it was typed, with the reason; a repeat ends where the first did."""
    if isinstance(access, CaseCommand):
        return out_of_sight(access)
    outcome = await give_command(services, sessions, access, shell.looker, action=action, typed=typed)
    if isinstance(outcome, Tried):
        fresh = await reload_tried(services, access, outcome)
        if isinstance(fresh, Response):
            return fresh
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
def show_command(found: OwnCommand, shell: ShellDep, services: ServicesDep) -> Response:
    """A step whose outcome was not known: the case as it is, looked at again by itself until the step is settled."""
    access, command = found
    if access is None:
        return out_of_sight(command)
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
    with services.database.read() as session:
        file_ids = files_with(session, access, file_id)
    return _remove(services, access, file_ids)


@router.post("/cases/{case_id}/files/batches/{batch_id}/keep/{patient}")
def keep_of_batch(
    batch_id: str, patient: Annotated[int, Path(ge=0, le=99)], access: MayDelete, services: ServicesDep
) -> Response:
    """Of a folder or an archive with two patients in it, the files of the case's own."""
    case_batches.keep_of_batch(services, access, batch_id, patient)
    return see_other(f"/cases/{access.row.id}#images", done="batch.kept")


@router.post("/cases/{case_id}/files/batches/{batch_id}/remove")
def remove_batch(batch_id: str, access: MayDelete, services: ServicesDep) -> Response:
    case_batches.remove_whole_batch(services, access, batch_id)
    return see_other(f"/cases/{access.row.id}#images", done="file.removed")


def _remove(services: Services, access: CaseAccess, file_ids: list[str]) -> Response:
    take_out_with_bytes(services, access, file_ids)
    return see_other(f"/cases/{access.row.id}#images", done="file.removed")


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
