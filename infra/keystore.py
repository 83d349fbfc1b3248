"""Data keys in the database, wrapped by the master key."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Select, bindparam
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, select

from infra.codec import SYSTEM_KEY
from infra.database import Database, now
from infra.keys import (
    CACHE_SECONDS,
    DataKey,
    KeyDestroyed,
    KeyUnknown,
    MasterKeyFileRefused,
    MasterKeys,
    Recent,
    WrappedKeyRefused,
    new_data_key,
)
from schemas.ids import new_id
from schemas.tables.wires import DataKey as DataKeyRow

_KEY = DataKeyRow.metadata.tables["data_key"].c
_BY_ID: Final = rows_of(_KEY.id, _KEY.wrapped).where(_KEY.id == bindparam("wanted"))
_BY_SCOPE: Final = rows_of(_KEY.id, _KEY.wrapped).where(_KEY.scope_id == bindparam("wanted"))


class KeyStore:
    """Looks keys up by id or by the case they belong to. Safe to share between threads.

    Looked up in a connection of the database's small second pool, since whoever asks often holds one of the first: all
    of those could be held by people who wait for one more. A key that was destroyed stops working here within
    :data:`infra.keys.CACHE_SECONDS`.
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

    def need_own_master_key(self) -> None:
        """Raises MasterKeyFileRefused when the master keys are not those that this database was made with."""
        try:
            self.of_scope(SYSTEM_KEY)
        except (KeyUnknown, WrappedKeyRefused):
            raise MasterKeyFileRefused(
                "The master key file does not belong to this database, or it is an old copy. Put its own back; a new one "
                "opens nothing."
            ) from None

    def data_key(self, key_id: str) -> DataKey:
        """Raises KeyDestroyed or KeyUnknown."""
        if key_id == SYSTEM_KEY:
            return self.of_scope(SYSTEM_KEY)
        return self._get(f"id {key_id}", _BY_ID, key_id)

    def of_scope(self, scope_id: str) -> DataKey:
        """The key of a case, a patient, a practice or ``system``. Raises as :meth:`data_key`."""
        return self._get(f"scope {scope_id}", _BY_SCOPE, scope_id)

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

    def _get(self, name: str, look_up: Select[Any], wanted: str) -> DataKey:
        key, ticket = self._recent.ask(name)
        if key is None:
            with self._database.look_up() as connection:
                row = connection.execute(look_up, {"wanted": wanted}).one_or_none()
            if row is None:
                raise KeyUnknown(key_id=name)
            if row.wrapped is None:
                raise KeyDestroyed(key_id=row.id)
            key = DataKey(row.id, self.master.unwrap(row.wrapped, row.id))
            self._recent.keep(name, key, ticket)
        return key
