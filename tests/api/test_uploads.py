"""tus 1.0.0: what is acknowledged is durable, what is wrong is refused, and nobody else's case is touched."""

import asyncio
import base64
import hashlib
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlmodel import select

from api.app import create_app
from api.origin import SameOriginOnly
from api.tus.door import MethodOverride
from infra.database import now
from infra.settings import Settings
from infra.uploads import LIFE, SILENCE, UploadDesk, count_under_way
from schemas.lifecycle import State
from schemas.tables.case import Case
from schemas.tables.imaging import Upload
from schemas.tables.people import Membership, Session
from schemas.tables.wires import AuditRow, OutboxItem
from tests.api.imaging_app import Desk, creation
from tests.api.tus import begin, offset_of, part, stored


async def test_a_file_sent_in_parts_is_stored_as_it_was(desk: Desk) -> None:
    content = secrets.token_bytes(3_500_000)
    case = desk.open_case()
    async with desk.client() as client:
        location = await begin(client, case, len(content))
        assert await offset_of(client, location) == 0
        for start, end in ((0, 1_000_001), (1_000_001, 3_000_000), (3_000_000, len(content))):
            answer = await client.patch(location, headers=part(start), content=content[start:end])
            assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(end))
            assert answer.headers["tus-resumable"] == "1.0.0" and "upload-expires" in answer.headers
        assert await offset_of(client, location) == len(content)
    (file,) = desk.files(case)
    assert stored(desk, file) == content
    assert (file.size, file.sha256, file.state) == (len(content), hashlib.sha256(content).hexdigest(), "stored")
    with desk.world.database.read() as session:
        audit = session.exec(select(AuditRow).where(AuditRow.act == "file.store")).one()
    assert (audit.scope, audit.subject_id, audit.actor_id) == (case.id, file.id, desk.world.user_id("dentist"))


async def test_options_say_what_the_server_can(desk: Desk) -> None:
    async with desk.client(None) as client:
        answer = await client.options("/api/v1/uploads")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert set(answer.headers["tus-extension"].split(",")) >= {
        "creation",
        "creation-with-upload",
        "termination",
        "checksum",
        "expiration",
    }
    assert "sha256" in answer.headers["tus-checksum-algorithm"].split(",")


async def test_a_creation_may_bring_the_whole_file_or_its_beginning(desk: Desk) -> None:
    case = desk.open_case()
    async with desk.client() as client:
        whole = await client.post("/api/v1/uploads", headers=creation(case.id, 5), content=b"12345")
        assert (whole.status_code, whole.headers["upload-offset"]) == (201, "5")
        half = await client.post("/api/v1/uploads", headers=creation(case.id, 8), content=b"1234")
        assert half.headers["upload-offset"] == "4"
        rest = await client.patch(half.headers["location"], headers=part(4), content=b"5678")
        assert rest.status_code == 204
    assert sorted(stored(desk, file) for file in desk.files(case)) == [b"12345", b"12345678"]


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
async def test_a_part_whose_checksum_does_not_hold_leaves_nothing(desk: Desk, algorithm: str) -> None:
    content = secrets.token_bytes(2_000_000)
    case = desk.open_case()
    digest = base64.b64encode(hashlib.new(algorithm, content).digest()).decode()
    async with desk.client() as client:
        location = await begin(client, case, len(content))
        spoiled = content[:-1] + bytes([content[-1] ^ 1])
        answer = await client.patch(location, headers=part(0, Upload_Checksum=f"{algorithm} {digest}"), content=spoiled)
        assert (answer.status_code, answer.json()["code"]) == (460, "checksum_mismatch")
        assert await offset_of(client, location) == 0
        answer = await client.patch(location, headers=part(0, Upload_Checksum=f"{algorithm} {digest}"), content=content)
        assert answer.status_code == 204
        unknown = await client.patch(location, headers=part(0, Upload_Checksum="crc32 AAAA"), content=b"")
        assert unknown.status_code in {400, 409}
    (file,) = desk.files(case)
    assert stored(desk, file) == content


