"""Migrations lead exactly to the tables that the code means, on both kinds of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect
from sqlmodel import SQLModel

import schemas.tables  # noqa: F401 - registers every table
from infra.database import make_engine
from infra.migrate import is_current, upgrade_engine


@pytest.fixture(params=["sqlite", "mariadb"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'test.db'}" if request.param == "sqlite" else request.getfixturevalue("mariadb_url")
    engine = make_engine(url)
    yield engine
    engine.dispose()


def test_an_upgraded_database_has_the_tables_of_the_code_and_nothing_else(empty: Engine) -> None:
    assert not is_current(empty)
    upgrade_engine(empty)
    assert is_current(empty)
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_upgrading_again_changes_nothing(empty: Engine) -> None:
    upgrade_engine(empty)
    before = sorted(inspect(empty).get_table_names())
    upgrade_engine(empty)
    assert sorted(inspect(empty).get_table_names()) == before
    assert set(before) == {*SQLModel.metadata.tables, "alembic_version"}
