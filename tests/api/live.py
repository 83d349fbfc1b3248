"""The API over a real engine: a database in a folder, Temporal's development server, a worker and an HTTP client."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from infra.codec import data_converter
from infra.migrate import upgrade
from infra.settings import Settings
from tests.world import World, populate
from ui.app import create_app
from worker import processes
from workflows.gateway import ENVELOPE_PURPOSE
from workflows.keyring import use_envelope_ring

PASSWORD = "a-long-test-password"


def test_settings(home: Path, temporal: WorkflowEnvironment) -> Settings:
    return Settings(
        home=home,
        temporal_address=temporal.client.service_client.config.target_host,
        argon2_memory_kib=8,
        argon2_time_cost=1,
    )


@dataclass
class Live:
    """``client(name)`` speaks as one of the world's people."""

    app: FastAPI
    world: World
    settings: Settings
    tokens: dict[str, str]

    def client(self, name: str | None = None) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.tokens[name]}"} if name else {}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers, timeout=30)

    async def act(
        self, name: str, case_id: str, action: str, *, key: str, form: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        async with self.client(name) as client:
            return await client.post(
                f"/api/v1/cases/{case_id}/actions/{action}", json=dict(form or {}), headers={"Idempotency-Key": key}
            )


@asynccontextmanager
async def live_system(home: Path, temporal: WorkflowEnvironment, *, with_worker: bool = True) -> AsyncIterator[Live]:
    settings = test_settings(home, temporal)
    upgrade(settings)
    app = create_app(settings)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        services = app.state.services
        world = populate(services.database, services.keys)
        set_passwords(world, services.passwords.hash(PASSWORD))
        if with_worker:
            await stack.enter_async_context(worker_of(settings))
        live = Live(app, world, settings, {})
        async with live.client() as client:
            for name in world.people:
                body = {"email": f"{name}@demo.test", "password": PASSWORD}
                answer = await client.post("/api/v1/auth/token", json=body)
                live.tokens[name] = answer.json()["token"]
        yield live


@asynccontextmanager
async def worker_of(settings: Settings) -> AsyncIterator[None]:
    wires = processes.wire(settings)
    use_envelope_ring(wires.keys.master.ring(ENVELOPE_PURPOSE))
    client = await Client.connect(settings.temporal_target, data_converter=data_converter(wires.keys))
    with processes.threads_of_queues() as threads:
        async with AsyncExitStack() as stack:
            for worker in processes.make_workers(client, wires, threads):
                await stack.enter_async_context(worker)
            mail = asyncio.create_task(processes.every(0.1, wires.post.sweep, "mail"))
            yield
            mail.cancel()
    wires.parsers.close()
    wires.renderer.close()
    wires.database.close()


def set_passwords(world: World, password_hash: str) -> None:
    from sqlmodel import select

    from schemas.tables.people import User

    with world.database.write() as session:
        for user in session.exec(select(User)).all():
            user.password_hash = password_hash
