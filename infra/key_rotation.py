"""A new master key for an installation: into the file first, then over every data key in the database.

A rotation that was cut short is gone on with: a key is added to the file only when every data key is under the newest.
"""

from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, func, select, update

from infra.database import Database
from infra.key_file import drop_old_keys, holding_key_file, read_key_file, rotate_key_file
from infra.keys import KeyUnknown, MasterKeys, WrappedKeyRefused
from schemas.errors import OdontoError
from schemas.tables.wires import DataKey
from schemas.translation import N_

_BATCH: Final = 200


class DataKeyUnreadable(OdontoError):
    code = "data_key_unreadable"
    title = N_("A stored key opens with none of the master keys in the file.")


class OldKeysInUse(OdontoError):
    code = "old_keys_in_use"
    title = N_("Older master keys are still in use. Finish with `odontoflow rotate-key` first.")


class Rotation(NamedTuple):
    """``went_on``: no key was added, for an earlier rotation had not come to its end. ``rewrapped``: how many data keys."""

    keys: MasterKeys
    went_on: bool
    rewrapped: int


def rotate_master_key(database: Database, path: Path) -> Rotation:
    """Blocking. No process may serve meanwhile: one that has read the file before cannot open what is rewrapped.

    Raises MasterKeyMissing, MasterKeyFileRefused, KeyFileNotWritten, KeyFileBusy, DataKeyUnreadable.
    """
    with holding_key_file(path):
        keys = read_key_file(path)
        went_on = waiting(database, keys) > 0
        if not went_on:
            keys = rotate_key_file(path)
        return Rotation(keys, went_on, _rewrap_all(database, keys))


def drop_old_master_keys(database: Database, path: Path) -> MasterKeys:
    """Blocking. Leaves the newest master key alone in the file. Raises OldKeysInUse, and as above."""
    with holding_key_file(path):
        if waiting(database, read_key_file(path)):
            raise OldKeysInUse()
        return drop_old_keys(path)


def waiting(database: Database, keys: MasterKeys) -> int:
    """How many data keys are not under the newest master key."""
    with database.read() as session:
        return session.exec(select(func.count()).select_from(DataKey).where(_is_under_another(keys))).one()


def _is_under_another(keys: MasterKeys) -> ColumnElement[bool]:
    """Destroyed ones are under none."""
    return and_(
        col(DataKey.wrapped).is_not(None), ~col(DataKey.wrapped).startswith(keys.active_prefix, autoescape=True)
    )


def _rewrap_all(database: Database, keys: MasterKeys) -> int:
    done = 0
    while True:
        with database.write() as session:
            rewrapped = _rewrap_some(session, keys)
        if not rewrapped:
            return done
        done += rewrapped


def _rewrap_some(session: Session, keys: MasterKeys) -> int:
    rows = session.exec(select(DataKey).where(_is_under_another(keys)).limit(_BATCH)).all()
    for row in rows:
        assert row.wrapped is not None
        try:
            wrapped = keys.rewrap(row.wrapped, row.id)
        except (KeyUnknown, WrappedKeyRefused):
            raise DataKeyUnreadable(
                f"The stored key {row.id} opens with none of the master keys in the file. Put the file's latest copy "
                "back and repeat."
            ) from None
        # Only over what was read: a key that somebody destroys at this moment must stay destroyed.
        session.exec(
            update(DataKey)
            .where(col(DataKey.id) == row.id, col(DataKey.wrapped) == row.wrapped)
            .values(wrapped=wrapped)
        )
    return len(rows)
