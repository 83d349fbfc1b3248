"""Data keys in the database, wrapped by the master key."""

from collections.abc import Callable, Iterable

from sqlmodel import Session, col, select

from infra.codec import SYSTEM_KEY
from infra.database import Database, now
from infra.keys import CACHE_SECONDS, DataKey, KeyDestroyed, KeyUnknown, MasterKeys, Recent, new_data_key
from schemas.ids import new_id
from schemas.tables.wires import DataKey as DataKeyRow


class KeyStore:
    """Looks keys up by id or by the case they belong to. Safe to share between threads.

    A key that was destroyed stops working here within :data:`infra.keys.CACHE_SECONDS`.
    """

    def __init__(self, database: Database, master: MasterKeys) -> None:
        self._database = database
        self.master = master
        self._recent: Recent[DataKey] = Recent(CACHE_SECONDS)

    def create(self, session: Session, scope: str, scope_id: str) -> DataKey:
        """A new key, stored with the caller's transaction."""
        key = DataKey(new_id("key"), new_data_key())
        wrapped = self.master.wrap(key.secret, key.id)
        session.add(DataKeyRow(id=key.id, scope=scope, scope_id=scope_id, wrapped=wrapped, created_at=now()))
        session.flush()
        return key

    def ensure_system_key(self) -> None:
        """Makes the key of what belongs to no case, at an installation's first start."""
        with self._database.write() as session:
            known = select(DataKeyRow.id).where(DataKeyRow.scope_id == SYSTEM_KEY)
            if session.exec(known).first() is None:
                self.create(session, SYSTEM_KEY, SYSTEM_KEY)

    def data_key(self, key_id: str) -> DataKey:
        """Raises KeyDestroyed or KeyUnknown."""
        if key_id == SYSTEM_KEY:
            return self.of_scope(SYSTEM_KEY)
        return self._get(f"id {key_id}", lambda session: session.get(DataKeyRow, key_id))

    def of_scope(self, scope_id: str) -> DataKey:
        """The key of a case, a patient, a practice or ``system``."""
        statement = select(DataKeyRow).where(DataKeyRow.scope_id == scope_id)
        return self._get(f"scope {scope_id}", lambda session: session.exec(statement).one_or_none())

    def fetch(self, session: Session, key_ids: Iterable[str]) -> None:
        """Looks many keys up in one query, so that opening a list's values asks no more. Destroyed ones stay out."""
        missing = {}
        for key_id in set(key_ids):
            known, ticket = self._recent.ask(f"id {key_id}")
            if known is None:
                missing[key_id] = ticket
        if not missing:
            return
        for row in session.exec(select(DataKeyRow).where(col(DataKeyRow.id).in_(missing))).all():
            if row.wrapped is not None:
                key = DataKey(row.id, self.master.unwrap(row.wrapped, row.id))
                self._recent.keep(f"id {row.id}", key, missing[row.id])

    def key(self, key_id: str) -> bytes:
        return self.data_key(key_id).secret

    def key_for_case(self, case_id: str) -> tuple[str, bytes]:
        key = self.of_scope(case_id)
        return key.id, key.secret

    def forget(self, key_id: str) -> None:
        self._recent.forget(lambda _, key: key.id == key_id)

    def _get(self, name: str, look_up: Callable[[Session], DataKeyRow | None]) -> DataKey:
        key, ticket = self._recent.ask(name)
        if key is None:
            with self._database.read() as session:
                row = look_up(session)
            if row is None:
                raise KeyUnknown(key_id=name)
            if row.wrapped is None:
                raise KeyDestroyed(key_id=row.id)
            key = DataKey(row.id, self.master.unwrap(row.wrapped, row.id))
            self._recent.keep(name, key, ticket)
        return key
