"""The outbox: what Temporal has to be told, committed together with the change that causes it."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from infra.database import now
from schemas.ids import new_id
from schemas.tables.wires import OutboxItem

START_CASE = "start_case"
"""Any other kind is a ``schemas.messages.FactKind``."""


def enqueue(session: Session, kind: str, case_id: str, subject_id: str | None = None) -> str:
    """Adds an item to the caller's transaction; its id is the fact's id."""
    item = OutboxItem(id=new_id("out"), case_id=case_id, kind=kind, subject_id=subject_id, created_at=now())
    session.add(item)
    return item.id


def is_waiting(session: Session, kind: str, case_id: str) -> bool:
    """Whether such an item of the case is not yet told."""
    statement = select(OutboxItem.id).where(
        OutboxItem.case_id == case_id, OutboxItem.kind == kind, col(OutboxItem.done_at).is_(None)
    )
    return session.exec(statement.limit(1)).first() is not None


def enqueue_once(session: Session, kind: str, case_id: str) -> None:
    """The same, unless such an item of the case is not yet told: one is enough for a burst of files."""
    if not is_waiting(session, kind, case_id):
        enqueue(session, kind, case_id)


def waiting(session: Session, *, limit: int = 100, case_id: str | None = None) -> Sequence[OutboxItem]:
    """Items that are not yet told, the oldest first."""
    statement = select(OutboxItem).where(col(OutboxItem.done_at).is_(None))
    if case_id is not None:
        statement = statement.where(OutboxItem.case_id == case_id)
    return session.exec(statement.order_by(col(OutboxItem.created_at)).limit(limit)).all()
