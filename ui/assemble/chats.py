"""The chat of a case."""

from collections.abc import Sequence
from typing import Final

from schemas.forms import MessageView
from schemas.lifecycle import UNSIGNED, Role, State
from schemas.tables.case import Case
from ui.assemble.looker import Looker
from ui.assemble.nonces import new_nonce
from ui.assemble.people import ROLE_WORDS
from ui.views import ChatView, FormState, Message, Person

_BEFORE_SIGNATURE: Final = frozenset({*UNSIGNED, State.AMENDING}) - {State.DRAFT}
_READERS: Final = frozenset({Role.RADIOLOGIST, Role.SCHEDULER})


def chat_of(row: Case, messages: Sequence[MessageView], looker: Looker, *, form: FormState | None = None) -> ChatView:
    """``form`` is a message that could not be sent, as it was typed."""
    base = f"/cases/{row.id}/messages"
    return ChatView(
        case_id=row.id,
        messages=tuple(_message(message, base, looker, may_write=row.is_open) for message in messages),
        post_url=base if row.is_open else "",
        may_ask=State(row.state) in _BEFORE_SIGNATURE,
        form=form or FormState(nonce=new_nonce()),
    )


def _message(message: MessageView, base: str, looker: Looker, *, may_write: bool) -> Message:
    role = Role(message.role)
    is_open = message.asks and message.answered_at is None
    return Message(
        id=message.id,
        person=Person(
            name=message.author.name,
            title=looker.say(ROLE_WORDS.get(role, "")),
            side="reader" if role in _READERS else "practice",
        ),
        text=message.body,
        when=message.created_at,
        mine=message.author.id == looker.person.user_id,
        kind="question" if is_open else "message",
        answered=message.answered_at,
        answer_url=f"{base}/{message.id}/answered" if is_open and may_write else "",
    )
