"""What is refused before anybody is asked who they are: bodies without end, and names that are not this server's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from api.body_limit import MOST
from infra.migrate import upgrade
from infra.settings import Settings
from tests.ui.site import BASE, Site, site
from ui.app import create_app

PIECE = b" " * 65_536


@pytest_asyncio.fixture
async def quiet(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as made:
        yield made


@asynccontextmanager
async def site_of(settings: Settings) -> AsyncIterator[FastAPI]:
    upgrade(settings)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


def caller(place: Site, base: str = BASE) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(place.app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=base, headers={"Authorization": "Bearer nobody"})


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/v1/auth/token", "application/json"),
        ("/api/v1/cases", "application/json"),
        ("/codec/decode", "application/json"),
        ("/sign-in", "application/x-www-form-urlencoded"),
        ("/r/no-such-link", "application/x-www-form-urlencoded"),
        ("/api/v1/uploads", "application/json"),
    ],
)
async def test_nobody_makes_the_server_read_without_end(quiet: Site, path: str, kind: str) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while read < 64 << 20:
            read += len(PIECE)
            yield PIECE

    async with caller(quiet) as client:
        answer = await client.post(path, content=endless(), headers={"Content-Type": kind})
    assert read <= (8 << 20) + len(PIECE)
    assert answer.status_code in {400, 401, 404, 413}  # some are refused for another reason before they are too long


async def test_a_length_that_is_too_much_is_refused_unread(quiet: Site) -> None:
    read = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal read
        read += len(PIECE)
        yield PIECE

    async with caller(quiet) as client:
        headers = {"Content-Type": "application/json", "Content-Length": str(MOST + 1)}
        answer = await client.post("/api/v1/auth/token", content=counted(), headers=headers)
    assert (answer.status_code, answer.json()["code"], read) == (413, "body_too_large", 0)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8000", "evil.example:8000", "[::1", ""])
async def test_another_name_that_leads_here_opens_nothing(quiet: Site, host: str) -> None:
    async with caller(quiet) as client:
        for path in ("/dev/mailbox.json", "/sign-in", "/api/v1/me"):
            answer = await client.get(path, headers={"Host": host})
            assert (answer.status_code, answer.json()["code"]) == (421, "host_unknown")
        origin = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
        answer = await client.post("/sign-in/demo", data={"email": "dentist@demo.test"}, headers=origin)
        assert answer.status_code == 421
        assert (await client.get("/healthz", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST", "192.168.1.4", "[::1]:8000"])
async def test_the_machine_s_own_names_are_known(quiet: Site, host: str) -> None:
    async with caller(quiet) as client:
        assert (await client.get("/sign-in", headers={"Host": host})).status_code == 200


async def test_the_public_name_is_known(tmp_path: Path) -> None:
    app = create_app(Settings(home=tmp_path, public_url="https://Reports.clinic.example"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        answer = await client.get("https://reports.clinic.example/static/no-such-file")
        assert answer.status_code == 404
        assert answer.headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize(
    "origin",
    ["http://[", "http://[::1", "null", "//127.0.0.1:8000", "file://127.0.0.1:8000", "http://a@127.0.0.1:8000", ""],
)
async def test_what_is_no_origin_of_ours_changes_nothing(quiet: Site, origin: str) -> None:
    async with caller(quiet) as client:
        answer = await client.post("/sign-in", data={"email": "x", "password": "y"}, headers={"Origin": origin})
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


async def test_a_page_without_tls_is_foreign_where_there_is_tls(tmp_path: Path) -> None:
    """Whoever is on the line can put a page under the server's name, though not under its certificate."""
    upgraded = Settings(home=tmp_path, public_url="https://reports.clinic.example", temporal_address="127.0.0.1:9")
    async with site_of(upgraded) as app, httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        codes = {}
        for scheme in ("http", "https"):
            headers = {"Origin": f"{scheme}://reports.clinic.example"}
            answer = await client.post("https://reports.clinic.example/api/v1/auth/token", json={}, headers=headers)
            codes[scheme] = answer.json()["code"]
    assert codes == {"http": "cross_site", "https": "invalid_input"}
