"""What a crash leaves in the log: its type and place, never its words, which may name a patient (SAFETY.md, PHI)."""

import asyncio
import logging
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from api import errors
from worker.up.engine import free_port

WORDS = "Anna Muster, born 1980"


class Unforeseen(Exception):
    pass


def failing_app() -> FastAPI:
    app = FastAPI()
    errors.install(app)

    @app.get("/at-once")
    def at_once() -> None:
        raise Unforeseen(WORDS)

    @app.get("/half-way")
    def half_way() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"a beginning"
            raise Unforeseen(WORDS)

        return StreamingResponse(pieces())

    return app


@pytest.mark.parametrize("path", ["/at-once", "/half-way"])
async def test_a_crash_is_logged_without_its_words(path: str, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(failing_app(), port=port, log_config=None, lifespan="off"))
    with caplog.at_level(logging.INFO):
        serving = asyncio.create_task(server.serve())
        for _ in range(1000):
            if server.started:
                break
            await asyncio.sleep(0.01)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            try:
                assert (await client.get(path)).status_code == 500
            except httpx.RemoteProtocolError:
                assert path == "/half-way", "an answer that has begun is broken off"
        server.should_exit = True
        await serving
    assert "Unforeseen" in caplog.text
    assert WORDS not in caplog.text
