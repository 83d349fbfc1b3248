"""tus 1.0.0: lengths that are told late, and files that go up in parts side by side."""

import itertools
import secrets

import httpx
import pytest
from sqlmodel import select

from infra.uploads import FINAL, UploadDesk
from schemas.lifecycle import State
from schemas.tables.case import Case
from schemas.tables.imaging import Upload
from schemas.tables.wires import AuditRow
from tests.api.imaging_app import Desk, creation
from tests.api.tus import offset_of, part, stored


async def send_part(client: httpx.AsyncClient, case: Case, content: bytes, length: int | None = None) -> str:
    headers = creation(case.id, len(content) if length is None else length) | {"Upload-Concat": "partial"}
    answer = await client.post("/api/v1/uploads", headers=headers, content=content)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


async def join(client: httpx.AsyncClient, case: Case, *parts: str, **more: str) -> httpx.Response:
    headers = creation(case.id, 0, "whole.dcm") | {"Upload-Concat": f"final;{' '.join(parts)}"}
    del headers["Upload-Length"], headers["Content-Type"]
    told = {name.replace("_", "-"): value for name, value in more.items()}
    return await client.post("/api/v1/uploads", headers=headers | told)


def blobs(desk: Desk) -> int:
    return len(list(desk.app.state.services.settings.blob_folder.rglob("*.*")))


async def test_a_length_may_be_told_with_a_later_part_and_once(desk: Desk) -> None:
    case = desk.open_case()
    headers = creation(case.id, 0) | {"Upload-Defer-Length": "1"}
    async with desk.client() as client:
        both = await client.post("/api/v1/uploads", headers=headers, content=b"123")
        assert both.status_code == 400
        del headers["Upload-Length"]
        begun = await client.post("/api/v1/uploads", headers=headers, content=b"123")
        location = begun.headers["location"]
        assert (begun.status_code, begun.headers["upload-offset"]) == (201, "3")
        answer = await client.head(location, headers=part(0))
        assert (answer.headers["upload-defer-length"], answer.headers.get("upload-length")) == ("1", None)
        listed = (await client.get(f"/api/v1/cases/{case.id}/files")).json()["uploads"]
        assert [(each["size"], each["offset"]) for each in listed] == [(None, 3)]
        for length, status in ((str(1 << 40), 413), ("2", 413), ("x", 400)):
            answer = await client.patch(location, headers=part(3, Upload_Length=length), content=b"")
            assert answer.status_code == status
        answer = await client.patch(location, headers=part(3, Upload_Length="8"), content=b"45")
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, "5")
        answer = await client.patch(location, headers=part(5, Upload_Length="9"), content=b"6")
        assert (answer.status_code, answer.json()["code"]) == (409, "upload_length_fixed")
        answer = await client.head(location, headers=part(0))
        assert (answer.headers["upload-length"], answer.headers.get("upload-defer-length")) == ("8", None)
        assert (await client.patch(location, headers=part(5), content=b"6789")).status_code == 413
        assert (await client.patch(location, headers=part(5), content=b"678")).status_code == 204
    (file,) = desk.files(case)
    assert stored(desk, file) == b"12345678"


async def test_a_length_that_is_not_known_has_a_bound_all_the_same(desk: Desk) -> None:
    case = desk.open_case()
    services = desk.app.state.services
    services.settings = services.settings.model_copy(update={"upload_max_bytes": 4})
    headers = creation(case.id, 0) | {"Upload-Defer-Length": "1"}
    del headers["Upload-Length"]
    async with desk.client() as client:
        answer = await client.post("/api/v1/uploads", headers=headers, content=b"12345")
    assert (answer.status_code, answer.json()["code"]) == (413, "beyond_the_end")


async def test_parts_are_joined_into_one_file_and_let_go(desk: Desk) -> None:
    case = desk.open_case()
    content = secrets.token_bytes(2_500_001)
    borders = (0, 1_100_000, 1_100_001, len(content))
    pieces = [content[start:end] for start, end in itertools.pairwise(borders)]
    async with desk.client() as client:
        parts = [await send_part(client, case, piece) for piece in pieces]
        assert await offset_of(client, parts[2]) == len(pieces[2])
        assert (await client.get(f"/api/v1/cases/{case.id}/files")).json()["uploads"] == []
        parts[1] = f"http://127.0.0.1{parts[1]}"
        joined = await join(client, case, *parts, Idempotency_Key="joined")
        assert joined.status_code == 201, joined.text
        again = await join(client, case, *parts, Idempotency_Key="joined")
        assert again.headers["location"] == joined.headers["location"]
        answer = await client.head(joined.headers["location"], headers=part(0))
        assert answer.headers["upload-concat"] == f"final;{' '.join(parts)}"
        assert answer.headers["upload-offset"] == answer.headers["upload-length"] == str(len(content))
        refused = await client.patch(joined.headers["location"], headers=part(len(content)), content=b"")
        assert (refused.status_code, refused.json()["code"]) == (403, "final_upload")
        assert (await join(client, case, *parts)).status_code == 410
    (file,) = desk.files(case)
    assert stored(desk, file) == content
    assert blobs(desk) == 1, "of the file alone"
    with desk.world.database.read() as session:
        assert session.exec(select(AuditRow.subject_id).where(AuditRow.act == "file.store")).all() == [file.id]


