"""Taking a step from a page: the command or what was tried, and where its person goes on; also when the step itself has
taken the case out of their sight.
"""

import asyncio
from typing import Annotated, Final

from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlmodel import col, select

from activities.records.commands import APPLIED, id_of_command, raise_refusal
from api.deps import CaseId, PersonDep, ServicesDep, policy
from api.routes.cases import WrongPassword, take_step
from api.services import Services
from api.standing import CaseAccess, load_case
from infra.sessions import Sessions
from schemas.access import Person
from schemas.errors import NotFound, OdontoError
from schemas.forms import ACTION_FORMS
from schemas.lifecycle import Action
from schemas.tables.case import CaseCommand
from ui.assemble.case_actions import Tried
from ui.assemble.case_rows import case_url
from ui.assemble.field_errors import sentences
from ui.assemble.looker import Looker
from ui.pages.answers import see_other
from ui.pages.typed import Typed, TypedDep

_LEAVING: Final = frozenset({Action.DECLINE, Action.REJECT, Action.REFUSE_IDENTITY, Action.RETURN_TO_AUTHOR})
"""After these the case is no longer the person's to go on with: they see their list."""


@policy("case: any relation")
def to_act_on(
    case_id: CaseId, action: str, typed: TypedDep, person: PersonDep, services: ServicesDep
) -> CaseAccess | CaseCommand:
    """The case. To somebody who no longer stands to it, what they themselves did: this very click, or the same step from
    another window. Raises NotFound where there is neither.
    """
    with services.database.read() as session:
        try:
            return load_case(session, services.keys, case_id, person)
        except NotFound:
            nonce = typed.text("nonce")
            command = session.get(CaseCommand, id_of_command(case_id, nonce)) if nonce else None
            if command is not None and command.user_id == person.user_id and command.action == action:
                return command
    same_step = _same_step(services, person, case_id, action)
    if same_step is None:
        raise NotFound()
    return same_step


@policy("case: any relation")
def command_of_case(
    case_id: CaseId, command_id: str, person: PersonDep, services: ServicesDep
) -> tuple[CaseAccess | None, CaseCommand]:
    """One's own command, and its case where that is still there for the person. Raises NotFound."""
    with services.database.read() as session:
        command = session.get(CaseCommand, command_id)
        try:
            access = load_case(session, services.keys, case_id, person)
        except NotFound:
            access = None
    if command is None or command.user_id != person.user_id or command.case_id != case_id:
        raise NotFound()
    return access, command


ActedOn = Annotated[CaseAccess | CaseCommand, Depends(to_act_on)]
OwnCommand = Annotated[tuple[CaseAccess | None, CaseCommand], Depends(command_of_case)]


def _same_step(services: Services, person: Person, case_id: str, action: str) -> CaseCommand | None:
    with services.database.read() as session:
        return session.exec(
            select(CaseCommand)
            .where(
                CaseCommand.case_id == case_id,
                CaseCommand.user_id == person.user_id,
                CaseCommand.action == action,
                CaseCommand.outcome == APPLIED,
            )
            .order_by(col(CaseCommand.received_at).desc())
            .limit(1)
        ).first()


def out_of_sight(command: CaseCommand) -> Response:
    """After a step whose case is gone from the person's sight: their list, where the first click led too.

    Raises the refusal that the command met.
    """
    raise_refusal(command)
    return see_other("/", done=command.action if command.outcome == APPLIED else "")


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


async def reload_tried(services: Services, access: CaseAccess, tried: Tried) -> CaseAccess | Response:
    """The case as it is after a refusal, to show the form again; or the way on, where it is no longer this person's.

    Raises what was refused, as a page, for somebody who has lost the case to another one's step.
    """
    try:
        return await asyncio.to_thread(reload_case, services, access)
    except NotFound:
        command = await asyncio.to_thread(_same_step, services, access.person, access.row.id, tried.action)
    if command is not None:
        return out_of_sight(command)
    return see_other("/", done="case.lost")


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
