"""Questions of a case's chat: while one is open, the report cannot be signed."""

from sqlmodel import Session, col, func, select

from schemas.tables.case import Message


def count_open_questions(session: Session, case_id: str) -> int:
    """How many questions nobody has answered yet."""
    return session.exec(
        select(func.count()).where(Message.case_id == case_id, col(Message.asks), col(Message.answered_at).is_(None))
    ).one()
