"""Uploads at bad moments: a line that fell silent, a storage that is full or away, the same file once more."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from sqlmodel import select, update

from infra.blobs.local_writer import LocalWriter
from infra.blobs.store import BlobInfo
from infra.database import now
from infra.uploads import UploadDesk
from schemas.tables.imaging import Upload
from tests.activities.imaging import files
from tests.api.imaging_app import Desk, creation
from tests.api.tus import begin, offset_of, part, stored


async def test_who_comes_back_after_a_lost_line_goes_on_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server has not noticed yet that the line is gone: the older request ends for the newer one of its sender."""
    monkeypatch.setattr("api.tus.receiving._LISTEN_SECONDS", 0.2)
    case = desk.open_case()
    is_under_way = asyncio.Event()

    async def half_open() -> AsyncIterator[bytes]:
        yield b"123"
        is_under_way.set()
        await asyncio.sleep(3600)
        yield b""

    async with desk.client() as client, desk.client("staff") as colleague, asyncio.timeout(30):
        location = await begin(client, case, 6)
        older = asyncio.create_task(client.patch(location, headers=part(0), content=half_open()))
        await is_under_way.wait()
        assert (await colleague.head(location, headers=part(0))).status_code == 423
        assert await offset_of(client, location) == 3
        answer = await client.patch(location, headers=part(3), content=b"456")
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, "6")
        assert (await older).headers["upload-offset"] == "3"
    (file,) = desk.files(case)
    assert stored(desk, file) == b"123456"


async def test_a_request_whose_bytes_arrive_is_not_ended_by_another(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.tus.receiving._LISTEN_SECONDS", 5.0)
    monkeypatch.setattr("api.tus.intake._TRIES", 2)
    case = desk.open_case()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"123"
        async with desk.client() as other:
            assert (await other.patch(location, headers=part(0), content=b"abc")).status_code == 423
        yield b"456"

    async with desk.client() as client:
        location = await begin(client, case, 6)
        answer = await client.patch(location, headers=part(0), content=slowly())
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, "6")
    (file,) = desk.files(case)
    assert stored(desk, file) == b"123456"


async def test_a_storage_without_room_refuses_before_the_first_byte_and_keeps_what_it_has(desk: Desk) -> None:
    case = desk.open_case()
    services = desk.app.state.services
    settings = services.settings

    read = 0

    async def unread() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield b"123"

    async with desk.client() as client:
        location = await begin(client, case, 6)
        await client.patch(location, headers=part(0), content=b"123")
        services.settings = settings.model_copy(update={"storage_reserve_bytes": 1 << 60})
        for answer in (
            await client.post("/api/v1/uploads", headers=creation(case.id, 5), content=unread()),
            await client.patch(location, headers=part(3), content=unread()),
        ):
            assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
        assert read == 0
        assert await offset_of(client, location) == 3
        services.settings = settings
        assert (await client.patch(location, headers=part(3), content=b"456")).status_code == 204
    (file,) = desk.files(case)
    assert stored(desk, file) == b"123456"


