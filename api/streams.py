"""Server-Sent Events over the feed (WHATWG HTML, "Server-sent events").

One event is encoded once and the same bytes go to all. A stream is checked again every few seconds: who may not see a
practice any more, or is signed out, hears nothing more of it (SAFETY: revocation within 5 s).
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

from api.listing import contracted_practices
from api.services import Services
from infra.feed import FeedTail
from infra.sessions import Sessions
from schemas.access import OrganizationKind, Person, is_admin
from schemas.errors import NotSignedIn, OdontoError
from schemas.tables.wires import FeedEvent

RECHECK_SECONDS: Final = 4.0
_ENDED: Final = b"event: ended\ndata: {}\n\n"
_KEEPALIVE: Final = b": still here\n\n"
_QUEUE: Final = 1000
MOST_STREAMS: Final = 40
"""Of one person in one process: more windows than anybody has."""
_open: Final[WeakKeyDictionary[FeedTail, Counter[str]]] = WeakKeyDictionary()


class TooManyStreams(OdontoError):
    code = "too_many_streams"
    status = 429
    title = "Too many windows follow what happens. Close some of them; the others go on."


@dataclass(frozen=True)
class Scope:
    """What a person may hear of."""

    user_id: str
    practices: frozenset[str]
    everything: bool

    def hears(self, event: FeedEvent) -> bool:
        if event.user_id is not None:
            return event.user_id == self.user_id
        return self.everything or event.practice_id in self.practices


def scope_of(services: Services, person: Person) -> Scope:
    own = {m.organization_id for m in person.members if m.kind is OrganizationKind.PRACTICE}
    with services.database.read() as session:
        contracted = contracted_practices(session, person)
    return Scope(person.user_id, frozenset(own) | contracted, is_admin(person))


def topics_of(kind: str, case_id: str | None) -> list[str]:
    """The regions of a page that an event concerns, as their ``data-live`` names them."""
    noun = kind.partition(".")[0]
    if noun == "notification":
        return ["notices"]
    topics = ["worklist"]
    if case_id is not None:
        topics.append(f"case:{case_id}")
        topics += {
            "case": [f"files:{case_id}"],
            "file": [f"files:{case_id}"],
            "chat": [f"messages:{case_id}"],
        }.get(noun, [])
    return topics


def encode(event: FeedEvent) -> bytes:
    """Ids and kinds only: a stream never carries content."""
    topics = topics_of(event.kind, event.case_id)
    data = json.dumps({"kind": event.kind, "case": event.case_id, "topics": topics}, separators=(",", ":"))
    return f"id: {event.id}\nevent: {event.kind.partition('.')[0]}\ndata: {data}\n\n".encode()


class _Line:
    """What waits for one client. One that cannot keep up is dropped; it comes back with its last id and misses nothing."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Sequence[FeedEvent]] = asyncio.Queue(_QUEUE)
        self.is_torn = False

    def offer(self, events: Sequence[FeedEvent]) -> None:
        if self.queue.full():
            self.is_torn = True
        else:
            self.queue.put_nowait(events)


def need_place(services: Services, person: Person) -> None:
    """Raises TooManyStreams: each open stream looks at the database every few seconds."""
    if _open.get(services.feed, Counter())[person.user_id] >= MOST_STREAMS:
        raise TooManyStreams()


async def event_stream(services: Services, sessions: Sessions, token: str, last_id: int | None) -> AsyncIterator[bytes]:
    """Bytes of one client's stream, from the event after ``last_id``, until the client leaves or the session ends."""
    try:
        person = await asyncio.to_thread(sessions.person, token)
    except NotSignedIn:
        yield _ENDED  # the session ended between the route's look and this one
        return
    scope = await asyncio.to_thread(scope_of, services, person)
    line = _Line()
    stop_listening = services.feed.listen(line.offer)
    open_streams = _open.setdefault(services.feed, Counter())
    open_streams[person.user_id] += 1
    try:
        position = services.feed.position if last_id is None else last_id
        yield b"retry: 2000\n\n"
        while missed := await asyncio.to_thread(services.feed.after, position):
            position = missed[-1].id
            yield b"".join(encode(event) for event in missed if scope.hears(event))
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
            fresh = [event for event in events if event.id > position]
            if fresh:
                position = fresh[-1].id
                heard = b"".join(encode(event) for event in fresh if scope.hears(event))
                if heard:
                    yield heard
    except NotSignedIn:
        yield _ENDED
    finally:
        stop_listening()
        open_streams[person.user_id] -= 1
