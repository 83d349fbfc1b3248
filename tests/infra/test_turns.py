"""Writers of one SQLite file wait for their turn instead of failing or starving."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from infra import database as module
from infra.database import Database, make_engine
from infra.turns import Turns
from schemas.tables.wires import Head


@pytest.fixture
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Database, Database]]:
    """Two processes' databases on one file, in which SQLite itself would wait for no time at all."""
    monkeypatch.setattr(module, "_BUSY_TIMEOUT_MS", 0)
    both = tuple(Database(make_engine(f"sqlite:///{tmp_path / 'a.db'}")) for _ in range(2))
    SQLModel.metadata.create_all(both[0].engine)
    yield both[0], both[1]
    for database in both:
        database.close()


@pytest.mark.parametrize("other", [0, 1], ids=["of the same process", "of another process"])
def test_a_writer_waits_until_the_one_before_is_done(impatient: tuple[Database, Database], other: int) -> None:
    begun, written = threading.Event(), threading.Event()

    def second() -> None:
        begun.set()
        with impatient[other].write() as session:
            session.add(Head(name="second"))
        written.set()

    thread = threading.Thread(target=second)
    with impatient[0].write() as session:
        session.add(Head(name="first"))
        session.flush()
        thread.start()
        assert begun.wait(5)
        assert not written.wait(0.2)
    thread.join(10)
    assert written.is_set()
    with impatient[0].read() as session:
        assert session.get(Head, "second") is not None


def test_a_failed_write_gives_its_turn_back(impatient: tuple[Database, Database]) -> None:
    with pytest.raises(RuntimeError), impatient[0].write():
        raise RuntimeError
    for database in impatient:
        with database.write() as session:
            session.merge(Head(name="next"))


def test_without_a_file_nobody_waits() -> None:
    turns = Turns(None)
    with turns.take(), turns.take():
        turns.close()
