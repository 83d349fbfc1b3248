"""Keys are found while every connection of the database is held, by whoever holds them."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.standing import load_case
from infra.database import Database, make_engine
from infra.keys import MasterKeys
from infra.keystore import KeyStore
from schemas.tables.case import Case
from tests.infra.databases import database, mariadb_engine, sqlite_engine
from tests.world import populate

__all__ = ["database", "mariadb_engine", "sqlite_engine"]

CONNECTIONS = 2
"""Of a pool for one thread."""


@pytest.fixture
def narrow(database: Database) -> Iterator[Database]:
    made = Database(make_engine(database.engine.url, threads=CONNECTIONS // 2))
    yield made
    made.close()


def test_all_who_hold_a_connection_find_their_key(database: Database, narrow: Database) -> None:
    master = MasterKeys.generate()
    world = populate(database, KeyStore(database, master))
    rows = [world.add_case() for _ in range(CONNECTIONS)]
    keys = KeyStore(narrow, master)  # knows none of them yet
    holding = threading.Barrier(CONNECTIONS)

    def read(row: Case) -> str:
        with narrow.read() as session:
            session.connection()
            holding.wait(20)
            return load_case(session, keys, row.id, world.person("dentist")).key.id

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        assert list(threads.map(read, rows)) == [row.key_id for row in rows]


def test_a_writer_finds_a_key_in_the_middle_of_its_transaction(database: Database, narrow: Database) -> None:
    master = MasterKeys.generate()
    world = populate(database, KeyStore(database, master))
    row = world.add_case()
    with narrow.read() as other, narrow.write() as session:
        other.connection()
        session.get_one(Case, row.id, with_for_update=True)
        assert KeyStore(narrow, master).of_scope(row.id).id == row.key_id
