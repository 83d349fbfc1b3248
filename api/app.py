"""The JSON API alone. ``ui.app`` mounts it beside the pages."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import anyio.to_thread
from fastapi import APIRouter, FastAPI

from api import errors
from api.body_limit import BodyLimit
from api.codec_cors import DecodeFromTemporal, friends_of
from api.hosts import KnownHosts
from api.imaging.parsers import close_parsers
from api.origin import SameOriginOnly
from api.routes import (
    admin,
    arrangement,
    auth,
    cases,
    codec,
    dicomweb,
    events,
    file_batches,
    files,
    grants,
    health,
    messages,
    patient_documents,
    patients,
    readers,
    registrations,
    reports,
    series,
    uploads,
    users,
    viewer_state,
)
from api.services import Services, connect
from api.tus.door import MethodOverride, TusAnswers
from infra.settings import Settings, get_settings

ROUTERS: Final[tuple[APIRouter, ...]] = (
    dicomweb.router,  # first: they are looked through in this order, and nothing is asked as often as frames
    health.router,
    auth.router,
    patients.router,
    patient_documents.router,
    cases.router,
    readers.router,
    reports.router,
    series.router,
    reports.pdf_router,
    messages.router,
    uploads.router,
    uploads.batches,
    files.router,
    arrangement.of_case,
    arrangement.of_record,
    file_batches.router,
    viewer_state.router,
    grants.router,
    events.router,
    users.admin_router,
    users.practice_router,
    registrations.router,
    admin.router,
    codec.router,
)


@asynccontextmanager
async def serving(app: FastAPI, settings: Settings) -> AsyncIterator[Services]:
    """The wires of a process, from its start to its end."""
    # More threads than this make short reads slower: they wait for one another's interpreter lock.
    anyio.to_thread.current_default_thread_limiter().total_tokens = settings.database_threads
    services = await connect(settings)
    app.state.services = services
    await services.feed.start()
    try:
        yield services
    finally:
        await services.feed.stop()
        close_parsers(app)
        services.renderer.close()
        services.database.close()


def create_app(settings: Settings | None = None, *, configure: Callable[[FastAPI], None] | None = None) -> FastAPI:
    """The API. ``configure`` adds what a larger application brings along, before the first request."""
    chosen = settings or get_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with serving(app, chosen):
            yield

    app = FastAPI(
        title="OdontoFlow",
        version="0.1.0",
        description="Dental radiology report cases. Errors are `application/problem+json` with code, title and detail.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = chosen
    for router in ROUTERS:
        app.include_router(router)
    errors.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(MethodOverride)
    https = chosen.base_url.startswith("https:")
    app.add_middleware(SameOriginOnly, https=https, exempt=("/webhooks/",), friends=friends_of(chosen))
    app.add_middleware(TusAnswers)
    app.add_middleware(DecodeFromTemporal, friends=friends_of(chosen))
    app.add_middleware(KnownHosts, settings=chosen)
    if configure is not None:
        configure(app)
    return app