async def test_of_two_parts_at_one_offset_exactly_one_wins(desk: Desk) -> None:
    case = desk.open_case()
    size = 2_000_000
    rivals = [bytes([number]) * size for number in range(1, 6)]

    async def slowly(content: bytes) -> AsyncIterator[bytes]:
        for start in range(0, size, 250_000):
            yield content[start : start + 250_000]
            await asyncio.sleep(0.01)

    async with desk.client() as client:
        location = await begin(client, case, size)
        headers = part(0, Content_Length=str(size))
        answers = await asyncio.gather(
            *(client.patch(location, headers=headers, content=slowly(rival)) for rival in rivals)
        )
    codes = sorted(answer.status_code for answer in answers)
    assert codes[0] == 204 and set(codes[1:]) <= {409, 423}
    (file,) = desk.files(case)
    assert stored(desk, file) in rivals


async def test_wrong_requests_are_refused_by_name(desk: Desk) -> None:
    case = desk.open_case()
    async with desk.client() as client:
        location = await begin(client, case, 10)
        cases: list[tuple[httpx.Response, int, str]] = [
            (
                await client.patch(location, headers=part(0, Tus_Resumable="0.2.2"), content=b"1"),
                412,
                "tus_version_unsupported",
            ),
            (
                await client.patch(location, headers=part(0, Content_Type="text/plain"), content=b"1"),
                415,
                "wrong_body_type",
            ),
            (await client.patch(location, headers=part(4), content=b"1"), 409, "wrong_offset"),
            (await client.patch(location, headers=part(0), content=b"12345678901"), 413, "beyond_the_end"),
            (await client.post("/api/v1/uploads", headers=creation(case.id, 1 << 30)), 413, "upload_too_large"),
            (
                await client.post("/api/v1/uploads", headers=creation(case.id, 5) | {"Upload-Length": "-1"}),
                400,
                "upload_header_missing",
            ),
            (
                await client.post("/api/v1/uploads", headers=creation(case.id, 5) | {"Upload-Metadata": "case_id %%"}),
                400,
                "upload_header_missing",
            ),
            (await client.patch("/api/v1/uploads/upl_0", headers=part(0), content=b"1"), 404, "not_found"),
        ]
        for answer, status, code in cases:
            assert (answer.status_code, answer.json()["code"]) == (status, code)
            assert answer.headers["content-type"] == "application/problem+json"
        assert cases[2][0].headers["upload-offset"] == "0"
        assert await offset_of(client, location) == 0
    assert not desk.files(case)


async def test_every_answer_says_that_it_is_tus_and_an_unknown_version_which_one(desk: Desk) -> None:
    case = desk.open_case()
    async with desk.client() as client:
        location = await begin(client, case, 10)
        answers = [
            await client.head(location),
            await client.patch(location, headers=part(0, Tus_Resumable="0.2.2"), content=b"1"),
            await client.patch(location, headers=part(4), content=b"1"),
            await client.head("/api/v1/uploads/upl_0", headers=part(0)),
            await client.put(location, headers=part(0)),
            await client.post("/api/v1/uploads", headers=creation(case.id, 1 << 30)),
        ]
    async with desk.client(None) as client:
        answers.append(await client.head(location, headers=part(0)))
    assert [answer.status_code for answer in answers] == [412, 412, 409, 404, 405, 413, 401]
    assert {answer.headers.get("tus-resumable") for answer in answers} == {"1.0.0"}
    assert [answer.headers.get("tus-version") for answer in answers] == ["1.0.0"] * 2 + [None] * 5