async def test_a_storage_that_is_away_says_so_and_goes_on_when_it_is_back(desk: Desk) -> None:
    case = desk.open_case()
    folder = desk.app.state.services.settings.blob_folder
    away = folder.with_name("not-mounted")
    async with desk.client() as client:
        location = await begin(client, case, 6)
        await client.patch(location, headers=part(0), content=b"123")
        folder.rename(away)
        for answer in (
            await client.post("/api/v1/uploads", headers=creation(case.id, 5), content=b"12345"),
            await client.patch(location, headers=part(3), content=b"456"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (503, "storage_failed")
            assert int(answer.headers["retry-after"]) > 0
        assert (await client.head(location, headers=part(0))).status_code == 503
        assert not folder.exists(), "nothing is made anew beside what is not mounted"
        away.rename(folder)
        assert (await client.patch(location, headers=part(3), content=b"456")).status_code == 204
    (file,) = desk.files(case)
    assert stored(desk, file) == b"123456"


async def test_the_same_content_is_kept_once_in_a_case_and_named(desk: Desk) -> None:
    case, other = desk.open_case(), desk.open_case()
    content = b"\xff\xd8 of a photograph"
    async with desk.client() as client:
        first = await desk.upload(case, content, "a.jpg")
        again = await client.post(
            "/api/v1/uploads", headers=creation(case.id, len(content), "copy of a.jpg"), content=content
        )
        assert (again.status_code, again.headers["upload-duplicate-of"]) == (201, first)
        answer = await client.head(again.headers["location"], headers=part(0))
        assert (answer.headers["upload-duplicate-of"], answer.headers["upload-offset"]) == (first, str(len(content)))
        location = await begin(client, case, len(content))
        answer = await client.patch(location, headers=part(0), content=content)
        assert (answer.status_code, answer.headers["upload-duplicate-of"]) == (204, first)
        assert [file.id for file in desk.files(case)] == [first]
        assert len(list(desk.app.state.services.settings.blob_folder.rglob("*.blob"))) == 1
        elsewhere = await desk.upload(other, content, "a.jpg")
        assert elsewhere != first
        assert (await client.delete(f"/api/v1/cases/{case.id}/files/{first}")).is_success
        fresh = await client.post("/api/v1/uploads", headers=creation(case.id, len(content)), content=content)
        assert "upload-duplicate-of" not in fresh.headers
    assert [file.state for file in desk.files(case)] == ["removed", "stored"]


async def test_what_was_damaged_in_storage_may_come_again(desk: Desk) -> None:
    case = desk.open_case()
    content = files.photo()
    first = await desk.upload(case, content, "a.jpg")
    (path,) = desk.app.state.services.settings.blob_folder.rglob("*.blob")
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    desk.imaging.ingest(case.id)
    second = await desk.upload(case, content, "a.jpg")
    desk.imaging.ingest(case.id)
    assert {file.id: (file.state, file.problem_code) for file in desk.files(case)} == {
        first: ("unreadable", "storage_damaged"),
        second: ("ready", None),
    }


def give_up(desk: Desk) -> None:
    services = desk.app.state.services
    with desk.world.database.read() as session:
        upload = session.exec(select(Upload)).one()
    UploadDesk(services.database, services.blobs, services.keys).end(upload)


async def test_what_is_given_up_a_moment_after_its_end_stays(desk: Desk) -> None:
    case = desk.open_case()
    await desk.upload(case, b"123456")
    give_up(desk)
    (file,) = desk.files(case)
    assert stored(desk, file) == b"123456"


async def test_what_is_given_up_in_the_last_moment_becomes_no_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last byte is durable, and before its row is written somebody takes it back: its bytes are to be deleted then."""
    case = desk.open_case()
    finish = LocalWriter.finish

    def given_up_meanwhile(writer: LocalWriter) -> BlobInfo:
        info = finish(writer)
        give_up(desk)
        return info

    async with desk.client() as client:
        location = await begin(client, case, 6)
        monkeypatch.setattr(LocalWriter, "finish", given_up_meanwhile)
        answer = await client.patch(location, headers=part(0), content=b"123456")
    assert (answer.status_code, answer.json()["code"]) == (410, "upload_gone")
    assert desk.files(case) == []
    assert list(desk.app.state.services.settings.blob_folder.rglob("*.blob")) == []


async def test_what_is_gone_on_with_while_the_expired_are_swept_stays(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, services = desk.open_case(), desk.app.state.services
    swept = UploadDesk(services.database, services.blobs, services.keys)
    give_up_expired = UploadDesk._give_up

    def gone_on_with(self: UploadDesk, upload: Upload, **when: datetime) -> bool:
        self.note(upload, 3)
        return give_up_expired(self, upload, **when)

    async with desk.client() as client:
        location = await begin(client, case, 6)
        assert (await client.patch(location, headers=part(0), content=b"123")).status_code == 204
        with desk.world.database.write() as session:
            session.exec(update(Upload).values(expires_at=now() - timedelta(seconds=1)))
        monkeypatch.setattr(UploadDesk, "_give_up", gone_on_with)
        swept.sweep()
        assert (await client.patch(location, headers=part(3), content=b"456")).status_code == 204
    (file,) = desk.files(case)
    assert stored(desk, file) == b"123456"
