"""Blobs that nothing refers to any more: noted in the transaction that lets go of them, and deleted until they are gone.

A blob that is deleted first may be missed by a transaction that fails; one that is deleted after the commit, without a
note, stays for ever when that fails or the process ends.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, delete, select, update

from infra.blobs.store import BlobStore
from infra.database import Database, now, upsert
from schemas.tables.wires import BlobRemoval

_log: Final = logging.getLogger(__name__)
_TABLE: Final = BlobRemoval.metadata.tables["blob_removal"]
AGAIN_AFTER: Final = timedelta(minutes=10)


def let_go(session: Session, blob_ids: Iterable[str], *, at: datetime | None = None) -> None:
    """Notes in the caller's transaction that the blobs are to be deleted, now or at a later time. ``remove`` is for after
    the commit."""
    for blob_id in blob_ids:
        upsert(session, _TABLE, {"blob_id": blob_id}, {"due_at": at or now()})


def keep(session: Session, blob_id: str) -> bool:
    """For the transaction that refers to the blob: from now on it stays. False where it was not noted: it is gone."""
    return session.exec(delete(BlobRemoval).where(col(BlobRemoval.blob_id) == blob_id)).rowcount == 1


def discard(database: Database, blobs: BlobStore, blob_id: str) -> None:
    """Lets go of a blob that nothing refers to, and deletes it. Blocking."""
    with database.write() as session:
        let_go(session, [blob_id])
    remove(database, blobs, [blob_id])


def remove(database: Database, blobs: BlobStore, blob_ids: Iterable[str]) -> None:
    """Deletes blobs that were let go of. One that cannot be deleted now is tried again by :func:`sweep`, and holds up
    nothing. Blocking."""
    gone, left = [], []
    for blob_id in blob_ids:
        try:
            blobs.delete(blob_id)
        except Exception as error:  # whatever the storage has, the note stays
            _log.warning("a blob could not be deleted: %s", type(error).__name__, extra={"file_id": blob_id})
            left.append(blob_id)
        else:
            gone.append(blob_id)
    if not gone and not left:
        return
    with database.write() as session:
        session.exec(delete(BlobRemoval).where(col(BlobRemoval.blob_id).in_(gone)))
        session.exec(update(BlobRemoval).where(col(BlobRemoval.blob_id).in_(left)).values(due_at=now() + AGAIN_AFTER))


def sweep(database: Database, blobs: BlobStore, limit: int = 200) -> int:
    """Tries what is due; returns how many. Blocking."""
    with database.read() as session:
        due = session.exec(
            select(BlobRemoval.blob_id)
            .where(col(BlobRemoval.due_at) <= now())
            .order_by(col(BlobRemoval.due_at))
            .limit(limit)
        ).all()
    remove(database, blobs, due)
    return len(due)
