"""Notices of a person: what the bell counts and its page lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select, update

from infra.database import now
from infra.feed import publish
from schemas.tables.case import Case
from schemas.tables.wires import Notification


@dataclass(frozen=True, slots=True)
class Notice:
    """``kind`` is a key of ``schemas.notices.SUBJECTS`` or of ``schemas.mail.NOTICE_WORDS``."""

    id: str
    kind: str
    case_id: str
    case_number: str
    at: datetime
    is_read: bool


def count_unread(session: Session, user_id: str) -> int:
    return session.exec(
        select(func.count())
        .select_from(Notification)
        .where(Notification.user_id == user_id, col(Notification.read_at).is_(None))
    ).one()


def notices_of(session: Session, user_id: str, *, limit: int = 100) -> Sequence[Notice]:
    """Unread ones first, then the newest."""
    rows = session.exec(
        select(Notification, Case.number)
        .join(Case, col(Case.id) == Notification.case_id)
        .where(Notification.user_id == user_id)
        .order_by(col(Notification.read_at).is_not(None), col(Notification.created_at).desc(), Notification.id)
        .limit(limit)
    ).all()
    return [
        Notice(row.id, row.notice, row.case_id, number, row.created_at, row.read_at is not None) for row, number in rows
    ]


def mark_notices_read(
    session: Session, user_id: str, *, case_id: str | None = None, notice_id: str | None = None
) -> None:
    """All of the person's, those of a case, or one; in the caller's transaction."""
    statement = update(Notification).where(col(Notification.user_id) == user_id, col(Notification.read_at).is_(None))
    if case_id is not None:
        statement = statement.where(col(Notification.case_id) == case_id)
    if notice_id is not None:
        statement = statement.where(col(Notification.id) == notice_id)
    moment = now()
    session.exec(statement.values(read_at=moment))
    publish(session, "notification.read", at=moment, user_id=user_id)


def has_unread(session: Session, user_id: str, case_id: str) -> bool:
    return (
        session.exec(
            select(Notification.id)
            .where(
                Notification.user_id == user_id, Notification.case_id == case_id, col(Notification.read_at).is_(None)
            )
            .limit(1)
        ).first()
        is not None
    )
