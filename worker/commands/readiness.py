"""Whether an installation can do what a command needs: each refusal is one line that says what to do. No command."""

from datetime import timedelta
from typing import Final

from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from infra.database import Database, now
from infra.key_file import load_master_keys
from infra.migrate import is_current
from infra.settings import Settings
from schemas.errors import OdontoError
from schemas.tables.wires import Heartbeat
from schemas.translation import N_

QUIET: Final = timedelta(seconds=15)
"""A worker that runs is seen every five seconds."""


class NotReady(OdontoError):
    code = "not_ready"
    title = N_("The installation is not ready for this command.")


def need_secrets(settings: Settings) -> None:
    """What `api` and `worker` cannot do without, in one line instead of a traceback from their depths.

    Raises NotReady, MasterKeyMissing, MasterKeyFileRefused.
    """
    load_master_keys(settings)
    if settings.mode == "production" and settings.smtp_url is None:
        raise NotReady("ODONTOFLOW_SMTP_URL is empty. In production every notice and code goes out by mail.")


def open_database(settings: Settings) -> Database:
    """The database, when it answers and has this version's tables. Raises NotReady."""
    database = answering_database(settings)
    if not is_current(database.engine):
        database.close()
        raise NotReady("The database does not have this version's tables. Run `odontoflow migrate` first.")
    return database


def answering_database(settings: Settings) -> Database:
    """Raises NotReady, with the server's own words: they hold no password."""
    try:
        database = Database.from_settings(settings)
    except (ArgumentError, NoSuchModuleError):
        raise NotReady("ODONTOFLOW_DATABASE_URL is not an address that can be used.") from None
    try:
        database.ping()
    except DBAPIError as error:
        database.close()
        raise NotReady(f"The database cannot be opened: {error.orig}") from None
    return database


def need_quiet(database: Database) -> None:
    """Raises NotReady while a worker runs. A web server leaves no such trace: that it was stopped is taken on trust."""
    with database.read() as session:
        beat = session.get(Heartbeat, "worker")
    if beat is not None and now() - beat.seen_at < QUIET:
        raise NotReady("A worker ran a moment ago. Stop every api and worker, wait 15 seconds, and repeat.")