async def test_metadata_are_given_back_as_they_were_sent(desk: Desk) -> None:
    case = desk.open_case()
    sent = creation(case.id, 3, "Muster^Anna\u202e.dcm") | {"Idempotency-Key": "one"}
    sent["Upload-Metadata"] += ",lastModified MTc=,flag"
    async with desk.client() as client:
        location = (await client.post("/api/v1/uploads", headers=sent, content=b"12")).headers["location"]
        for content in (b"", b"3"):
            await client.patch(location, headers=part(2), content=content)
            answer = await client.head(location, headers=part(0))
            assert answer.headers["upload-metadata"] == sent["Upload-Metadata"]
    with desk.world.database.read() as session:
        meta = session.get_one(Upload, location.rsplit("/", 1)[1]).meta
    assert base64.b64encode(b"Muster") not in meta, "a name is sealed"


async def test_a_method_may_come_in_a_header_of_an_unsafe_request_alone(desk: Desk) -> None:
    """Behind the same-origin check: what another site's page may send as a GET deletes nothing."""
    case = desk.open_case()
    guarded = httpx.ASGITransport(SameOriginOnly(desk.app), raise_app_exceptions=False)
    token = {"Authorization": f"Bearer {desk.tokens['dentist']}"}
    async with httpx.AsyncClient(transport=guarded, base_url="http://127.0.0.1", headers=token) as client:
        location = await begin(client, case, 6)

        async def as_post(method: str, content: bytes = b"", **more: str) -> httpx.Response:
            return await client.post(location, headers=part(0, X_HTTP_Method_Override=method, **more), content=content)

        answer = await as_post("PATCH", b"123")
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, "3")
        answer = await as_post("HEAD")
        assert (answer.status_code, answer.headers["upload-offset"]) == (200, "3")
        assert (await as_post("DELETE", Sec_Fetch_Site="cross-site")).status_code == 403
        assert (await client.get(location, headers=part(0, X_HTTP_Method_Override="DELETE"))).status_code == 405
        assert await offset_of(client, location) == 3
        assert (await as_post("DELETE")).status_code == 204
        assert (await client.head(location, headers=part(0))).status_code == 410
    order = [str(each.cls) for each in create_app(Settings(home=Path("unused"))).user_middleware]
    assert order.index(str(SameOriginOnly)) < order.index(str(MethodOverride)), "the first is the outermost"


