"""The feed: what live pages listen to. Ids come in commit order, so a reader that goes on from an id misses nothing."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, insert
from sqlmodel import Session, col, select

from infra.database import Database, take_numbers
from schemas.tables.wires import FeedEvent

_log = logging.getLogger(__name__)
_FEED: Final = "feed"
_POLL_SECONDS: Final = 0.25
_PAGE: Final = 500
_ADD: Final = insert(FeedEvent.metadata.tables["feed_event"])
# Asked four times a second by every process: made once.
_AFTER: Final = (
    select(FeedEvent).where(col(FeedEvent.id) > bindparam("position")).order_by(col(FeedEvent.id)).limit(_PAGE)
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


Listener = Callable[[Sequence[FeedEvent]], None]


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
        with self._database.read() as session:
            return session.exec(select(func.max(FeedEvent.id))).one() or 0

    def after(self, position: int) -> Sequence[FeedEvent]:
        """Up to 500 events after an id. Blocking."""
        with self._database.read() as session:
            return session.exec(_AFTER, params={"position": position}).all()

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
                self._position = events[-1].id
                for listener in tuple(self._listeners):
                    listener(events)
                continue
            try:
                await asyncio.wait_for(self._wake.wait(), _POLL_SECONDS)
            except TimeoutError:
                continue
