"""A download under way ends with the right to it: its session, its case, or the link behind which it began."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from starlette.requests import ClientDisconnect

from api.deps import look_again
from api.imaging.downloads import while_allowed
from api.patient_images import VisitImages
from api.portal_facts import Visit
from api.release_links import LinkGone
from schemas.access import Person
from schemas.errors import NotSignedIn
from schemas.lifecycle import State
from schemas.tables.case import Case
from tests.activities.imaging import files
from tests.api.imaging_app import Desk


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.rechecking.SECONDS", -1.0)


async def collect(pieces: AsyncIterator[bytes], into: list[bytes]) -> None:
    async for piece in pieces:
        into.append(piece)


async def test_the_pieces_end_where_the_right_does() -> None:
    looks = iter([True, True, False])

    def still() -> None:
        if not next(looks):
            raise NotSignedIn()

    got: list[bytes] = []
    with pytest.raises(NotSignedIn):
        await collect(while_allowed(iter([b"1", b"2", b"3", b"4"]), still), got)
    assert got == [b"1", b"2"]
    got = []
    await collect(while_allowed(iter([b"1", b"2"]), lambda: None), got)
    assert got == [b"1", b"2"]


def lose_case(desk: Desk, case: Case) -> None:
    desk.set_state(case, State.UNASSIGNED)
    with desk.world.database.write() as session:
        session.get_one(Case, case.id).assignee_id = None


async def test_a_download_breaks_when_its_session_or_its_case_is_lost(desk: Desk) -> None:
    case = desk.open_case()
    content = files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4")
    file_id = await desk.upload(case, content)
    desk.imaging.ingest(case.id)
    desk.freeze(case)
    desk.set_state(case, State.IN_REVIEW, assignee="radiologist")
    instance = "/dicomweb/studies/1.2/series/1.3/instances/1.4"
    paths = [f"/api/v1/cases/{case.id}/files/{file_id}/content", instance, "/dicomweb/studies/1.2/series/1.3"]

    def ended() -> Person:
        raise NotSignedIn()

    def handed_on() -> Person:
        lose_case(desk, case)
        return desk.world.person("radiologist")

    async with desk.client("radiologist") as client:
        for path in paths:
            assert content in (await client.get(path)).content
        ways: tuple[Callable[[], Person], ...] = (ended, handed_on)
        for path in paths:
            for way in ways:
                desk.set_state(case, State.IN_REVIEW, assignee="radiologist")
                desk.app.dependency_overrides[look_again] = lambda way=way: way
                assert content not in (await client.get(path)).content, (path, way.__name__)


def test_a_visit_is_looked_at_anew_too() -> None:
    def gone() -> Visit:
        raise LinkGone()

    with pytest.raises(LinkGone):
        VisitImages(visit=None, look_again=gone).again()  # type: ignore[arg-type]


def open_blobs() -> list[str]:
    links = (os.path.realpath(link) for link in Path("/proc/self/fd").iterdir())
    return [link for link in links if link.endswith(".blob")]


async def test_a_client_that_leaves_before_the_first_byte_leaves_no_file_open(desk: Desk) -> None:
    case = desk.open_case()
    file_id = await desk.upload(case, files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4"))
    desk.imaging.ingest(case.id)
    path = f"/api/v1/cases/{case.id}/files/{file_id}/content"

    async def gone(_message: object) -> None:
        raise OSError("the client has left")

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async with desk.client() as client:
        request = client.build_request("GET", path)
        assert (await client.get(path)).status_code == 200
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "scheme": "http",
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 1),
        }
        with suppress(OSError, ClientDisconnect):
            await desk.app(scope, receive, gone)
    assert open_blobs() == []


async def test_a_file_whose_content_is_not_there_is_an_answer_and_no_broken_download(desk: Desk) -> None:
    case = desk.open_case()
    file_id = await desk.upload(case, files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4"))
    desk.imaging.ingest(case.id)
    desk.app.state.services.blobs.delete(file_id)
    async with desk.client() as client:
        answer = await client.get(f"/api/v1/cases/{case.id}/files/{file_id}/content")
    assert (answer.status_code, answer.json()["code"]) == (404, "blob_missing")
