"""``/readyz`` asks the parts themselves."""

from pathlib import Path
from types import SimpleNamespace

import httpx
from fastapi import FastAPI

from api.routes import health
from infra.blobs.local import LocalBlobStore
from infra.database import now
from schemas.tables.wires import Heartbeat
from tests.world import sqlite_world


async def test_a_storage_that_went_away_is_told_alone(tmp_path: Path) -> None:
    async def healthy() -> bool:
        return True

    with sqlite_world(tmp_path) as world:
        with world.database.write() as session:
            session.merge(Heartbeat(process="worker", seen_at=now()))
        app = FastAPI()
        temporal = SimpleNamespace(service_client=SimpleNamespace(check_health=healthy))
        app.state.services = SimpleNamespace(
            database=world.database, blobs=LocalBlobStore(tmp_path / "blobs"), temporal=temporal
        )
        app.include_router(health.router)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            answer = await client.get("/readyz")
            assert (answer.status_code, set(answer.json().values())) == (200, {True})
            (tmp_path / "blobs").rmdir()
            answer = await client.get("/readyz")
            assert answer.status_code == 503
            assert answer.json() == {"database": True, "blobs": False, "temporal": True, "worker": True}
