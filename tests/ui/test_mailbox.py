"""The embedded mode's mailbox."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from infra.key_file import load_master_keys
from infra.keystore import KeyStore
from infra.mail import Mail, MailboxMailer
from infra.migrate import upgrade
from infra.settings import Settings
from ui.app import create_app


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(home=tmp_path)
    upgrade(settings)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        services = app.state.services
        services.keys.ensure_system_key()
        mailer = MailboxMailer(services.database, KeyStore(services.database, load_master_keys(settings)))
        for number in (1, 2, 2):
            text = f"Hello <b>there</b>\n\nhttp://127.0.0.1:8000/r/token{number}\n"
            mailer.send(Mail(f"id-{number}", f"p{number}@example.test", f"Subject {number}", text))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            yield client


async def test_programs_read_the_newest_first_with_its_links(client: httpx.AsyncClient) -> None:
    items = (await client.get("/dev/mailbox.json")).json()["items"]
    assert [item["to"] for item in items] == ["p2@example.test", "p1@example.test"]
    assert set(items[0]) == {"id", "to", "subject", "text", "links", "at"}
    assert items[0]["links"] == ["http://127.0.0.1:8000/r/token2"]


async def test_people_open_a_mail_and_its_link(client: httpx.AsyncClient) -> None:
    page = await client.get("/dev/mailbox")
    first = re.findall(r'href="(/dev/mailbox/[^"]+)"', page.text)
    assert len(first) == 2
    opened = await client.get(first[1])
    assert 'href="http://127.0.0.1:8000/r/token1"' in opened.text
    assert "&lt;b&gt;there" in opened.text
    assert (await client.get("/dev/mailbox/mail_none")).status_code == 404


async def test_there_is_no_mailbox_in_production(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    upgrade(settings)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        app.state.services.settings = settings.model_copy(update={"mode": "production"})
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            for path in ("/dev/mailbox", "/dev/mailbox.json", "/dev/mailbox/x"):
                assert (await client.get(path)).status_code == 404
