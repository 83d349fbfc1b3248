"""STOW-RS: instances go into a case by the way of the uploads, or the answer says which did not and why."""

import io
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pydicom
import pytest
from sqlmodel import select

from activities.imaging.ingest import ImagingActivities
from infra.access_tokens import make_token
from infra.outbox import is_waiting
from infra.removals import sweep
from schemas.lifecycle import State
from schemas.messages import FactKind
from schemas.tables.case import Case
from schemas.tables.wires import BlobRemoval
from schemas.token_forms import Scope
from tests.activities.imaging import files
from tests.activities.imaging.zips import zipped
from tests.api.imaging_app import Desk

TYPE = 'multipart/related; type="application/dicom"; boundary=bo.un-dary'


def body_of(*parts: bytes, kind: str = "application/dicom") -> bytes:
    head = f"\r\n--bo.un-dary\r\nContent-Type: {kind}\r\n\r\n".encode()
    return b"".join(head + part for part in parts) + b"\r\n--bo.un-dary--"


async def store(
    desk: Desk, case: Case, content: Any, name: str | None = "dentist", study: str = "", **headers: str
) -> httpx.Response:
    async with desk.client(name) as client:
        url = f"/cases/{case.id}/dicomweb/studies{f'/{study}' if study else ''}"
        return await client.post(url, content=content, headers={"Content-Type": TYPE, **headers})


def blobs_of(desk: Desk) -> list[str]:
    """What lies on the disk, whatever the rows say."""
    folder = desk.app.state.services.settings.home / "blobs"
    return [path.name for path in folder.rglob("*.blob")] + [path.name for path in folder.rglob("*.part")]


async def test_instances_are_in_the_case_when_they_are_answered(desk: Desk) -> None:
    case = desk.open_case()
    sent = [files.dicom_file(study="1.2", series="1.3", SOPInstanceUID=f"1.4.{n}", number=n) for n in (1, 2, 3)]
    answer = await store(desk, case, body_of(*sent))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/dicom+json"
    kept = answer.json()["00081199"]["Value"]
    assert [item["00081155"]["Value"] for item in kept] == [["1.4.1"], ["1.4.2"], ["1.4.3"]]
    async with desk.client() as client:
        one = await client.get(kept[1]["00081190"]["Value"][0], headers={"Accept": "application/dicom"})
        assert one.content == sent[1]
        assert len((await client.get("/dicomweb/studies/1.2/series/1.3/metadata")).json()) == 3
    rows = desk.files(case)
    assert {row.state for row in rows} == {"ready"}
    assert len({row.blob_id for row in rows}) == 1
    assert sweep(desk.world.database, desk.app.state.services.blobs) == 0
    again = await store(desk, case, body_of(sent[0]))
    assert (again.status_code, len(again.json()["00081199"]["Value"])) == (200, 1)
    assert sorted(row.state for row in desk.files(case)) == ["ready", "ready", "ready", "removed"]


