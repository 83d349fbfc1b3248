"""Chat of a case."""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.deps import CaseDep, IdempotencyKey, ServicesDep, policy
from api.messages import channels_of, mark_answered, messages_of, post_message
from api.standing import CaseAccess
from schemas.forms import MessageView, NewMessage, Page

router = APIRouter(prefix="/api/v1/cases/{case_id}/messages", tags=["chat"])


@policy("case: chat or chat_logistics")
def chatting(access: CaseDep) -> CaseAccess:
    channels_of(access)
    return access


Chatting = Annotated[CaseAccess, Depends(chatting)]


@router.get("")
def read_messages(access: Chatting, services: ServicesDep) -> Page:
    with services.database.read() as session:
        return Page(items=messages_of(session, services.keys, access))


@router.post("", status_code=201)
def add_message(body: NewMessage, access: Chatting, key: IdempotencyKey, services: ServicesDep) -> MessageView:
    message = services.database.transact(lambda session: post_message(session, services.keys, access, body, key))
    services.feed.wake()
    return message


@router.post("/{message_id}/answered")
def answer_message(message_id: str, access: Chatting, services: ServicesDep) -> MessageView:
    """Marks a question as answered."""
    with services.database.write() as session:
        message = mark_answered(session, services.keys, access, message_id)
    services.feed.wake()
    return message