async def test_a_submission_waits_for_a_slow_request_that_is_still_under_way(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 MB over a poor line are one request of half an hour. Its case must not be submitted without it."""
    monkeypatch.setattr("api.rechecking.SECONDS", 0.0)
    late = [now()]
    monkeypatch.setattr("infra.uploads.desk.now", lambda: late[0])
    case = desk.open_case()
    counted = []

    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"12"
            await asyncio.sleep(0.01)
            with desk.world.database.read() as session:
                counted.append(count_under_way(session, case.id, late[0]))
            late[0] += SILENCE * 0.9

    async with desk.client() as client:
        location = await begin(client, case, 9)
        answer = await client.patch(location, headers=part(0), content=slowly())
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, "8")
    assert counted == [1] * 4


async def test_an_upload_that_is_given_up_ends_its_request_under_way(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.rechecking.SECONDS", 0.0)
    case = desk.open_case()
    async with desk.client() as client:
        location = await begin(client, case, 100)

        async def endless() -> AsyncIterator[bytes]:
            yield b"12"
            assert (await client.delete(location, headers=part(0))).status_code == 204
            for _ in range(98):
                yield b"1"

        answer = await client.patch(location, headers=part(0), content=endless())
        assert (answer.status_code, answer.json()["code"]) == (410, "upload_gone")
    assert not desk.files(case)
    assert not [path for path in (desk.app.state.services.settings.blob_folder).rglob("*") if path.is_file()]


async def test_nobody_else_finds_the_upload_and_nothing_of_theirs_is_read(desk: Desk) -> None:
    case = desk.open_case()
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield b"12345"

    async with desk.client() as owner:
        location = await begin(owner, case, 5)
    for name, status in ((None, 401), ("dentist2", 404), ("radiologist", 404), ("scheduler", 404), ("admin", 403)):
        async with desk.client(name) as client:
            assert (await client.patch(location, headers=part(0), content=body())).status_code == status
            assert (await client.head(location, headers=part(0))).status_code == status
            assert (await client.delete(location, headers=part(0))).status_code == status
            assert (
                await client.post("/api/v1/uploads", headers=creation(case.id, 5), content=body())
            ).status_code == status
    assert read == 0
    assert not desk.files(case)


async def test_a_case_that_takes_no_files_refuses_at_the_beginning_and_at_the_end(desk: Desk) -> None:
    case = desk.open_case()
    async with desk.client() as client:
        location = await begin(client, case, 6)
        assert (await client.patch(location, headers=part(0), content=b"123")).status_code == 204

        async def last() -> AsyncIterator[bytes]:
            yield b"45"
            desk.set_state(case, State.PROCESSING)
            yield b"6"

        answer = await client.patch(location, headers=part(3), content=last())
        assert (answer.status_code, answer.json()["code"]) == (409, "uploads_closed")
        answer = await client.post("/api/v1/uploads", headers=creation(case.id, 5), content=b"12345")
        assert (answer.status_code, answer.json()["code"]) == (409, "uploads_closed")
    assert not desk.files(case)
    with desk.world.database.read() as session:
        assert session.exec(select(Upload.state).where(Upload.case_id == case.id)).all() == ["ended"]


@pytest.mark.parametrize("checked", [False, True])
async def test_a_session_that_ends_stops_an_upload_under_way(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, checked: bool
) -> None:
    monkeypatch.setattr("api.rechecking.SECONDS", 0.05)
    case = desk.open_case()

    async def endless() -> AsyncIterator[bytes]:
        for number in range(200):
            if number == 5:
                with desk.world.database.write() as session:
                    user_id = desk.world.user_id("dentist")
                    for row in session.exec(select(Session).where(Session.user_id == user_id)).all():
                        row.revoked_at = now()
            yield b"x" * 1000
            await asyncio.sleep(0.02)

    async with desk.client() as client:
        location = await begin(client, case, 200_000)
        digest = base64.b64encode(hashlib.sha256(b"x" * 200_000).digest()).decode()
        headers = part(0, Upload_Checksum=f"sha256 {digest}") if checked else part(0)
        answer = await client.patch(location, headers=headers, content=endless())
    assert answer.status_code == 401


@pytest.mark.parametrize("checked", [False, True])
async def test_who_loses_the_case_stops_an_upload_under_way(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, checked: bool
) -> None:
    """Who leaves the practice stays signed in, for what they do elsewhere."""
    monkeypatch.setattr("api.rechecking.SECONDS", 0.05)
    case = desk.open_case()

    async def endless() -> AsyncIterator[bytes]:
        for number in range(200):
            if number == 5:
                with desk.world.database.write() as session:
                    user_id = desk.world.user_id("dentist")
                    session.exec(select(Membership).where(Membership.user_id == user_id)).one().is_active = False
            yield b"x" * 1000
            await asyncio.sleep(0.02)

    async with desk.client() as client:
        location = await begin(client, case, 200_000)
        digest = base64.b64encode(hashlib.sha256(b"x" * 200_000).digest()).decode()
        headers = part(0, Upload_Checksum=f"sha256 {digest}") if checked else part(0)
        assert (await client.patch(location, headers=headers, content=endless())).status_code == 404


async def test_a_name_is_shown_as_it_is_read(desk: Desk) -> None:
    """Neither lines nor marks of direction: with one of those “gpj.exe” reads as a picture's name."""
    case = desk.open_case()
    told = {"case_id": case.id, "filename": "X-\u202egpj.exe\r\n\x85\u2066.dcm", "filetype": "application/dicom"}
    metadata = ",".join(f"{word} {base64.b64encode(value.encode()).decode()}" for word, value in told.items())
    async with desk.client() as client:
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "3", "Upload-Metadata": metadata}
        begun = await client.post(
            "/api/v1/uploads", headers=headers | {"Content-Type": "application/offset+octet-stream"}, content=b"abc"
        )
        assert begun.status_code == 201
        (file,) = (await client.get(f"/api/v1/cases/{case.id}/files")).json()["items"]
    assert file["name"] == "X- gpj.exe    .dcm"


