"""Transactions and counters, the same on SQLite and on MariaDB."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.exc import StatementError
from sqlmodel import select

from infra.database import Database, take_numbers
from schemas.tables.wires import Head, Heartbeat
from tests.infra.databases import another, database, mariadb_engine, sqlite_database, sqlite_engine

__all__ = ["database", "mariadb_engine", "sqlite_database", "sqlite_engine"]


def test_a_write_is_all_or_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as session:
        session.add(Head(name="a", value=1))
        session.flush()
        raise RuntimeError
    with database.read() as session:
        assert session.get(Head, "a") is None
    with database.write() as session:
        session.add(Head(name="a", value=1))
    with database.read() as session:
        assert session.get_one(Head, "a").value == 1


def test_reading_changes_nothing(database: Database) -> None:
    with database.read() as session:
        session.add(Head(name="a", value=1))
        session.flush()
    with database.read() as session:
        assert session.get(Head, "a") is None


def test_two_processes_that_read_and_then_write_lose_nothing(database: Database) -> None:
    """With SQLite's default, half of such increments fail or are lost (DECISIONS 9)."""
    with database.write() as session:
        session.add(Head(name="count", value=0))
    processes = [another(database), another(database)]

    def increment(number: int) -> None:
        with processes[number % 2].write() as session:
            head = session.exec(select(Head).where(Head.name == "count").with_for_update()).one()
            head.value += 1

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(increment, range(200)))
    for process in processes:
        process.close()
    with database.read() as session:
        assert session.get_one(Head, "count").value == 200


def test_numbers_are_consecutive_and_nobody_gets_one_twice(database: Database) -> None:
    processes = [another(database), another(database)]

    def take(number: int) -> list[int]:
        count = number % 3 + 1
        with processes[number % 2].write() as session:
            first = take_numbers(session, "tickets", count)
        return list(range(first, first + count))

    with ThreadPoolExecutor(4) as threads:
        taken = [number for numbers in threads.map(take, range(90)) for number in numbers]
    for process in processes:
        process.close()
    assert sorted(taken) == list(range(1, len(taken) + 1))


def test_many_who_want_a_new_counter_at_once_all_get_a_number(database: Database) -> None:
    def take(number: int) -> int:
        with database.write() as session:
            return take_numbers(session, f"new {number // 6}")

    with ThreadPoolExecutor(6) as threads:
        taken = list(threads.map(take, range(30)))
    for counter in range(5):
        assert sorted(taken[counter * 6 : counter * 6 + 6]) == [1, 2, 3, 4, 5, 6]


def test_a_number_of_a_transaction_that_fails_is_given_again(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as session:
        take_numbers(session, "tickets")
        raise RuntimeError
    with database.write() as session:
        assert take_numbers(session, "tickets") == 1


def test_a_moment_keeps_its_microseconds_and_comes_back_in_utc(database: Database) -> None:
    moment = datetime(2026, 11, 2, 9, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    with database.write() as session:
        session.add(Heartbeat(process="worker", seen_at=moment))
    with database.read() as session:
        seen = session.get_one(Heartbeat, "worker").seen_at
    assert seen == moment
    assert seen.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused(sqlite_database: Database) -> None:
    with pytest.raises(StatementError), sqlite_database.write() as session:
        session.add(Heartbeat(process="worker", seen_at=datetime(2026, 11, 2)))  # noqa: DTZ001 - the mistake itself


def test_ids_are_compared_letter_by_letter(database: Database) -> None:
    """MariaDB's default collation would take ``Ab`` for ``aB``: an id that is guessed almost right would be right."""
    with database.write() as session:
        session.add(Head(name="case_ab", value=1))
        session.add(Head(name="case_AB", value=2))
    with database.read() as session:
        assert session.get_one(Head, "case_ab").value == 1
        assert session.get(Head, "case_aB") is None
