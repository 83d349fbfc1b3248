"""A world on each kind of database that the product runs on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.database import Database, make_engine
from infra.keys import MasterKeys
from infra.keystore import KeyStore
from infra.migrate import upgrade_engine
from tests.world import World, populate, sqlite_world


@pytest.fixture(params=["sqlite", "mariadb"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "sqlite":
        with sqlite_world(tmp_path) as made:
            yield made
        return
    engine = make_engine(request.getfixturevalue("mariadb_url"))
    upgrade_engine(engine)
    database = Database(engine)
    try:
        yield populate(database, KeyStore(database, MasterKeys.generate()))
    finally:
        database.close()