async def test_only_ones_own_whole_parts_of_this_case_are_joined(desk: Desk) -> None:
    case, other = desk.open_case(), desk.open_case()
    async with desk.client() as client, desk.client("staff") as colleague:
        own = await send_part(client, case, b"own")
        half = await send_part(client, case, b"half", length=9)
        elsewhere = await send_part(client, other, b"elsewhere")
        foreign = await send_part(colleague, case, b"foreign")
        whole = await client.post("/api/v1/uploads", headers=creation(case.id, 5), content=b"whole")
        for parts, status in (
            ((own, foreign), 404),
            ((own, elsewhere), 404),
            ((own, whole.headers["location"]), 404),
            ((own, "/api/v1/uploads/upl_0"), 404),
            ((own, half), 409),
            (("https://elsewhere.test/files/1",), 400),
            ((), 400),
        ):
            assert (await join(client, case, *parts)).status_code == status
        desk.set_state(case, State.PROCESSING)
        assert (await join(client, case, own)).status_code == 409
    assert [file.size for file in desk.files(case)] == [5]


async def test_a_join_that_a_crash_broke_off_goes_on(desk: Desk) -> None:
    case = desk.open_case()
    services = desk.app.state.services
    uploads = UploadDesk(services.database, services.blobs, services.keys)
    async with desk.client() as client:
        parts = [await send_part(client, case, piece) for piece in (b"12345", b"678", b"90")]
        ids = [location.rsplit("/", 1)[1] for location in parts]
        begun = uploads.begin(
            desk.world.case(case.id),
            desk.world.user_id("dentist"),
            10,
            {"filename": "a"},
            "key",
            concat=FINAL,
            parts=ids,
        ).upload
        with uploads.writer(begun) as writer:
            writer.append(b"123456")
            writer.sync()
        location = f"/api/v1/uploads/{begun.id}"
        answer = await client.head(location, headers=part(0))
        assert (answer.status_code, answer.headers.get("upload-offset")) == (200, None)
        assert (await join(client, case, *parts, Idempotency_Key="key")).headers["location"] == location
    (file,) = desk.files(case)
    assert stored(desk, file) == b"1234567890"


async def test_a_case_that_was_submitted_meanwhile_keeps_nothing_of_a_join(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = desk.open_case()
    async with desk.client() as client:
        own = await send_part(client, case, b"own")
        read = desk.app.state.services.blobs.reader

        def submitted(*asked: object) -> object:
            desk.set_state(case, State.PROCESSING)
            return read(*asked)

        monkeypatch.setattr(desk.app.state.services.blobs, "reader", submitted)
        answer = await join(client, case, own)
        assert (answer.status_code, answer.json()["code"]) == (409, "uploads_closed")
    assert not desk.files(case)
    with desk.world.database.read() as session:
        assert sorted(session.exec(select(Upload.state)).all()) == ["ended", "open"], "the part expires by itself"


async def test_a_part_that_goes_while_it_is_joined_leaves_nothing_that_a_submission_waits_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = desk.open_case()
    blobs = desk.app.state.services.blobs
    async with desk.client() as client:
        own, given_up = [await send_part(client, case, piece) for piece in (b"own", b"given up")]
        read = blobs.reader

        def meanwhile(*asked: object) -> object:
            with desk.world.database.read() as session:
                blobs.delete(session.get_one(Upload, given_up.rsplit("/", 1)[1]).file_id)
            return read(*asked)

        monkeypatch.setattr(blobs, "reader", meanwhile)
        answer = await join(client, case, own, given_up)
        assert (answer.status_code, answer.json()["code"]) == (410, "upload_gone")
        assert (await client.get(f"/api/v1/cases/{case.id}/files")).json()["uploads"] == []
    with desk.world.database.read() as session:
        assert session.exec(select(Upload.state).where(Upload.concat == FINAL)).all() == ["ended"]


async def test_the_server_says_that_it_can_do_both(desk: Desk) -> None:
    async with desk.client(None) as client:
        told = (await client.options("/api/v1/uploads")).headers["tus-extension"].split(",")
    assert {"creation-defer-length", "concatenation"} <= set(told)
