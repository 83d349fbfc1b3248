"""An empty, current database of each kind that the product runs on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert
from sqlmodel import SQLModel

from infra.database import Database, make_engine
from infra.migrate import upgrade_engine
from schemas.tables.wires import Head
from tests.servers.mariadb import MariaDB


@pytest.fixture(scope="module")
def mariadb_engine(mariadb_server: MariaDB) -> Iterator[Engine]:
    """Migrated once a module: its hundreds of definitions take seconds."""
    with mariadb_server.database() as url:
        engine = make_engine(url)
        upgrade_engine(engine)
        yield engine
        engine.dispose()


def emptied(engine: Engine) -> Engine:
    """As it was after its migrations."""
    with engine.begin() as connection:
        for table in reversed(SQLModel.metadata.sorted_tables):
            connection.execute(table.delete())
        connection.execute(insert(Head), [{"name": name} for name in ("feed", "audit-chain", "audit:platform")])
    return engine


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{tmp_path / 'test.db'}")
    upgrade_engine(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_database(sqlite_engine: Engine) -> Database:
    """For what does not depend on the kind."""
    return Database(sqlite_engine)


@pytest.fixture(params=["sqlite", "mariadb"])
def database(request: pytest.FixtureRequest) -> Database:
    if request.param == "sqlite":
        return Database(request.getfixturevalue("sqlite_engine"))
    return Database(emptied(request.getfixturevalue("mariadb_engine")))


def another(database: Database) -> Database:
    """The same database as another process opens it."""
    return Database(make_engine(database.engine.url.render_as_string(hide_password=False)))
