"""A world on each kind of database that the product runs on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.database import Database
from infra.keys import MasterKeys
from infra.keystore import KeyStore
from tests.infra.databases import emptied, mariadb_engine
from tests.world import World, populate, sqlite_world

__all__ = ["mariadb_engine"]


@pytest.fixture(params=["sqlite", "mariadb"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "sqlite":
        with sqlite_world(tmp_path) as made:
            yield made
        return
    database = Database(emptied(request.getfixturevalue("mariadb_engine")))
    yield populate(database, KeyStore(database, MasterKeys.generate()))
