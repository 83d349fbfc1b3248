"""Files of cases that nobody was told of: the browser went away between its last byte and its word that all had come."""

from datetime import timedelta
from typing import Final

from sqlmodel import Session, col, select

from infra.database import Database, now
from infra.outbox import enqueue
from infra.uploads.rows import count_under_way
from schemas.decisions import files_fact
from schemas.files import FileState
from schemas.lifecycle import State
from schemas.messages import FactKind
from schemas.tables.case import Case
from schemas.tables.imaging import StoredFile
from schemas.tables.wires import OutboxItem

LEFT_AFTER: Final = timedelta(seconds=60)
"""A browser says at once that it has sent everything."""
AGAIN_AFTER: Final = timedelta(minutes=15)
"""A case that was told is left to its check, which may take a while or wait for the storage."""

_WORDS: Final = (FactKind.FILES_SETTLED, FactKind.LATE_FILES_SETTLED)


def tell_unchecked(database: Database, limit: int = 50) -> int:
    """Tells the cases of files that wait with nobody checking them; returns how many were told. Blocking."""
    moment = now()
    with database.write() as session:
        cases = session.exec(
            select(Case)
            .where(
                col(Case.id).in_(
                    select(StoredFile.case_id).where(
                        StoredFile.state == FileState.STORED, col(StoredFile.created_at) <= moment - LEFT_AFTER
                    )
                ),
                col(Case.id).not_in(
                    select(OutboxItem.case_id).where(
                        col(OutboxItem.kind).in_(_WORDS), col(OutboxItem.created_at) > moment - AGAIN_AFTER
                    )
                ),
                col(Case.is_open),
                Case.state != State.PROCESSING,  # which checks by itself
            )
            .order_by(col(Case.id))
            .limit(limit)
        ).all()
        return sum(_tell(session, case) for case in cases)


def _tell(session: Session, case: Case) -> bool:
    """Not where more is on its way: the word may yet come."""
    if count_under_way(session, case.id, now()):
        return False
    enqueue(session, files_fact(State(case.state)), case.id)
    return True
