"""The database: one engine a process, short transactions, the same rules on SQLite and MySQL/MariaDB."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, Table, bindparam, event, make_url, select, text, update
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session, create_engine

from infra.settings import Settings
from infra.turns import Turns
from infra.unchanged import Unchanged
from schemas.tables.wires import Head

_BUSY_TIMEOUT_MS = 15_000
_PASSING: Final = frozenset({1205, 1213})
"""Errors of MySQL and MariaDB that another try may not meet: ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK."""
_AWAY: Final = frozenset({1040, 1053, 1927, 2002, 2003, 2005, 2006, 2013, 2055, 4031}) | _PASSING
"""Too many connections, shutting down, connection killed, cannot connect (socket, TCP, name), gone, lost, idle too long."""
_AWAY_SQLITE: Final = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL}
)
Result = TypeVar("Result")
_LOOKUPS: Final = 2
# Made once: building a statement and its cache key costs more than SQLite needs to run it.
_HEADS = Head.metadata.tables["head"]
_ADVANCE = update(_HEADS).where(_HEADS.c.name == bindparam("counter")).values(value=_HEADS.c.value + bindparam("count"))
_STANDING = select(_HEADS.c.value).where(_HEADS.c.name == bindparam("counter"))


def now() -> datetime:
    return datetime.now(UTC)


def make_engine(url: str | URL, *, threads: int = 8) -> Engine:
    """An engine on ``url``. SQLite runs in WAL mode with foreign keys on, and every transaction states its kind.

    ``synchronous=FULL``: an acknowledged commit survives a power cut, as InnoDB's default does.
    """
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(
            url,
            hide_parameters=True,  # an error message goes to a log, and parameters are data
            pool_size=threads,
            max_overflow=threads,
            pool_pre_ping=True,
            pool_recycle=1800,
            isolation_level="READ COMMITTED",
            connect_args={"charset": "utf8mb4", "init_command": "SET time_zone = '+00:00'"},
        )
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": _BUSY_TIMEOUT_MS / 1000},
        pool_size=threads,
        max_overflow=threads,
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver must not begin by itself: see _begin
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={_BUSY_TIMEOUT_MS}",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A deferred transaction that turns into a write fails at once when another wrote meanwhile: half of the
        # increments of two processes were lost so. A writing transaction therefore takes the lock first.
        options = connection.get_execution_options()
        driver = connection.connection.driver_connection
        assert driver is not None
        try:
            driver.execute("BEGIN" if options.get("read_only") else "BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            # Here the driver is asked directly: nobody else makes its error the one that callers know.
            raise OperationalError("BEGIN", None, error, hide_parameters=True) from error

    return engine


class Database:
    """Sessions for reading and for writing. Blocking: call it from a thread, an activity or a ``def`` route."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._reader = engine.execution_options(read_only=True)
        self._lookups = make_engine(engine.url, threads=_LOOKUPS).execution_options(read_only=True)
        file = engine.url.database if self.is_sqlite else None
        path = Path(file) if file and file != ":memory:" else None
        self._turns = Turns(Path(f"{path}-turn") if path else None)
        self.unchanged: Final = Unchanged(path)

    @classmethod
    def from_settings(cls, settings: Settings) -> "Database":
        return cls(make_engine(settings.sqlalchemy_url, threads=settings.database_threads))

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A read-only session on one snapshot."""
        with Session(self._reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back on any error."""
        with self._turns.take(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def look_up(self) -> Iterator[Connection]:
        """A connection of a small pool of its own, for one short question of somebody who may have a session open.

        Out of the one pool, as many of them as it has connections would wait for each other until they time out.
        """
        with self._lookups.connect() as connection:
            yield connection

    def transact(self, work: Callable[[Session], Result]) -> Result:
        """One transaction of work that looks a row up and inserts it where it is missing; run once more when another
        one inserted it meanwhile, or when both waited for each other.

        MySQL and MariaDB let two transactions look at the same moment, and the second insert fails; run again, it finds
        the row. ``work`` must do the same when it is run again: everything it does is in its transaction, and was rolled
        back.
        """
        try:
            with self.write() as session:
                return work(session)
        except DBAPIError as error:
            if not _is_passing(error):
                raise
        with self.write() as session:
            return work(session)

    def ping(self) -> None:
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        self.engine.dispose()
        self._lookups.dispose()
        self._turns.close()
        self.unchanged.close()


def _is_passing(error: DBAPIError) -> bool:
    if isinstance(error, IntegrityError):
        return True
    return (
        isinstance(error, OperationalError) and error.orig is not None and bool(_PASSING.intersection(error.orig.args))
    )


def is_away(error: SQLAlchemyError) -> bool:
    """Whether the database could not be reached, or was locked for too long: another time the same may work.

    A statement that is wrong is not: drivers call that an operational error, too, where a table or a column is missing.
    """
    if isinstance(error, NoConnectionFree):
        return True
    if not isinstance(error, DBAPIError):
        return False
    cause = error.orig
    if isinstance(cause, sqlite3.OperationalError):
        return (getattr(cause, "sqlite_errorcode", 0) & 0xFF) in _AWAY_SQLITE
    if error.connection_invalidated:
        return True
    if isinstance(error, OperationalError | InterfaceError) and cause is not None:
        # PyMySQL names a connection that was closed meanwhile with the number 0.
        return bool((_AWAY | {0}).intersection(cause.args[:1]))
    return False


def upsert(session: Session, table: Table, key: Mapping[str, object], values: Mapping[str, object]) -> None:
    """The row of a primary key, made or changed in one statement: of two that want it at once, the second waits."""
    row = {**key, **values}
    if session.get_bind().dialect.name == "sqlite":
        made = sqlite.insert(table).values(row)
        session.connection().execute(made.on_conflict_do_update(index_elements=list(key), set_=dict(values)))
    else:
        # A plain insert would leave each waiter with a shared lock, and two of them with a deadlock.
        session.connection().execute(mysql.insert(table).values(row).on_duplicate_key_update(dict(values)))


def _make_head(session: Session, name: str) -> None:
    """A counter that does not exist yet. Two transactions may want it at once: the second waits and finds it."""
    row = {"name": name, "value": 0}
    if session.get_bind().dialect.name == "sqlite":
        session.connection().execute(sqlite.insert(_HEADS), row)
    else:
        session.connection().execute(mysql.insert(_HEADS).values(row).on_duplicate_key_update(name=name))


def take_numbers(session: Session, name: str, count: int = 1) -> int:
    """The first of ``count`` consecutive numbers of a counter, gapless and in commit order.

    The counter's row stays locked until the commit: take numbers last in a transaction, and always ``audit`` before
    ``feed``, so that two transactions never wait for each other.
    """
    session.flush()
    connection = session.connection()
    step = {"counter": name, "count": count}
    if not connection.execute(_ADVANCE, step).rowcount:
        _make_head(session, name)
        connection.execute(_ADVANCE, step)
    return int(connection.execute(_STANDING, {"counter": name}).scalar_one()) - count + 1
