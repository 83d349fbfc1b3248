"""Health and readiness."""

import asyncio
from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Response
from temporalio.service import RPCError

from api.deps import Public, ServicesDep
from api.services import Services
from infra.database import now
from schemas.errors import OdontoError
from schemas.tables.wires import Heartbeat

router = APIRouter(tags=["health"])

WORKER_SEEN_WITHIN: Final = timedelta(seconds=15)


@router.get("/healthz", dependencies=[Public])
async def healthz() -> dict[str, str]:
    """The process runs."""
    return {"status": "ok"}


@router.get("/readyz", dependencies=[Public])
async def readyz(services: ServicesDep, response: Response) -> dict[str, bool]:
    """What works: database, blobs, Temporal, and whether a worker was seen in the last 15 seconds. 503 if one does not."""
    (database, worker), blobs, temporal = await asyncio.gather(
        asyncio.to_thread(_record, services), asyncio.to_thread(_blobs, services), _temporal(services)
    )
    checks = {"database": database, "blobs": blobs, "temporal": temporal, "worker": worker}
    response.status_code = 200 if all(checks.values()) else 503
    return checks


def _record(services: Services) -> tuple[bool, bool]:
    try:
        with services.database.read() as session:
            seen = session.get(Heartbeat, "worker")
    except Exception:  # whatever the database raises, the answer is that it is not there
        return False, False
    return True, seen is not None and now() - seen.seen_at < WORKER_SEEN_WITHIN


def _blobs(services: Services) -> bool:
    try:
        services.blobs.probe()
    except OdontoError:
        return False
    return True


async def _temporal(services: Services) -> bool:
    try:
        async with asyncio.timeout(2):
            return await services.temporal.service_client.check_health()
    except (RPCError, TimeoutError, RuntimeError):
        # RuntimeError: a client that has not been able to connect even once.
        return False
