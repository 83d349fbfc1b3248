"""Server-Sent Events over the feed (WHATWG HTML, "Server-sent events").

One event is encoded once and the same bytes go to all. A stream is checked again every few seconds: who may not see a
practice any more, or is signed out, hears nothing more of it (SAFETY: revocation within 5 s).
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import or_
from sqlmodel import col, select

from api.rechecking import SECONDS as RECHECK_SECONDS
from api.services import Services
from infra.feed import Bounds, FeedTail, Told
from infra.sessions import Sessions
from schemas.access import Person, takers
from schemas.errors import NotSignedIn, OdontoError
from schemas.lifecycle import Role, State
from schemas.tables.case import Case
from schemas.translation import N_

_ENDED: Final = b"event: ended\ndata: {}\n\n"
_KEEPALIVE: Final = b": still here\n\n"
_QUEUE: Final = 1000
MOST_STREAMS: Final = 40
"""Of one person in one process: more windows than anybody has."""
MOST_TOLD_AGAIN: Final = 2000
"""Events since a client's last one. After more of them, reading anew costs less than hearing each."""
_SOME_CASE: Final = "case"
"""The kind of an event that names neither a case nor a step."""
_open: Final[WeakKeyDictionary[FeedTail, Counter[str]]] = WeakKeyDictionary()


class TooManyStreams(OdontoError):
    code = "too_many_streams"
    status = 429
    title = N_("Too many windows follow what happens. Close some of them; the others go on.")


@dataclass(frozen=True)
class Scope:
    """What a person may hear of. ``cases`` are the open ones that a radiologist had in hand a moment ago: of their being
    taken away, too, their page is told."""

    person: Person
    cases: frozenset[str] = frozenset()

    def bytes_of(self, told: Told) -> bytes:
        """What the person hears of an event; empty where they hear nothing.

        Who stands to the case hears of it by its id. The others of its reading group may have seen it in the pool: they
        hear that a list has changed, and neither of which case nor by what. Of a draft they hear nothing.
        """
        event, standing = told
        if event.user_id is not None:
            return encode(event.id, event.kind, event.case_id) if event.user_id == self.person.user_id else b""
        if standing is None:
            return encode(event.id, event.kind, event.case_id) if self._owns(event.practice_id) else b""
        if event.case_id in self.cases or takers(self.person, standing):
            return encode(event.id, event.kind, event.case_id)
        is_step = event.kind.startswith("case.") and standing.state is not State.DRAFT
        in_group = any(member.organization_id in standing.groups for member in self.person.members)
        return encode(event.id, _SOME_CASE, None) if is_step and in_group else b""

    def _owns(self, practice_id: str | None) -> bool:
        return any(member.organization_id == practice_id for member in self.person.members)


def scope_of(services: Services, person: Person) -> Scope:
    if all(member.role is not Role.RADIOLOGIST for member in person.members):
        return Scope(person)
    mine = or_(col(Case.assignee_id) == person.user_id, col(Case.approver_id) == person.user_id)
    with services.database.read() as session:
        return Scope(person, frozenset(session.exec(select(Case.id).where(mine, col(Case.is_open))).all()))


def topics_of(kind: str, case_id: str | None) -> list[str]:
    """The regions of a page that an event concerns, as their ``data-live`` names them."""
    noun = kind.partition(".")[0]
    if noun == "notification":
        return ["notices"]
    if noun == "document":
        return ["documents"]
    topics = ["worklist"]
    if case_id is not None:
        topics.append(f"case:{case_id}")
        topics += {
            "case": [f"files:{case_id}"],
            "file": [f"files:{case_id}"],
            "chat": [f"messages:{case_id}"],
        }.get(noun, [])
    return topics


@lru_cache(1024)
def encode(event_id: int, kind: str, case_id: str | None) -> bytes:
    """Ids and kinds only: a stream never carries content. Made once for all the streams."""
    data = json.dumps({"kind": kind, "case": case_id, "topics": topics_of(kind, case_id)}, separators=(",", ":"))
    return f"id: {event_id}\nevent: {kind.partition('.')[0]}\ndata: {data}\n\n".encode()


class _Line:
    """What waits for one client. One that cannot keep up is dropped; it comes back with its last id and misses nothing."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Sequence[Told]] = asyncio.Queue(_QUEUE)
        self.is_torn = False

    def offer(self, events: Sequence[Told]) -> None:
        if self.queue.full():
            self.is_torn = True
        else:
            self.queue.put_nowait(events)


def need_place(services: Services, person: Person) -> None:
    """Raises TooManyStreams: each open stream looks at the database every few seconds."""
    if _open.get(services.feed, Counter())[person.user_id] >= MOST_STREAMS:
        raise TooManyStreams()


def _is_gone(position: int, bounds: Bounds) -> bool:
    """A position that is none any more; one after the newest is of another database, from before a restore."""
    return position + 1 < bounds.oldest or position > bounds.newest or bounds.newest - position > MOST_TOLD_AGAIN


async def event_stream(services: Services, sessions: Sessions, token: str, last_id: int | None) -> AsyncIterator[bytes]:
    """Bytes of one client's stream, from the event after ``last_id``, until the client leaves or the session ends.

    Where what came after ``last_id`` is not kept any more, or is too much to be told again, a ``reset`` comes first: the
    client reads anew what it shows, and the stream goes on from now.
    """
    try:
        person = await asyncio.to_thread(sessions.person, token)
    except NotSignedIn:
        yield _ENDED  # the session ended between the route's look and this one
        return
    scope = await asyncio.to_thread(scope_of, services, person)
    try:
        # The route's look and this one lie apart: of many that begin at one moment, all passed the first.
        need_place(services, person)
    except TooManyStreams:
        return  # the client comes again, and is told
    line = _Line()
    stop_listening = services.feed.listen(line.offer)
    open_streams = _open.setdefault(services.feed, Counter())
    open_streams[person.user_id] += 1
    try:
        position = services.feed.position if last_id is None else last_id
        yield b"retry: 2000\n\n"
        bounds = await asyncio.to_thread(services.feed.bounds)
        if _is_gone(position, bounds):
            position = bounds.newest
            yield f"id: {position}\nevent: reset\ndata: {{}}\n\n".encode()
        while missed := await asyncio.to_thread(services.feed.after, position):
            position = missed[-1].event.id
            yield b"".join(scope.bytes_of(told) for told in missed)
        checked = asyncio.get_running_loop().time()
        while True:
            clock = asyncio.get_running_loop().time()
            try:
                events = await asyncio.wait_for(line.queue.get(), max(0.0, checked + RECHECK_SECONDS - clock))
            except TimeoutError:
                events = ()
                yield _KEEPALIVE
            if line.is_torn:
                return
            clock = asyncio.get_running_loop().time()
            if clock - checked >= RECHECK_SECONDS:
                person = await asyncio.to_thread(sessions.person, token)
                scope = await asyncio.to_thread(scope_of, services, person)
                checked = clock
            fresh = [told for told in events if told.event.id > position]
            if fresh:
                position = fresh[-1].event.id
                heard = b"".join(scope.bytes_of(told) for told in fresh)
                if heard:
                    yield heard
    except NotSignedIn:
        yield _ENDED
    finally:
        stop_listening()
        open_streams[person.user_id] -= 1
