"""What is remembered of the database is never older than its last commit, whoever made it, nor than a second."""

import pytest
from sqlmodel import select

from infra.database import Database
from infra.unchanged import Unchanged
from schemas.tables.wires import Head
from tests.infra.databases import another, database, mariadb_engine, sqlite_database, sqlite_engine

__all__ = ["database", "mariadb_engine", "sqlite_database", "sqlite_engine"]

NAME = ("value",)


def write(database: Database, value: int) -> None:
    with database.write() as session:
        session.get_one(Head, "feed").value = value


def value_of(database: Database) -> int:
    with database.read() as session:
        return session.exec(select(Head.value).where(Head.name == "feed")).one()


def test_an_answer_is_never_older_than_the_last_commit_of_anybody(database: Database) -> None:
    other = another(database)
    for number, writer in enumerate((database, other, database, other)):
        write(writer, number)
        assert database.unchanged.ask(NAME, lambda: value_of(database)) == number
        assert database.unchanged.known(NAME) in {number, None}
    write(other, 99)
    assert database.unchanged.known(NAME) is None
    other.close()
    database.close()


def test_an_answer_is_looked_up_once_for_as_long_as_nothing_is_written(sqlite_database: Database) -> None:
    answers = iter([7, 8, 9])
    assert [sqlite_database.unchanged.ask(NAME, answers.__next__) for _ in range(3)] == [7, 7, 7]
    assert sqlite_database.unchanged.known(NAME) == 7
    assert sqlite_database.unchanged.known(("other",)) is None


def test_an_answer_during_which_somebody_wrote_is_not_kept(sqlite_database: Database) -> None:
    def look_up() -> int:
        found = value_of(sqlite_database)
        write(sqlite_database, 5)
        return found

    assert sqlite_database.unchanged.ask(NAME, look_up) == 0
    assert sqlite_database.unchanged.known(NAME) is None
    assert sqlite_database.unchanged.ask(NAME, lambda: value_of(sqlite_database)) == 5


def test_a_second_is_the_most_and_a_refusal_is_not_kept(sqlite_database: Database) -> None:
    moment = 10.0
    unchanged = Unchanged(sqlite_database.unchanged.file, lambda: moment)
    assert unchanged.ask(NAME, lambda: 1) == 1
    moment = 10.9
    assert unchanged.known(NAME) == 1
    moment = 11.1
    assert unchanged.known(NAME) is None
    with pytest.raises(StopIteration):
        unchanged.ask(NAME, iter([0][:0]).__next__)
    assert unchanged.ask(NAME, lambda: 2) == 2
    unchanged.close()


def test_a_database_that_cannot_say_is_asked_each_time() -> None:
    unchanged = Unchanged(None)
    assert [unchanged.ask(NAME, iter([number]).__next__) for number in (1, 2)] == [1, 2]
    assert unchanged.known(NAME) is None
