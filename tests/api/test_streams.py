"""Live events: nothing is missed, nothing of others is heard, and a stream ends with its session."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

import api.streams
from api.streams import TooManyStreams, event_stream, need_place
from infra.database import now
from infra.feed import publish
from infra.sessions import TOKEN, Sessions
from schemas.lifecycle import State
from schemas.tables.case import Case
from schemas.tables.wires import FeedEvent
from tests.ui.site import BASE, PASSWORD, Site, site


@pytest_asyncio.fixture
async def quiet(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as made:
        yield made


def sessions_of(place: Site) -> Sessions:
    services = place.app.state.services
    return Sessions(services.database, services.passwords, services.settings)


def token_of(place: Site, name: str) -> str:
    return sessions_of(place).sign_in(f"{name}@demo.test", PASSWORD, TOKEN, name).token


def happen(place: Site, practice: str, count: int = 1, case_id: str = "case_1", kind: str = "case.submit") -> None:
    with place.world.database.write() as session:
        for _ in range(count):
            publish(session, kind, at=now(), practice_id=place.world.organizations[practice], case_id=case_id)


def place_case(place: Site, case_id: str, state: State, assignee: str | None = None) -> None:
    with place.world.database.write() as session:
        row = session.get_one(Case, case_id)
        row.state, row.assignee_id = state, place.world.user_id(assignee) if assignee else None


async def told(place: Site, name: str, since: int) -> list[dict[str, Any]]:
    """What a person hears of everything after an event."""
    with place.world.database.write() as session:
        publish(session, "notification", at=now(), user_id=place.world.user_id(name))
    whole = await heard(stream_of(place, token_of(place, name), since), b'"notification"')
    return [json.loads(line[6:]) for line in whole.decode().splitlines() if line.startswith("data: ")][:-1]


def stream_of(place: Site, token: str, last_id: int | None = None) -> AsyncIterator[bytes]:
    return event_stream(place.app.state.services, sessions_of(place), token, last_id)


async def heard(stream: AsyncIterator[bytes], until: bytes) -> bytes:
    async with asyncio.timeout(20):
        whole = b""
        async for piece in stream:
            whole += piece
            if until in whole:
                return whole
        return whole


async def test_one_hears_of_ones_own_practice_alone_and_misses_nothing(quiet: Site) -> None:
    happen(quiet, "practice2")
    happen(quiet, "practice", 2)
    assert (await heard(stream_of(quiet, token_of(quiet, "dentist"), 0), b"id: 3")).count(b"id: ") == 2
    assert (await heard(stream_of(quiet, token_of(quiet, "dentist2"), 0), b"id: 1")).count(b"id: ") == 1
    live = stream_of(quiet, token_of(quiet, "dentist"), 3)
    assert b"retry" in await anext(live)
    waiting = asyncio.create_task(heard(live, b"id: 4"))
    await asyncio.sleep(0.1)
    happen(quiet, "practice")
    assert b"event: case\n" in await waiting


async def test_a_stream_ends_with_its_session_however_much_happens(
    quiet: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events that come all the time must not put off the look at the session."""
    monkeypatch.setattr(api.streams, "RECHECK_SECONDS", 1.0)
    token = token_of(quiet, "dentist")
    stream = stream_of(quiet, token)
    assert b"retry" in await anext(stream)
    sessions = sessions_of(quiet)
    sessions.end(sessions.person(token))
    begun = asyncio.get_running_loop().time()
    ended = asyncio.create_task(heard(stream, b"event: ended"))
    while not ended.done():
        await asyncio.to_thread(happen, quiet, "practice2")
        await asyncio.sleep(0.3)
    assert b"event: ended" in await ended
    assert asyncio.get_running_loop().time() - begun < 5, "a session that ended stops its streams within 5 s"


async def test_a_client_that_cannot_keep_up_is_dropped_and_not_kept_in_the_dark(
    quiet: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.streams, "_QUEUE", 1)
    stream = stream_of(quiet, token_of(quiet, "dentist"), 0)
    assert b"retry" in await anext(stream)
    for _ in range(3):  # three batches, of which one has room
        happen(quiet, "practice")
        quiet.app.state.services.feed.wake()
        await asyncio.sleep(0.6)
    whole = await heard(stream, b"never")
    last = int(whole.rpartition(b"id: ")[2].split(b"\n")[0]) if b"id: " in whole else 0
    again = await heard(stream_of(quiet, token_of(quiet, "dentist"), last), b"id: 3") if last < 3 else b"id: 3"
    assert b"id: 3" in again


