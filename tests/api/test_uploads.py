"""tus 1.0.0: what is acknowledged is durable, what is wrong is refused, and nobody else's case is touched."""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlmodel import select

from api.app import create_app
from api.origin import SameOriginOnly
from api.tus.door import MethodOverride
from infra.database import now
from infra.settings import Settings
from infra.uploads import LIFE, UploadDesk
from schemas.lifecycle import State
from schemas.tables.imaging import Upload
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


async def test_a_key_is_of_one_person_and_of_one_case(desk: Desk) -> None:
    """A colleague who happens to send the same key goes on with nobody else's file, and no file gets into another case."""
    case, other = desk.open_case(), desk.open_case()
    begun = set()
    for name, where in (("dentist", case), ("staff", case), ("dentist", other)):
        async with desk.client(name) as client:
            headers = creation(where.id, 6) | {"Idempotency-Key": "once"}
            answer = await client.post("/api/v1/uploads", headers=headers, content=b"123456")
            assert answer.headers["upload-offset"] == "6"
            begun.add(answer.headers["location"])
    assert len(begun) == 3
    assert [len(desk.files(each)) for each in (case, other)] == [1, 1], "the same bytes are kept once in a case"


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
