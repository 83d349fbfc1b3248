"""The chat of a case."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError

from api.deps import ServicesDep
from api.messages import mark_answered, post_message
from api.routes.messages import Chatting
from api.standing import CaseAccess
from schemas.errors import OdontoError
from schemas.forms import NewMessage
from schemas.translation import N_
from ui.pages.answers import referring_path, see_other
from ui.pages.cases import case_answer
from ui.pages.shell import ShellDep
from ui.pages.typed import TypedDep

router: Final = APIRouter()


@router.post("/cases/{case_id}/messages")
def send(typed: TypedDep, access: Chatting, shell: ShellDep, services: ServicesDep, request: Request) -> Response:
    """Adds a message; the same form sent twice adds one. What could not be sent comes back as it was typed."""
    looker = shell.looker
    try:
        new = NewMessage(body=typed.text("text"), asks=typed.ticked("asks"))
        services.database.transact(lambda session: post_message(session, services.keys, access, new, typed.nonce))
    except ValidationError:
        sentence = (
            N_("Write your message.") if not typed.text("text") else N_("Please shorten this to 4000 characters.")
        )
        message = typed.again({"text": looker.say(sentence)})
        return case_answer(services, access, shell, message=message, status=422)
    except OdontoError as fact:
        message = typed.again({"text": looker.say(fact.detail)})
        return case_answer(services, access, shell, message=message, status=fact.status)
    services.feed.wake()
    return see_other(_back(request, access), done="message.sent")


@router.post("/cases/{case_id}/messages/{message_id}/answered")
def mark(message_id: str, access: Chatting, services: ServicesDep, request: Request) -> Response:
    with services.database.write() as session:
        mark_answered(session, services.keys, access, message_id)
    services.feed.wake()
    return see_other(_back(request, access), done="message.answered")


def _back(request: Request, access: CaseAccess) -> str:
    """The chat of the page that was written on: beside the report, or on the case."""
    reading = f"/cases/{access.row.id}/read"
    return f"{reading if referring_path(request) == reading else f'/cases/{access.row.id}'}#chat"
