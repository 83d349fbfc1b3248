"""The servers that other tests stand on: each is the real one, and answers."""

import sys
from datetime import UTC, datetime, timedelta

import pymysql
import pytest
from sqlalchemy import create_engine, text
from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.servers import seaweedfs
from tests.servers.mariadb import MariaDB


@workflow.defn(sandboxed=False)
class WaitThirtyDays:
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(timedelta(days=30))
        return "waited"


def attributes() -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [
            SearchAttributePair(SearchAttributeKey.for_keyword("CaseState"), "draft"),
            SearchAttributePair(SearchAttributeKey.for_datetime("SlaDueAt"), datetime(2026, 1, 1, tzinfo=UTC)),
        ]
    )


async def test_development_server_knows_the_search_attributes(temporal_dev: WorkflowEnvironment) -> None:
    handle = await temporal_dev.client.start_workflow(
        WaitThirtyDays.run, id="case-dev", task_queue="nobody", search_attributes=attributes()
    )
    description = await handle.describe()
    assert description.typed_search_attributes[SearchAttributeKey.for_keyword("CaseState")] == "draft"
    await handle.terminate()


async def test_time_skipping_server_skips_a_month(temporal_time_skipping: WorkflowEnvironment) -> None:
    client = temporal_time_skipping.client
    async with Worker(client, task_queue="skip", workflows=[WaitThirtyDays]):
        before = await temporal_time_skipping.get_current_time()
        result = await client.execute_workflow(
            WaitThirtyDays.run, id="case-skip", task_queue="skip", search_attributes=attributes()
        )
    assert result == "waited"
    assert await temporal_time_skipping.get_current_time() - before >= timedelta(days=30)


def test_each_test_has_a_database_of_its_own(mariadb_server: MariaDB, mariadb_url: str) -> None:
    with mariadb_server.database() as other:
        assert other != mariadb_url
        engine = create_engine(mariadb_url)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE teeth (name VARCHAR(20))"))
            connection.execute(text("INSERT INTO teeth VALUES ('Milchzahn 🦷')"))
            assert connection.execute(text("SELECT name FROM teeth")).scalar_one() == "Milchzahn 🦷"
        engine.dispose()
        with create_engine(other).connect() as connection, pytest.raises(Exception, match="doesn't exist"):
            connection.execute(text("SELECT 1 FROM teeth"))
    with pytest.raises(pymysql.err.OperationalError, match="Unknown database"):
        pymysql.connect(
            host="127.0.0.1", port=mariadb_server.port, user="root", database=other.rsplit("/", 1)[1].split("?")[0]
        )


def test_a_missing_object_storage_fails_the_tests_and_never_skips_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(sys, "executable", "/nowhere/bin/python")
    with pytest.raises(pytest.fail.Exception, match="make setup-dev"):
        seaweedfs.program()
