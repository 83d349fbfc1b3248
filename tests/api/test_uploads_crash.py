"""A server that is killed, a line that breaks, a crash at the worst moment: what was confirmed stays, and the file gets whole."""

import hashlib
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from schemas.tables.case import Case
from schemas.tables.imaging import Upload
from tests.api.imaging_app import Desk, creation
from tests.api.tus import begin, offset_of, part, stored
from worker.up.engine import free_port


@dataclass
class Server:
    """The routes in a process of their own, to be killed."""

    home: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "tests.api.imaging_app", str(self.home), str(self.port)])
        for _ in range(1200):
            try:
                httpx.options(self.url + "/api/v1/uploads", timeout=1)
                return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def server(desk: Desk, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, free_port())
    server.start()
    yield server
    server.kill()


def begin_at(server: Server, desk: Desk, case: Case, length: int) -> tuple[str, dict[str, str]]:
    headers = {"Authorization": f"Bearer {desk.tokens['dentist']}", "Tus-Resumable": "1.0.0"}
    begun = creation(case.id, length)
    del begun["Content-Type"]
    answer = httpx.post(server.url + "/api/v1/uploads", headers=headers | begun)
    return server.url + answer.headers["location"], headers


def test_an_upload_goes_on_after_the_server_was_killed_again_and_again(desk: Desk, server: Server) -> None:
    """Three kills in the middle of parts: what HEAD says is what is there, and the file is whole in the end."""
    content = secrets.token_bytes(12_000_000)
    case = desk.open_case()
    url, headers = begin_at(server, desk, case, len(content))

    def until_killed(start: int) -> Iterator[bytes]:
        for at in range(start, len(content), 100_000):
            if at >= start + 1_500_000:
                server.kill()
            yield content[at : at + 100_000]

    acknowledged = 0
    for _ in range(3):
        offset = int(httpx.head(url, headers=headers).headers["upload-offset"])
        assert offset >= acknowledged
        end = offset + 300_000
        small = httpx.patch(url, headers=headers | part(offset), content=content[offset:end])
        acknowledged = int(small.headers["upload-offset"])
        rest = part(end, Content_Length=str(len(content) - end))
        with pytest.raises(httpx.TransportError):
            httpx.patch(url, headers=headers | rest, content=until_killed(end), timeout=20)
        server.start()
    offset = int(httpx.head(url, headers=headers).headers["upload-offset"])
    assert offset >= acknowledged > 0
    last = httpx.patch(url, headers=headers | part(offset), content=content[offset:])
    assert last.headers["upload-offset"] == str(len(content))
    (file,) = desk.files(case)
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert stored(desk, file) == content


def test_what_arrived_before_the_line_broke_is_kept(desk: Desk, server: Server) -> None:
    content = secrets.token_bytes(5_000_000)
    case = desk.open_case()
    url, headers = begin_at(server, desk, case, len(content))

    class LineBroke(Exception):
        pass

    def half() -> Iterator[bytes]:
        yield content[:2_500_000]
        time.sleep(0.3)
        raise LineBroke

    with pytest.raises(LineBroke):
        httpx.patch(url, headers=headers | part(0, Content_Length=str(len(content))), content=half())
    for _ in range(100):
        answer = httpx.head(url, headers=headers)
        if answer.status_code == 200:  # 423 until the server has noticed
            break
        time.sleep(0.05)
    offset = int(answer.headers["upload-offset"])
    assert offset == 2_500_000
    httpx.patch(url, headers=headers | part(offset), content=content[offset:])
    (file,) = desk.files(case)
    assert stored(desk, file) == content


async def test_a_crash_between_the_last_byte_and_the_files_row_is_mended(desk: Desk) -> None:
    content = b"0123456789"
    case = desk.open_case()
    async with desk.client() as client:
        location = await begin(client, case, len(content))
        services = desk.app.state.services
        with desk.world.database.read() as session:
            upload = session.get_one(Upload, location.rsplit("/", 1)[1])
        with services.blobs.writer(upload.file_id, services.keys.of_scope(case.id).secret) as writer:
            writer.append(content)
            writer.finish()
        # A client that hears that all is there sends nothing more.
        assert await offset_of(client, location) == len(content)
    (file,) = desk.files(case)
    assert file.sha256 == hashlib.sha256(content).hexdigest()
