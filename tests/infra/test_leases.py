"""Leases of blobs: who slept for longer than theirs confirms nothing, and takes nothing from whoever has it now."""

from datetime import timedelta

import pytest
from sqlmodel import update

from infra.blobs.leases import Lease, Leases
from infra.blobs.store import BlobBusy
from infra.database import Database, now
from schemas.tables.blob_leases import BlobLease
from tests.infra.databases import sqlite_database, sqlite_engine

__all__ = ["sqlite_database", "sqlite_engine"]


def taken_over(database: Database) -> tuple[Leases, Lease, Leases, Lease]:
    """A process whose lease has lapsed, and the one that has the blob now."""
    sleeper, heir = Leases(database), Leases(database)
    old = sleeper.take("fil_1")
    with pytest.raises(BlobBusy):
        heir.take("fil_1")
    with database.write() as session:
        session.exec(update(BlobLease).values(until=now() - timedelta(seconds=1)))
    return sleeper, old, heir, heir.take("fil_1")


def test_who_lost_a_lease_renews_and_confirms_nothing(sqlite_database: Database) -> None:
    sleeper, old, heir, new = taken_over(sqlite_database)
    assert not sleeper.hold(old)
    assert not sleeper.note_tail(old)
    assert heir.note_tail(new)
    heir.release(new)
    assert heir.take("fil_1").tail == new.token


@pytest.mark.parametrize("ends", [True, False], ids=["with an end", "by giving it back"])
def test_who_lost_a_lease_takes_it_from_nobody(sqlite_database: Database, ends: bool) -> None:
    sleeper, old, heir, new = taken_over(sqlite_database)
    if ends:
        assert not sleeper.end(old)
    else:
        sleeper.release(old)
    assert heir.hold(new)
    assert heir.end(new)
    assert Leases(sqlite_database).take("fil_1").tail is None
