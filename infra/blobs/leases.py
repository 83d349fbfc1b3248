"""One writer a blob, across processes and machines: a lease in the database, fenced by a random token.

While a writer lives, a thread of its process renews its lease; a process that was killed holds it for ``LIFE`` at most. A
process that slept for longer may believe that it still has it: therefore whatever confirms something (a sync, an end) is
conditional on the token, in the database.
"""

import logging
import secrets
import threading
import time
from datetime import timedelta
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, delete, select, update

from infra.blobs.store import BlobBusy
from infra.database import Database, now
from schemas.tables.blob_leases import BlobLease

LIFE: Final = timedelta(seconds=10)
_RENEWAL_SECONDS: Final = 3.0
_log: Final = logging.getLogger(__name__)


class Lease:
    """``tail`` is the token of the tail to go on from."""

    def __init__(self, blob_id: str, token: str, tail: str | None) -> None:
        self.blob_id = blob_id
        self.token = token
        self.tail = tail
        self.is_lost = False
        """Told by the renewal; not to be known sooner than by the next one."""


class Leases:
    """Every method is a transaction of its own: not to be called within another one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: dict[str, Lease] = {}
        self._lock = threading.Lock()
        self._renewing = False

    def take(self, blob_id: str) -> Lease:
        """Raises BlobBusy."""
        token = secrets.token_hex(16)

        def work(session: Session) -> Lease:
            row = session.get(BlobLease, blob_id, with_for_update=True)
            moment = now()
            if row is None:
                row = BlobLease(blob_id=blob_id, token=token, until=moment + LIFE)
                session.add(row)
            elif row.until > moment:
                raise BlobBusy(blob_id=blob_id)
            row.token, row.until = token, moment + LIFE
            return Lease(blob_id, token, row.tail)

        lease = self._database.transact(work)
        with self._lock:
            self._held[token] = lease
            if not self._renewing:
                self._renewing = True
                threading.Thread(target=self._renew, name="blob-leases", daemon=True).start()
        return lease

    def _renew(self) -> None:
        while True:
            time.sleep(_RENEWAL_SECONDS)
            with self._lock:
                held = list(self._held.values())
                if not held:
                    self._renewing = False
                    return
            try:
                for lease in held:
                    with self._lock:  # not after its release, which would be undone
                        if lease.token in self._held:
                            lease.is_lost = not self.hold(lease)
            except SQLAlchemyError as error:
                # A lease that lapses meanwhile is taken by another one, or renewed when the database is back.
                _log.warning("leases could not be renewed: %s", type(error).__name__)

    def hold(self, lease: Lease) -> bool:
        """Renews it; whether it is still held."""
        with self._database.write() as session:
            return self._set(session, lease, until=now() + LIFE)

    def note_tail(self, lease: Lease) -> bool:
        """A tail was stored under the lease's token: from now on others go on from that one. Whether it is still held."""
        with self._database.write() as session:
            held = self._set(session, lease, until=now() + LIFE, tail=lease.token)
        if held:
            lease.tail = lease.token
        return held

    def _set(self, session: Session, lease: Lease, **values: object) -> bool:
        mine = (col(BlobLease.blob_id) == lease.blob_id, col(BlobLease.token) == lease.token)
        return session.exec(update(BlobLease).where(*mine).values(**values)).rowcount == 1

    def release(self, lease: Lease) -> None:
        """Lets somebody else have it at once. May be called again, and for a lease that ended."""
        with self._lock:
            if self._held.pop(lease.token, None) is None:
                return
        try:
            with self._database.write() as session:
                if lease.tail is None:
                    self._delete(session, lease)
                else:
                    self._set(session, lease, until=now())
        except SQLAlchemyError as error:
            _log.warning("a lease was not given back and will lapse: %s", type(error).__name__)

    def end(self, lease: Lease) -> bool:
        """Forgets it: its blob is finished or gone. Whether it was still held."""
        with self._lock:
            self._held.pop(lease.token, None)
        with self._database.write() as session:
            return self._delete(session, lease)

    def _delete(self, session: Session, lease: Lease) -> bool:
        mine = (col(BlobLease.blob_id) == lease.blob_id, col(BlobLease.token) == lease.token)
        return session.exec(delete(BlobLease).where(*mine)).rowcount == 1

    def revoke(self, blob_id: str) -> None:
        """Whoever has it, has it no more."""
        with self._database.write() as session:
            session.exec(delete(BlobLease).where(col(BlobLease.blob_id) == blob_id))

    def known(self, blob_ids: list[str]) -> set[str]:
        """Those of them that somebody writes or may go on with."""
        with self._database.read() as session:
            return set(session.exec(select(BlobLease.blob_id).where(col(BlobLease.blob_id).in_(blob_ids))).all())