async def test_a_line_that_went_silent_does_not_lock_its_upload(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A telephone that lost its network says no goodbye, and soon comes back to go on."""
    monkeypatch.setattr("api.tus.receiving.SILENCE_SECONDS", 0.2)
    case = desk.open_case()

    async def broken() -> AsyncIterator[bytes]:
        yield b"123"
        await asyncio.sleep(3600)
        yield b""

    async with desk.client() as client, asyncio.timeout(10):
        location = await begin(client, case, 6)
        answer = await client.patch(location, headers=part(0), content=broken())
        assert answer.headers["upload-offset"] == "3"
        answer = await client.patch(location, headers=part(3), content=b"456")
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, "6")


async def test_a_creation_whose_answer_was_lost_is_not_doubled(desk: Desk) -> None:
    case = desk.open_case()
    headers = creation(case.id, 6) | {"Idempotency-Key": "once"}

    async def half() -> AsyncIterator[bytes]:
        yield b"123"

    async with desk.client() as client:
        first = await client.post("/api/v1/uploads", headers=headers, content=half())
        assert (first.status_code, first.headers["upload-offset"]) == (201, "3")
        again = await client.post("/api/v1/uploads", headers=headers, content=b"123456")
        assert (again.headers["location"], again.headers["upload-offset"]) == (first.headers["location"], "3")
        rest = await client.patch(again.headers["location"], headers=part(3), content=b"456")
        assert rest.status_code == 204
        late = await client.post("/api/v1/uploads", headers=headers, content=b"123456")
        assert (late.status_code, late.headers["upload-offset"]) == (201, "6")
        other = await client.post("/api/v1/uploads", headers=headers | {"Upload-Length": "5"}, content=b"12345")
        assert (other.status_code, other.json()["code"]) == (409, "upload_key_reused")
        bare = {name: value for name, value in headers.items() if name != "Content-Type"} | {"Idempotency-Key": "two"}
        both = await asyncio.gather(*(client.post("/api/v1/uploads", headers=bare) for _ in range(2)))
        assert len({answer.headers["location"] for answer in both}) == 1
    assert [file.size for file in desk.files(case)] == [6]


async def test_an_upload_can_be_given_up_and_expires(desk: Desk) -> None:
    case = desk.open_case()
    async with desk.client() as client:
        given_up, forgotten = await begin(client, case, 5), await begin(client, case, 5)
        await client.patch(given_up, headers=part(0), content=b"123")
        assert (await client.delete(given_up, headers=part(0))).status_code == 204
        assert (await client.head(given_up, headers=part(0))).status_code == 410
        with desk.world.database.write() as session:
            session.get_one(Upload, forgotten.rsplit("/", 1)[1]).expires_at = now() - LIFE
        assert (await client.patch(forgotten, headers=part(0), content=b"1")).status_code == 410
        done = await client.post("/api/v1/uploads", headers=creation(case.id, 1), content=b"1")
        assert (await client.delete(done.headers["location"], headers=part(0))).status_code == 409
    services = desk.app.state.services
    assert UploadDesk(services.database, services.blobs, services.keys).sweep() == 2, "the upload and its blob"


async def test_a_burst_of_batches_is_told_once(desk: Desk) -> None:
    case = desk.open_case()
    url = f"/api/v1/cases/{case.id}/files/settled"
    async with desk.client() as client:
        for _ in range(3):
            assert (await client.post(url)).status_code == 202
    async with desk.client("dentist2") as client:
        assert (await client.post(url)).status_code == 404
    with desk.world.database.read() as session:
        items = session.exec(
            select(OutboxItem).where(OutboxItem.case_id == case.id, OutboxItem.kind == "files_settled")
        ).all()
    assert len(items) == 1


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
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = Server(tmp_path, free.getsockname()[1])
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
