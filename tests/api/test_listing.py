"""Lists by urgency, the same on SQLite and on MariaDB: no page misses or repeats a case, and what waits for somebody is
told apart from what does not."""

from datetime import UTC, datetime, timedelta

import pytest

from api.cursors import CursorInvalid
from api.listing import count_open, worklist
from api.waiting import not_waiting_for, waiting_for
from infra.database import Database
from infra.keys import MasterKeys
from infra.keystore import KeyStore
from schemas.lifecycle import State, WaitOwner, WaitReason
from schemas.tables.case import Case
from tests.infra.databases import database, mariadb_engine, sqlite_engine
from tests.world import World, populate

__all__ = ["database", "mariadb_engine", "sqlite_engine"]

MORNING = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture
def world(database: Database) -> World:
    return populate(database, KeyStore(database, MasterKeys.generate()))


def put(world: World, **columns: object) -> str:
    case_id = world.add_case().id
    with world.database.write() as session:
        row = session.get_one(Case, case_id)
        for name, value in columns.items():
            setattr(row, name, value)
    return case_id


def test_pages_by_urgency_miss_and_repeat_nothing(world: World) -> None:
    for number in range(11):
        due = None if number % 3 == 0 else MORNING + timedelta(hours=number % 2, microseconds=number % 5)
        created = MORNING + timedelta(minutes=number % 4)
        put(world, due_at=due, priority_rank=number % 2, created_at=created)
    person = world.person("dentist")
    with world.database.read() as session:
        whole = [row.id for row, _ in worklist(session, person)[0]]
        seen: list[str] = []
        cursor, more = "", True
        while more:
            rows, cursor = worklist(session, person, limit=2, cursor=cursor)
            seen += [row.id for row, _ in rows]
            more = bool(cursor)
        assert seen == whole
        assert len(whole) == 11


@pytest.mark.parametrize("cursor", ["x", "WzEsMl0=", "W251bGwsIDEsICIyMDI2LTAxLTAxIiwgImMiXQ=="])
def test_a_position_that_was_never_given_out_is_refused(world: World, cursor: str) -> None:
    with world.database.read() as session, pytest.raises(CursorInvalid):
        worklist(session, world.person("dentist"), cursor=cursor)


def test_every_open_case_waits_for_somebody_or_does_not(world: World) -> None:
    """A comparison with nobody is unknown in SQL: such a case must not fall out of both lists."""
    for owner, reason, state in (
        (WaitOwner.RADIOLOGIST, WaitReason.READING, State.IN_REVIEW),
        (WaitOwner.APPROVER, WaitReason.APPROVAL, State.AWAITING_APPROVAL),
        (WaitOwner.PRACTICE, WaitReason.QUESTION, State.MODIFICATION_REQUESTED),
        (WaitOwner.SCHEDULER, WaitReason.NO_READER, State.UNASSIGNED),
    ):
        for reader in (None, "radiologist"):
            put(
                world,
                wait_owner=owner,
                wait_reason=reason,
                state=state,
                assignee_id=world.user_id(reader) if reader else None,
            )
    for name, person in world.people.items():
        with world.database.read() as session:
            waiting = waiting_for(session, person)
            others = not_waiting_for(session, person)
            all_of_them = count_open(session, person)
            assert count_open(session, person, waiting) + count_open(session, person, others) == all_of_them, name
            assert len(worklist(session, person, waiting)[0]) == count_open(session, person, waiting), name
