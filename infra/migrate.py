"""Brings a database to the current schema. Migrations go forward only: a way back is a restored backup."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from infra.database import make_engine
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
    settings.home.mkdir(parents=True, exist_ok=True)
    engine = make_engine(settings.sqlalchemy_url)
    try:
        if not is_current(engine):
            upgrade_engine(engine)
    finally:
        engine.dispose()


def write_revision(engine: Engine, message: str, revision: str) -> None:
    """Writes a new migration from the difference between the tables and the database. For developers."""
    config = _config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.revision(config, message=message, autogenerate=True, rev_id=revision)
