"""The database is away or locked: people and programs hear that nothing is lost, and lose nothing that they typed."""

import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from infra.database import Database, make_engine
from schemas.errors import DatabaseUnavailable, OdontoError
from tests.ui.reading import read
from tests.ui.site import BASE, Site, browser, site
from worker.up.engine import free_port

SECRET = "Anna Moreau"


@pytest_asyncio.fixture
async def gone(practice: Site) -> Site:
    """A dentist is signed in; then nobody listens any more where the database was."""
    practice.app.state.services.database = Database(
        make_engine(f"mysql+pymysql://nobody@127.0.0.1:{free_port()}/odontoflow")
    )
    return practice


@pytest_asyncio.fixture
async def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """A site on SQLite that waits for its turn for a moment only."""
    monkeypatch.setattr("infra.database._BUSY_TIMEOUT_MS", 50)
    async with site(tmp_path) as made:
        yield made


def is_calm(answer: httpx.Response) -> bool:
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0
    return "Nothing is lost" in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/cases"),
        ("GET", "/api/v1/cases/case_1"),
        ("POST", "/api/v1/cases/case_1/actions/sign"),
        ("PUT", "/api/v1/cases/case_1/report/draft"),
        ("POST", "/api/v1/auth/token"),
        ("GET", "/dicomweb/studies"),
    ],
)
async def test_programs_get_a_problem_that_says_to_come_again(
    gone: Site, caplog: pytest.LogCaptureFixture, method: str, path: str
) -> None:
    async with browser(gone.app) as client:
        client.headers["Authorization"] = "Bearer something"
        body = {"email": "anna@demo.test", "password": SECRET}
        answer = await client.request(method, path, json=body if method == "POST" else None)
    assert is_calm(answer)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == DatabaseUnavailable.code
    assert "database away" in caplog.text
    for word in (SECRET, "anna@demo.test", "127.0.0.1", "pymysql", "SELECT"):
        assert word not in answer.text + caplog.text, word
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_page_offers_to_be_asked_for_again(gone: Site) -> None:
    async with browser(gone.app) as client:
        client.cookies.set("odontoflow_session", "something")
        answer = await client.get("/patients?after=x")
        part = await client.get("/cases/case_1?part=head", headers={"X-Live-Region": "head"})
    assert is_calm(answer)
    assert "/patients?after=x" in read(answer).links
    assert part.status_code == 503
    assert "<html" not in part.text


async def test_what_was_typed_waits_on_the_page_and_can_be_sent_again(practice: Site) -> None:
    case = practice.world.add_case()
    path = f"/cases/{case.id}/actions/cancel"
    services = practice.app.state.services
    async with practice.as_("dentist") as client:
        there = services.database
        services.database = Database(make_engine(f"mysql+pymysql://nobody@127.0.0.1:{free_port()}/odontoflow"))
        answer = await client.post(path, data={"nonce": "n1", "reason": "Moved <away>", "password": "my-secret"})
        services.database = there
        assert is_calm(answer)
        assert "my-secret" not in answer.text
        form = read(answer).form(path)
        assert (form.fields["nonce"], form.fields["reason"]) == (["n1"], ["Moved <away>"])
        again = await form.send(client)
    assert "Moved &lt;away&gt;" in again.text, "the engine is away, and says so beside what was typed"


async def test_a_database_that_is_locked_too_long_is_away_for_writing_alone(impatient: Site) -> None:
    case = impatient.world.add_case()
    file = impatient.app.state.services.database.engine.url.database
    async with impatient.as_("dentist") as client:
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            message = {"nonce": "m1", "text": "Is 36 to be seen?"}
            refused = await client.post(f"/cases/{case.id}/messages", data=message)
            reading = await client.get("/")
            program = await client.post(
                f"{BASE}/api/v1/cases/{case.id}/messages", json={"body": "x"}, headers={"Idempotency-Key": "p1"}
            )
            other.execute("ROLLBACK")
        assert reading.status_code == 200
        assert is_calm(refused)
        assert is_calm(program)
        done = await read(refused).form(f"/cases/{case.id}/messages").send(client)
    assert "Is 36 to be seen?" in done.text


async def test_connections_that_are_all_taken_are_no_crash(impatient: Site) -> None:
    services = impatient.app.state.services
    async with impatient.as_("dentist") as client:
        engine = make_engine(services.database.engine.url, threads=1)
        engine.pool._timeout = 0.05  # type: ignore[attr-defined]
        there, services.database = services.database, Database(engine)
        with engine.connect(), engine.execution_options(read_only=True).connect():
            answer = await client.get("/")
        services.database = there
    assert is_calm(answer)


@pytest.mark.parametrize("statement", ["SELECT x FROM no_such_table", "SELECT no_such_column FROM user", "SELECT FROM"])
async def test_a_wrong_statement_remains_a_crash_that_is_alarmed(
    practice: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, statement: str
) -> None:
    def ask(session: object, *_: object) -> None:
        session.execute(text(statement))  # type: ignore[attr-defined]

    monkeypatch.setattr("ui.pages.shell.count_waiting", ask)
    monkeypatch.setattr("api.routes.cases.list_cases", ask)
    async with practice.as_("dentist") as client:
        page = await client.get("/")
        program = await client.get("/api/v1/cases", headers={"Accept": "application/json"})
    for answer in (page, program):
        assert answer.status_code == 500
        assert "no_such" not in answer.text
    assert OdontoError.title in page.text
    alarms = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert any("OperationalError in GET /" in alarm for alarm in alarms)
    assert "no_such" not in "".join(alarms)
