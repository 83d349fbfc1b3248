"""The outbox: what Temporal has to be told is committed with its cause, and waits until it is told."""

import pytest
from sqlmodel import select

from infra.database import Database, now
from infra.outbox import START_CASE, enqueue, is_waiting, waiting
from schemas.messages import FactKind
from schemas.tables.wires import OutboxItem
from tests.infra.databases import database, mariadb_engine, sqlite_engine

__all__ = ["database", "mariadb_engine", "sqlite_engine"]


def test_an_item_is_there_with_its_cause_or_not_at_all(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as session:
        enqueue(session, START_CASE, "case_1")
        raise RuntimeError
    with database.read() as session:
        assert not is_waiting(session, START_CASE, "case_1")


def test_items_wait_in_their_order_until_they_are_told(database: Database) -> None:
    ids = []
    for kind, case_id in ((START_CASE, "case_1"), (FactKind.FILES_SETTLED, "case_1"), (START_CASE, "case_2")):
        with database.write() as session:
            ids.append(enqueue(session, kind, case_id))
    with database.read() as session:
        assert [item.id for item in waiting(session)] == ids
        assert [item.id for item in waiting(session, case_id="case_1")] == ids[:2]
        assert [item.id for item in waiting(session, limit=1)] == ids[:1]
        assert is_waiting(session, FactKind.FILES_SETTLED, "case_1")
        assert not is_waiting(session, FactKind.FILES_SETTLED, "case_2")
    with database.write() as session:
        session.exec(select(OutboxItem).where(OutboxItem.id == ids[0])).one().done_at = now()
    with database.read() as session:
        assert [item.id for item in waiting(session)] == ids[1:]
        assert not is_waiting(session, START_CASE, "case_1")