async def test_nobody_holds_more_streams_than_windows(quiet: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.streams, "MOST_STREAMS", 2)
    services, token = quiet.app.state.services, token_of(quiet, "dentist")
    streams = [stream_of(quiet, token) for _ in range(2)]
    for stream in streams:
        await anext(stream)
    with pytest.raises(TooManyStreams):
        need_place(services, quiet.world.person("dentist"))
    need_place(services, quiet.world.person("staff"))
    transport = httpx.ASGITransport(quiet.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        answer = await client.get("/api/v1/events", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 429
    for stream in streams:
        await stream.aclose()  # type: ignore[attr-defined]
    need_place(services, quiet.world.person("dentist"))


async def test_streams_that_begin_at_one_moment_count_each_other(quiet: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.streams, "MOST_STREAMS", 2)
    token = token_of(quiet, "dentist")
    streams = [stream_of(quiet, token) for _ in range(6)]
    first = await asyncio.gather(*(anext(stream, None) for stream in streams))
    assert len([piece for piece in first if piece]) == 2
    for stream in streams:
        await stream.aclose()  # type: ignore[attr-defined]


async def test_a_session_that_ends_before_the_first_byte_is_told_and_nothing_breaks(quiet: Site) -> None:
    assert [piece async for piece in stream_of(quiet, "no such token")] == [b"event: ended\ndata: {}\n\n"]


async def test_a_reading_group_hears_of_a_case_by_its_relation_and_of_a_draft_nothing(quiet: Site) -> None:
    case_id = quiet.world.add_case().id
    since = quiet.app.state.services.feed.last_id() - 1
    group = ("radiologist", "radiologist2", "scheduler")
    for name in group:
        assert await told(quiet, name, since) == [], name
    assert {each["case"] for each in await told(quiet, "dentist", since)} == {case_id}
    assert {each["case"] for each in await told(quiet, "admin", since)} == {case_id}
    assert await told(quiet, "dentist2", since) == []

    place_case(quiet, case_id, State.UNASSIGNED)
    since = quiet.app.state.services.feed.last_id()
    happen(quiet, "practice", case_id=case_id)
    for name in group:
        assert {each["case"] for each in await told(quiet, name, since)} == {case_id}, name

    place_case(quiet, case_id, State.IN_REVIEW, "radiologist")
    since = quiet.app.state.services.feed.last_id()
    for kind in ("case.claim", "chat.message", "file.checked", "report.draft"):
        happen(quiet, "practice", case_id=case_id, kind=kind)
    assert [each["case"] for each in await told(quiet, "radiologist", since)] == [case_id] * 4
    assert [each["case"] for each in await told(quiet, "scheduler", since)] == [case_id] * 4
    only = {"kind": "case", "case": None, "topics": ["worklist"]}
    assert await told(quiet, "radiologist2", since) == [only], "the pool has changed, and that is all"


async def test_who_loses_a_case_is_told_so(quiet: Site) -> None:
    case_id = quiet.world.add_case().id
    place_case(quiet, case_id, State.IN_REVIEW, "radiologist")
    stream = stream_of(quiet, token_of(quiet, "radiologist"))
    assert b"retry" in await anext(stream)
    waiting = asyncio.create_task(heard(stream, b"data: {"))
    await asyncio.sleep(0.1)
    place_case(quiet, case_id, State.IN_REVIEW, "radiologist2")
    happen(quiet, "practice", case_id=case_id, kind="case.reassign")
    assert case_id.encode() in await waiting


@pytest.mark.parametrize("position", ["pruned", "from another database", "too long ago"])
async def test_who_cannot_go_on_where_it_was_is_told_to_read_anew(
    quiet: Site, monkeypatch: pytest.MonkeyPatch, position: str
) -> None:
    happen(quiet, "practice", 5)
    if position == "pruned":
        with quiet.world.database.write() as session:
            for number in (1, 2):
                session.delete(session.get_one(FeedEvent, number))
    elif position == "too long ago":
        monkeypatch.setattr(api.streams, "MOST_TOLD_AGAIN", 4)
    last_id = 90 if position == "from another database" else 0
    stream = stream_of(quiet, token_of(quiet, "dentist"), last_id)
    assert await heard(stream, b"event: reset") == b"retry: 2000\n\nid: 5\nevent: reset\ndata: {}\n\n"
    waiting = asyncio.create_task(heard(stream, b"id: 6"))
    await asyncio.sleep(0.1)
    happen(quiet, "practice")
    assert b"id: 6" in await waiting


async def test_who_comes_back_in_time_is_not_sent_to_read_anew(quiet: Site) -> None:
    happen(quiet, "practice", 3)
    with quiet.world.database.write() as session:
        session.delete(session.get_one(FeedEvent, 1))
    whole = await heard(stream_of(quiet, token_of(quiet, "dentist"), 1), b"id: 3")
    assert b"reset" not in whole
    assert whole.count(b"id: ") == 2
