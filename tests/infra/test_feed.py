"""The feed: a reader that goes on from an id misses nothing, however many write."""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import OperationalError

from infra.database import Database, now
from infra.feed import KEPT, FeedTail, Told, prune, publish
from tests.infra.databases import another, database, mariadb_engine, sqlite_database, sqlite_engine

__all__ = ["database", "mariadb_engine", "sqlite_database", "sqlite_engine"]

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def test_whoever_follows_sees_every_event_once_and_in_order(database: Database) -> None:
    """An id that is visible before a smaller one would be skipped over by every stream."""
    writers = [another(database), another(database)]
    seen: list[int] = []
    over = threading.Event()
    tail = FeedTail(another(database))

    def follow() -> None:
        while True:
            last_look = over.is_set()
            events = tail.after(seen[-1] if seen else 0)
            seen.extend(told.event.id for told in events)
            if last_look and not events:
                return

    def write(number: int) -> None:
        with writers[number % 2].write() as session:
            for _ in range(number % 3 + 1):
                publish(session, f"event {number}", at=NOW)

    reader = threading.Thread(target=follow)
    reader.start()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(120)))
    over.set()
    reader.join(20)
    assert seen == list(range(1, 241))
    for writer in writers:
        writer.close()


def test_an_event_of_a_transaction_that_fails_is_never_told(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as session:
        publish(session, "case.signed", at=NOW)
        raise RuntimeError
    assert FeedTail(database).after(0) == []
    assert FeedTail(database).last_id() == 0


async def test_a_tail_tells_what_comes_after_its_start_and_stops_when_told(database: Database) -> None:
    with database.write() as session:
        publish(session, "before", at=NOW)
    tail = FeedTail(database)
    await tail.start()
    told: list[str] = []
    heard = asyncio.Event()

    def listen(events: Sequence[Told]) -> None:
        told.extend(each.event.kind for each in events)
        heard.set()

    forget = tail.listen(listen)
    with database.write() as session:
        publish(session, "after", at=NOW)
    tail.wake()
    await asyncio.wait_for(heard.wait(), 5)
    assert told == ["after"]
    forget()
    others_heard = asyncio.Event()
    tail.listen(lambda _events: others_heard.set())
    with database.write() as session:
        publish(session, "not heard", at=NOW)
    await asyncio.wait_for(others_heard.wait(), 10)
    assert told == ["after"]
    assert tail.position == 3
    await tail.stop()


async def test_a_tail_goes_on_when_the_database_was_away(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tail = FeedTail(sqlite_database)
    after, failures = tail.after, [OperationalError("away", {}, Exception())] * 2

    def shaky(position: int) -> Sequence[Told]:
        if failures:
            raise failures.pop()
        return after(position)

    monkeypatch.setattr(tail, "after", shaky)
    await tail.start()
    heard = asyncio.Event()
    tail.listen(lambda _events: heard.set())
    with sqlite_database.write() as session:
        publish(session, "after", at=NOW)
    await asyncio.wait_for(heard.wait(), 5)
    assert not failures
    await tail.stop()


def test_old_events_are_forgotten_and_the_newest_stays(database: Database) -> None:
    old = now() - KEPT - timedelta(hours=1)
    with database.write() as session:
        for at in (old, old, old, now(), now()):
            publish(session, "case.submit", at=at)
    tail = FeedTail(database)
    assert prune(database, batch=2) == 2
    assert prune(database, batch=2) == 1
    assert prune(database) == 0
    assert [told.event.id for told in tail.after(0)] == [4, 5]
    assert tail.bounds() == (4, 5)


def test_a_feed_in_which_nothing_happened_for_long_still_says_where_it_stands(database: Database) -> None:
    with database.write() as session:
        publish(session, "case.submit", at=now() - 2 * KEPT)
        publish(session, "case.submit", at=now() - 2 * KEPT)
    prune(database)
    assert FeedTail(database).bounds() == (2, 2)