async def test_a_case_is_told_of_images_once_they_are_checked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told before, it would have its worker check them a second time, beside the request that does."""
    case = desk.open_case()
    told = []

    def told_meanwhile(imaging: ImagingActivities, case_id: str) -> int:
        told.append(is_told())
        return check(imaging, case_id)

    def is_told() -> bool:
        with desk.world.database.read() as session:
            return is_waiting(session, FactKind.FILES_SETTLED, case.id)

    check: Callable[[ImagingActivities, str], int] = ImagingActivities.ingest
    monkeypatch.setattr(ImagingActivities, "ingest", told_meanwhile)
    assert (await store(desk, case, body_of(files.dicom_file(study="1.2")))).status_code == 200
    assert [*told, is_told()] == [False, True]


async def test_what_cannot_be_kept_is_named_with_its_reason(desk: Desk) -> None:
    case = desk.open_case()
    good = files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4")
    some = await store(desk, case, body_of(good, b"no image", files.dicom_file(study="1.2", PixelData=None)))
    assert some.status_code == 202
    assert [item["00081197"]["Value"] for item in some.json()["00081198"]["Value"]] == [[0xC000], [0xC000]]
    assert len(some.json()["00081199"]["Value"]) == 1
    other = files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4", number=9)
    clash = await store(desk, case, body_of(other))
    assert clash.status_code == 409
    assert clash.json()["00081198"]["Value"][0]["00081197"]["Value"] == [0x0111]
    astray = files.dicom_file(study="9.9", series="9.8", SOPInstanceUID="9.7")
    stray = await store(desk, case, body_of(astray), study="1.2")
    assert stray.status_code == 409
    (item,) = stray.json()["00081198"]["Value"]
    assert (item["00081197"]["Value"], item["00081155"]["Value"]) == ([0xA900], ["9.7"])
    async with desk.client() as client:
        assert (await client.get("/dicomweb/studies/9.9/metadata")).status_code == 404


async def test_what_strays_twice_or_is_in_the_case_already_keeps_no_other_image_from_it(desk: Desk) -> None:
    case = desk.open_case()
    good = files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4")
    astray = files.dicom_file(study="9.9", series="9.8", SOPInstanceUID="9.7")
    twice = await store(desk, case, body_of(good, astray, astray), study="1.2")
    assert (twice.status_code, len(twice.json()["00081198"]["Value"])) == (202, 2)
    assert [row.state for row in desk.files(case)].count("ready") == 1, "the strays are not kept"
    await store(desk, case, body_of(astray))
    again = await store(desk, case, body_of(good, astray), study="1.2")
    assert (again.status_code, len(again.json()["00081198"]["Value"])) == (202, 1)
    async with desk.client() as client:
        assert (await client.get("/dicomweb/studies/9.9/metadata")).status_code == 200, "it was there before"


async def test_what_is_submitted_meanwhile_keeps_no_other_image_from_its_answer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = desk.open_case()
    ingest = ImagingActivities.ingest

    def and_submit(self: ImagingActivities, case_id: str) -> int:
        checked = ingest(self, case_id)
        desk.freeze(case)
        desk.set_state(case, State.PROCESSING)
        return checked

    monkeypatch.setattr(ImagingActivities, "ingest", and_submit)
    good = files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4")
    astray = files.dicom_file(study="9.9", series="9.8", SOPInstanceUID="9.7")
    answer = await store(desk, case, body_of(good, astray), study="1.2")
    assert (answer.status_code, len(answer.json()["00081199"]["Value"])) == (202, 1)
    assert [file.state for file in desk.files(case)] == ["ready", "ready"], "the set is judged with both"


async def test_an_archive_that_waits_for_room_keeps_no_image_from_its_answer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = desk.open_case()
    await desk.upload(case, zipped({"a.pdf": files.pdf() + bytes(1 << 20) + files.pdf()}), "letters.zip")
    usage = SimpleNamespace(free=desk.app.state.services.settings.storage_reserve_bytes + 5000)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    answer = await store(desk, case, body_of(files.dicom_file()))
    assert answer.status_code == 200, answer.text
    assert sorted(file.state for file in desk.files(case)) == ["ready", "stored"]


async def test_a_strangers_images_are_stored_and_held_as_uploads_are(desk: Desk) -> None:
    """Whose they are is judged with the submission, for files that came in whatever way."""
    case = desk.open_case()
    stranger = files.dicom_file(study="1.2", patient={"PatientName": "Other^Person", "PatientID": "Z-9"})
    assert (await store(desk, case, body_of(stranger))).status_code == 200
    desk.freeze(case)
    assert desk.imaging.verdict(case.id, 1).identity != "exact"


async def test_nobody_sends_to_what_is_not_theirs_and_no_byte_is_read_of_it(desk: Desk) -> None:
    case = desk.open_case()
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 1024

    for name, status in ((None, 401), ("dentist2", 404), ("radiologist", 404), ("admin", 403)):
        assert (await store(desk, case, endless(), name)).status_code == status, name
    desk.set_state(case, State.PROCESSING)
    assert (await store(desk, case, endless())).status_code == 409
    desk.set_state(case, State.IN_REVIEW, assignee="radiologist")
    assert (await store(desk, case, endless(), "radiologist")).status_code == 403
    assert read == 0
    person = desk.world.person("dentist")
    desk.set_state(case, State.DRAFT)
    good = body_of(files.dicom_file(study="1.2"))
    for scope, status in ((Scope.IMAGES_READ, 403), (Scope.UPLOADS, 403), (Scope.IMAGES_WRITE, 200)):
        with desk.world.database.write() as session:
            token = make_token(session, person, "archive", [scope], 1).token
        answer = await store(desk, case, good, None, Authorization=f"Bearer {token}")
        assert answer.status_code == status, scope


async def test_what_is_not_to_be_taken_leaves_nothing_behind(desk: Desk) -> None:
    case = desk.open_case()
    good = files.dicom_file(study="1.2")
    for content, kind, status in (
        (body_of(good)[:-4], TYPE, 400),
        (b"", TYPE, 400),
        (b"\r\n--bo.un-dary--", TYPE, 400),
        (body_of(good), 'multipart/related; type="application/dicom"', 400),
        (body_of(good), 'multipart/related; type="application/dicom+xml"; boundary=x', 415),
        (body_of(good), "application/dicom", 415),
        (body_of(good, kind="image/jpeg"), TYPE, 415),
    ):
        answer = await store(desk, case, content, **{"Content-Type": kind})
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert (await store(desk, case, body_of(good), Accept="application/dicom+xml")).status_code == 406
    large = await store(desk, case, b"x", **{"Content-Length": str(2 << 30)})
    assert large.status_code == 413
    assert desk.files(case) == [] == blobs_of(desk)
    with desk.world.database.read() as session:
        assert session.exec(select(BlobRemoval)).all() == []


async def test_a_request_has_a_bound_of_parts_and_of_bytes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    case, services = desk.open_case(), desk.app.state.services
    whole = body_of(*(files.dicom_file(number=number) for number in (1, 2, 3)))

    async def unannounced() -> AsyncIterator[bytes]:
        for start in range(0, len(whole), 500):
            yield whole[start : start + 500]

    with monkeypatch.context() as patch:
        patch.setattr("api.imaging.storing.MAX_PARTS", 2)
        answer = await store(desk, case, whole)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_many_parts")
    small = services.settings.model_copy(update={"upload_max_bytes": len(whole) - 1})
    monkeypatch.setattr(services, "settings", small)
    for body in (whole, unannounced()):
        answer = await store(desk, case, body)
        assert (answer.status_code, answer.json()["code"]) == (413, "upload_too_large")
    assert desk.files(case) == [] == blobs_of(desk)
    monkeypatch.setattr(services, "settings", small.model_copy(update={"upload_max_bytes": len(whole)}))
    assert (await store(desk, case, unannounced())).status_code == 200


async def test_a_right_that_ends_ends_a_request_under_way(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.rechecking.SECONDS", -1.0)
    case = desk.open_case()
    whole = body_of(files.dicom_file(study="1.2"), files.dicom_file(study="1.2"))

    async def slowly() -> AsyncIterator[bytes]:
        yield whole[:500]
        desk.set_state(case, State.PROCESSING)
        yield whole[500:]

    assert (await store(desk, case, slowly())).status_code == 409
    assert desk.files(case) == [] == blobs_of(desk)


async def test_a_case_that_is_submitted_meanwhile_keeps_what_it_was_submitted_with(desk: Desk) -> None:
    case = desk.open_case()
    whole = body_of(files.dicom_file(study="1.2"))

    async def until_submitted() -> AsyncIterator[bytes]:
        yield whole
        desk.set_state(case, State.PROCESSING)

    assert (await store(desk, case, until_submitted())).status_code == 409
    assert desk.files(case) == [] == blobs_of(desk)


async def test_the_common_root_takes_images_for_a_named_case(desk: Desk) -> None:
    case = desk.open_case()
    content = body_of(files.dicom_file(study="1.2"))
    async with desk.client() as client:
        headers = {"Content-Type": TYPE}
        unnamed = await client.post("/dicomweb/studies", content=content, headers=headers)
        assert (unnamed.status_code, unnamed.json()["code"]) == (400, "case_unnamed")
        named = await client.post(f"/dicomweb/studies?case_id={case.id}", content=content, headers=headers)
        assert named.status_code == 200


async def test_a_cases_root_shows_that_case_alone(desk: Desk) -> None:
    first, second = desk.open_case(), desk.open_case()
    assert (await store(desk, first, body_of(files.dicom_file(study="1.2")))).status_code == 200
    assert (await store(desk, second, body_of(files.dicom_file(study="1.5")))).status_code == 200
    async with desk.client() as client:
        assert len((await client.get("/dicomweb/studies")).json()) == 2
        (study,) = (await client.get(f"/cases/{first.id}/dicomweb/studies")).json()
        assert study["00081190"]["Value"][0].endswith(f"/cases/{first.id}/dicomweb/studies/1.2")
        assert (await client.get(study["00081190"]["Value"][0] + "/metadata")).status_code == 200
        assert (await client.get(f"/cases/{first.id}/dicomweb/studies/1.5/metadata")).status_code == 404


async def test_small_files_of_many_series_are_read_back_from_their_places(desk: Desk) -> None:
    case = desk.open_case()
    sent = {f"1.4.{n}": files.dicom_file(study="1.2", series=f"1.3.{n}", SOPInstanceUID=f"1.4.{n}") for n in range(6)}
    assert (await store(desk, case, body_of(*sent.values()))).status_code == 200
    async with desk.client() as client:
        for n, (uid, content) in enumerate(sent.items()):
            place = f"/dicomweb/studies/1.2/series/1.3.{n}/instances/{uid}"
            frame = await client.get(f"{place}/frames/1", headers={"Accept": "application/octet-stream"})
            assert frame.content == pydicom.dcmread(io.BytesIO(content)).PixelData
        (file, *_) = desk.files(case)
        assert (await client.delete(f"/api/v1/cases/{case.id}/files/{file.id}")).status_code == 204
        left = (await client.get("/dicomweb/studies/1.2/instances")).json()
        assert len(left) == 5
        for item in left:
            one = await client.get(item["00081190"]["Value"][0], headers={"Accept": "application/dicom"})
            assert one.content == sent[item["00080018"]["Value"][0]]
    assert len(blobs_of(desk)) == 1
