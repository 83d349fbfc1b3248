"""Brings a database to the current schema. Migrations go forward only: a way back is a restored backup."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from infra.database import Database
from infra.key_file import load_master_keys
from infra.keystore import KeyStore
from infra.settings import Settings

_FOLDER = Path(__file__).parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return config


def upgrade_engine(engine: Engine) -> None:
    """Applies what is missing, each migration in a transaction of its own."""
    config = _config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def is_current(engine: Engine) -> bool:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == (
            ScriptDirectory.from_config(_config()).get_current_head()
        )


def upgrade(settings: Settings) -> None:
    """Tables, the blob folder and the system's key: all that an installation needs before its first process starts."""
    settings.home.mkdir(parents=True, exist_ok=True)
    if settings.blobs == "local":
        settings.blob_folder.mkdir(parents=True, exist_ok=True)
    database = Database.from_settings(settings)
    try:
        if not is_current(database.engine):
            upgrade_engine(database.engine)
        keys = KeyStore(database, load_master_keys(settings))
        keys.ensure_system_key()
        keys.need_own_master_key()
    finally:
        database.close()


def write_revision(engine: Engine, message: str, revision: str) -> None:
    """Writes a new migration from the difference between the tables and the database. For developers."""
    config = _config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.revision(config, message=message, autogenerate=True, rev_id=revision)
