"""The pages over a small world without an engine, and browsers that are signed in."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from fastapi import FastAPI
from sqlmodel import select

from infra.migrate import upgrade
from infra.settings import Settings
from schemas.tables.people import User
from tests.world import World, populate
from ui.app import create_app

PASSWORD = "a-long-test-password"
BASE = "http://127.0.0.1:8000"
NOWHERE = "127.0.0.1:9"
"""Nobody listens on the discard port: the engine is away."""


def browser(app: FastAPI) -> httpx.AsyncClient:
    """A browser on our own pages: it says where its requests come from and follows redirects."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url=BASE,
        headers={"Sec-Fetch-Site": "same-origin", "Accept": "text/html"},
        follow_redirects=True,
        timeout=30,
    )


@asynccontextmanager
async def sign_in(app: FastAPI, email: str, password: str = PASSWORD) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(app) as client:
        client.follow_redirects = False
        answer = await client.post("/sign-in", data={"email": email, "password": password, "nonce": "n"})
        assert answer.status_code == 303, answer.text
        client.follow_redirects = True
        yield client


@dataclass
class Site:
    app: FastAPI
    world: World
    settings: Settings

    def as_(self, name: str) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        """A browser in which one of the world's people is signed in."""
        return sign_in(self.app, f"{name}@demo.test")


@asynccontextmanager
async def site(home: Path, *, temporal_address: str = NOWHERE) -> AsyncIterator[Site]:
    """An empty ``temporal_address`` is the embedded engine's, which has a page of its own beside it."""
    settings = Settings(home=home, temporal_address=temporal_address, argon2_memory_kib=8, argon2_time_cost=1)
    upgrade(settings)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        services = app.state.services
        world = populate(services.database, services.keys)
        hashed = services.passwords.hash(PASSWORD)
        with services.database.write() as session:
            for user in session.exec(select(User)).all():
                user.password_hash = hashed
        yield Site(app, world, settings)
