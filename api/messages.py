"""Chat between practice and radiologist, kept sealed under the case's key."""

import hashlib
from collections.abc import Sequence
from typing import Final

from sqlmodel import Session, col, func, select

from api.cases import acting
from api.standing import CaseAccess
from api.views import names_of
from infra.audit import write_audit
from infra.database import now, upsert
from infra.feed import publish
from infra.keystore import KeyStore
from infra.sealing import column_aad, open_json, seal_json
from schemas.access import Right
from schemas.errors import Forbidden, NotFound, StateConflict
from schemas.forms import MessageView, NewMessage, PersonView
from schemas.ids import new_id
from schemas.tables.case import Message, MessageRead
from schemas.translation import N_

CLINICAL, LOGISTICS = "clinical", "logistics"
_READ: Final = MessageRead.metadata.tables["message_read"]


class CaseOver(StateConflict):
    code = "case_over"
    title = N_("This case is over; its chat can be read, and nothing can be added.")


def channels_of(access: CaseAccess) -> list[str]:
    """Clinical people see both channels, schedulers only the logistics."""
    if access.may(Right.CHAT):
        return [CLINICAL, LOGISTICS]
    if access.may(Right.CHAT_LOGISTICS):
        return [LOGISTICS]
    raise Forbidden()


def messages_of(session: Session, keys: KeyStore, access: CaseAccess) -> list[MessageView]:
    """The oldest first."""
    rows = session.exec(
        select(Message)
        .where(Message.case_id == access.row.id, col(Message.channel).in_(channels_of(access)))
        .order_by(col(Message.created_at), Message.id)
    ).all()
    names = names_of(session, (row.author_id for row in rows))
    return [_view(keys, row, names.get(row.author_id, "")) for row in rows]


def _view(keys: KeyStore, row: Message, author: str) -> MessageView:
    return MessageView(
        id=row.id,
        author=PersonView(id=row.author_id, name=author),
        role=row.author_role,
        body=str(open_json(keys, row.body, column_aad("message", row.id, "body"))),
        asks=row.asks,
        answered_at=row.answered_at,
        created_at=row.created_at,
    )


def post_message(session: Session, keys: KeyStore, access: CaseAccess, new: NewMessage, key: str) -> MessageView:
    """Adds a message in the caller's transaction; the same key gives the same message again.

    For ``Database.transact``: of two clicks at one moment, the second finds the first one's message.
    """
    channel = channels_of(access)[0]
    if not access.row.is_open:
        raise CaseOver()
    nonce = hashlib.sha256(f"{access.row.id}\n{access.person.user_id}\n{key}".encode()).hexdigest()
    author = names_of(session, [access.person.user_id])[access.person.user_id]
    known = session.exec(select(Message).where(Message.nonce == nonce)).one_or_none()
    if known is not None:
        return _view(keys, known, author)
    moment = now()
    actor = acting(access)
    message_id = new_id("msg")
    row = Message(
        id=message_id,
        case_id=access.row.id,
        practice_id=access.row.practice_id,
        author_id=access.person.user_id,
        author_role=actor.role,
        channel=channel,
        body=seal_json(access.key, new.body, column_aad("message", message_id, "body")),
        asks=new.asks,
        created_at=moment,
        nonce=nonce,
    )
    session.add(row)
    session.flush()
    write_audit(session, scope=access.row.id, act="chat.post", actor=actor, at=moment, subject_id=message_id)
    publish(session, "chat.message", at=moment, practice_id=access.row.practice_id, case_id=access.row.id)
    return _view(keys, row, author)


def mark_answered(session: Session, keys: KeyStore, access: CaseAccess, message_id: str) -> MessageView:
    """Closes a question, so that it no longer blocks the signature."""
    row = session.get(Message, message_id, with_for_update=True)
    if row is None or row.case_id != access.row.id or row.channel not in channels_of(access) or not row.asks:
        raise NotFound()
    if row.answered_at is None:
        row.answered_at = now()
        write_audit(
            session,
            scope=access.row.id,
            act="chat.answer",
            actor=acting(access),
            at=row.answered_at,
            subject_id=message_id,
        )
        publish(session, "chat.answered", at=row.answered_at, practice_id=access.row.practice_id, case_id=access.row.id)
    return _view(keys, row, names_of(session, [row.author_id])[row.author_id])


def mark_read(session: Session, access: CaseAccess) -> None:
    reader = {"case_id": access.row.id, "user_id": access.person.user_id}
    upsert(session, _READ, reader, {"read_at": now()})


def unread_counts(session: Session, user_id: str, case_ids: Sequence[str]) -> dict[str, int]:
    """Messages of others since the person last read, by case."""
    if not case_ids:
        return {}
    rows = session.exec(
        select(Message.case_id, func.count())
        .join(
            MessageRead,
            (col(MessageRead.case_id) == Message.case_id) & (col(MessageRead.user_id) == user_id),
            isouter=True,
        )
        .where(
            col(Message.case_id).in_(case_ids),
            Message.author_id != user_id,
            col(MessageRead.read_at).is_(None) | (col(Message.created_at) > col(MessageRead.read_at)),
        )
        .group_by(col(Message.case_id))
    ).all()
    return dict(rows)
