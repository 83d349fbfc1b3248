"""The known clients against a live server, over a line that drops: tuspy, and tus-js-client under Node."""

import asyncio
import contextlib
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from tusclient.client import TusClient

from schemas.tables.case import Case
from tests.api.imaging_app import Desk
from tests.api.tus import stored
from worker.up.engine import free_port

ISLANDS = Path(__file__).parents[2] / "ui" / "islands"
PROGRAM = Path(__file__).with_name("tus_client.mjs")
NODE = Path(sys.executable).with_name("node")


@dataclass
class Line:
    """A relay before the server that lets ``drops`` connections break, each in the middle of its bytes."""

    port: int
    drops: int = 0
    dropped: int = 0
    after: int = 300_000
    server_port: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    @property
    def uploads(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1/uploads"

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, breaks: bool) -> None:
        carried = 0
        while piece := await reader.read(65536):
            carried += len(piece)
            if breaks and self.drops > 0 and carried > self.after:
                self.drops, self.dropped = self.drops - 1, self.dropped + 1
                raise ConnectionResetError
            writer.write(piece)
            await writer.drain()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server = await asyncio.open_connection("127.0.0.1", self.server_port)
        ways = (
            asyncio.ensure_future(self._carry(reader, to_server[1], breaks=True)),
            asyncio.ensure_future(self._carry(to_server[0], writer, breaks=False)),
        )
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for end in (writer, to_server[1]):
            with contextlib.suppress(OSError):
                end.transport.abort()

    async def _end(self, serving: asyncio.Server) -> None:
        serving.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    @contextlib.contextmanager
    def running(self) -> Iterator["Line"]:
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        serving = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._meet, "127.0.0.1", self.port), self._loop
        ).result(10)
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self._end(serving), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)


@pytest.fixture
def line(desk: Desk) -> Iterator[Line]:
    server_port = free_port()
    config = uvicorn.Config(desk.app, port=server_port, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        threading.Event().wait(0.02)
    with Line(free_port(), server_port=server_port).running() as line:
        yield line
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def content(tmp_path: Path) -> Path:
    path = tmp_path / "volume.dcm"
    path.write_bytes(secrets.token_bytes(2_000_000))
    return path


def only_file(desk: Desk, case: Case) -> bytes:
    (file,) = desk.files(case)
    return stored(desk, file)


def test_tuspy_goes_on_after_a_dropped_line(desk: Desk, line: Line, content: Path) -> None:
    case = desk.open_case()
    client = TusClient(line.uploads, headers={"Authorization": f"Bearer {desk.tokens['dentist']}"})
    metadata = {"case_id": case.id, "filename": content.name, "filetype": "application/dicom"}
    begun = client.uploader(str(content), chunk_size=500_000, metadata=metadata, upload_checksum=True)
    begun.upload(stop_at=500_000)
    assert desk.files(case) == []
    line.drops = 1
    again = client.uploader(str(content), chunk_size=500_000, url=begun.url, retries=5, retry_delay=0)
    assert again.offset == 500_000
    again.upload()
    assert line.dropped == 1
    assert only_file(desk, case) == content.read_bytes()


@pytest.mark.parametrize("way", ["parallel", "deferred"])
def test_tus_js_client_goes_on_after_dropped_lines(desk: Desk, line: Line, content: Path, way: str) -> None:
    case = desk.open_case()
    line.drops = 2
    done = subprocess.run(
        [str(NODE), str(PROGRAM), line.uploads, desk.tokens["dentist"], case.id, str(content), way],
        env={**os.environ, "ISLANDS": str(ISLANDS)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert line.dropped == 2
    assert only_file(desk, case) == content.read_bytes()
    assert "/api/v1/uploads/upl_" in done.stdout
