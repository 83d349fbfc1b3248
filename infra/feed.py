"""The feed: what live pages listen to. Ids come in commit order, so a reader that goes on from an id misses nothing.

Events are kept for some days: whoever was away for longer begins anew.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import bindparam, func, insert
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, delete, select

from infra.database import Database, now, take_numbers
from schemas.access import CaseStanding
from schemas.lifecycle import State, WaitReason
from schemas.tables.case import Case
from schemas.tables.people import Contract
from schemas.tables.wires import FeedEvent

_log = logging.getLogger(__name__)
_FEED: Final = "feed"
_POLL_SECONDS: Final = 0.25
_PAGE: Final = 500
KEPT: Final = timedelta(days=3)
"""How long an event can be asked for again: longer than a laptop is closed over a weekend."""
_ADD: Final = insert(FeedEvent.metadata.tables["feed_event"])
# Asked four times a second by every process: made once.
_AFTER: Final = (
    select(FeedEvent).where(col(FeedEvent.id) > bindparam("position")).order_by(col(FeedEvent.id)).limit(_PAGE)
)
_CASE, _CONTRACT = Case.metadata.tables["report_case"].c, Contract.metadata.tables["contract"].c
_CASES: Final = rows_of(
    _CASE.id, _CASE.practice_id, _CASE.state, _CASE.assignee_id, _CASE.approver_id, _CASE.author_id, _CASE.wait_reason
).where(_CASE.id.in_(bindparam("cases", expanding=True)))
_GROUPS: Final = rows_of(_CONTRACT.practice_id, _CONTRACT.group_id).where(
    _CONTRACT.practice_id.in_(bindparam("practices", expanding=True)), _CONTRACT.is_active
)


def publish(
    session: Session,
    kind: str,
    *,
    at: datetime,
    practice_id: str | None = None,
    user_id: str | None = None,
    case_id: str | None = None,
) -> None:
    """Adds an event. Call it last in a transaction: its number is in commit order because its lock is held till then."""
    number = take_numbers(session, _FEED)
    row = {"id": number, "kind": kind, "practice_id": practice_id, "user_id": user_id, "case_id": case_id, "at": at}
    session.connection().execute(_ADD, row)


class Told(NamedTuple):
    """An event, and how its case stands when it is told: on that depends who hears of it. None: it is of no case."""

    event: FeedEvent
    standing: CaseStanding | None


class Bounds(NamedTuple):
    """Ids of the oldest event that is kept and of the newest; both 0 before the first."""

    oldest: int
    newest: int


Listener = Callable[[Sequence[Told]], None]


class FeedTail:
    """Follows the feed of one process and hands each batch of events to the listeners, on the event loop.

    Polls the table; :meth:`wake` cuts the wait short when this very process has published.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: set[Listener] = set()
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._position = 0

    @property
    def position(self) -> int:
        return self._position

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._position = await asyncio.to_thread(self.last_id)
        self._task = asyncio.create_task(self._run(), name="feed tail")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Adds a listener; the returned function removes it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def wake(self) -> None:
        """Safe from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    def last_id(self) -> int:
        return self.bounds().newest

    def bounds(self) -> Bounds:
        """Blocking."""
        with self._database.read() as session:
            oldest, newest = session.exec(select(func.min(FeedEvent.id), func.max(FeedEvent.id))).one()
        return Bounds(oldest or 0, newest or 0)

    def after(self, position: int) -> Sequence[Told]:
        """Up to 500 events after an id. Blocking."""
        with self._database.read() as session:
            events = session.exec(_AFTER, params={"position": position}).all()
            standings = _standings(session, events)
        return [Told(event, standings.get(event.case_id) if event.case_id else None) for event in events]

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                events = await asyncio.to_thread(self.after, self._position)
            except Exception as error:
                # A database that is away comes back; the streams go on from where they were.
                _log.warning("the feed could not be read: %s", type(error).__name__)
                events = []
            if events:
                self._position = events[-1].event.id
                for listener in tuple(self._listeners):
                    listener(events)
                continue
            try:
                await asyncio.wait_for(self._wake.wait(), _POLL_SECONDS)
            except TimeoutError:
                continue


def _standings(session: Session, events: Sequence[FeedEvent]) -> dict[str, CaseStanding]:
    """Of the events' cases: two queries for all of them, and none where no event is of a case."""
    wanted = {event.case_id for event in events if event.case_id and event.user_id is None}
    if not wanted:
        return {}
    rows = session.connection().execute(_CASES, {"cases": list(wanted)}).all()
    groups: dict[str, set[str]] = {row.practice_id: set() for row in rows}
    for practice_id, group_id in session.connection().execute(_GROUPS, {"practices": list(groups)}):
        groups[practice_id].add(group_id)
    return {
        row.id: CaseStanding(
            case_id=row.id,
            practice_id=row.practice_id,
            state=State(row.state),
            groups=frozenset(groups[row.practice_id]),
            assignee_id=row.assignee_id,
            approver_id=row.approver_id,
            signers=frozenset(user_id for user_id in (row.author_id,) if user_id),
            wants_second_person=row.wait_reason == WaitReason.IDENTITY_SECOND_PERSON,
        )
        for row in rows
    }


def prune(database: Database, batch: int = 1000) -> int:
    """Forgets events older than :data:`KEPT`, up to ``batch`` of them; returns how many. Blocking.

    The newest stays, however old it is: it says where the feed stands.
    """
    cutoff = now() - KEPT
    with database.write() as session:
        newest = session.exec(select(func.max(FeedEvent.id))).one() or 0
        rows = session.exec(
            select(FeedEvent.id, FeedEvent.at)
            .where(col(FeedEvent.id) < newest)
            .order_by(col(FeedEvent.id))
            .limit(batch)
        ).all()
        old = [event_id for event_id, at in rows if at < cutoff]
        if old:
            session.exec(delete(FeedEvent).where(col(FeedEvent.id) <= old[-1]))
    return len(old)
