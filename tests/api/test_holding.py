"""Whoever lost the case between a route's check and its write writes nothing: signed marks stay as they were signed, a
submitted form as it was submitted, a draft its present reader's.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlmodel import func, select

from activities.records.signing import draft_hash
from api.deps import case_access
from api.standing import load_case
from schemas.forms import ReportDraftBody
from schemas.lifecycle import State
from schemas.tables.case import Case
from schemas.tables.imaging import AnnotationSet
from schemas.tables.report import ReportDraft
from tests.activities.documents.samples import content
from tests.ui.site import BASE, PASSWORD, Site, site


@pytest_asyncio.fixture
async def quiet(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as made:
        yield made


@asynccontextmanager
async def client_of(place: Site, name: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(place.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE, timeout=30) as client:
        answer = await client.post("/api/v1/auth/token", json={"email": f"{name}@demo.test", "password": PASSWORD})
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        yield client


def put_into(place: Site, case: Case, state: State, reader: str | None = None) -> None:
    with place.world.database.write() as session:
        row = session.get_one(Case, case.id)
        row.state = state
        row.assignee_id = place.world.user_id(reader) if reader else None


def keep_access(place: Site, case: Case, name: str) -> None:
    """From now on every check finds the case as it is now: what a request does whose case moves right after it."""
    with place.world.database.read() as session:
        access = load_case(session, place.world.keys, case.id, place.world.person(name))
    place.app.dependency_overrides[case_access] = lambda: access


BODY: dict[str, object] = {"annotations": [], "viewer_state": {}}


@pytest.mark.parametrize(
    ("state", "reader", "status"),
    [(State.SIGNED, "radiologist", 403), (State.IN_REVIEW, "radiologist2", 404), (State.UNASSIGNED, None, 403)],
)
async def test_a_reader_who_lost_the_case_meanwhile_writes_nothing(
    quiet: Site, state: State, reader: str | None, status: int
) -> None:
    case = quiet.world.add_case()
    put_into(quiet, case, State.IN_REVIEW, "radiologist")
    draft = ReportDraftBody(content=content()).model_dump(mode="json")
    base = f"/api/v1/cases/{case.id}"
    async with client_of(quiet, "radiologist") as client:
        keep_access(quiet, case, "radiologist")
        put_into(quiet, case, state, reader)
        for method, path, body in (
            ("PUT", "/report/draft", draft),
            ("PUT", "/annotations", BODY),
            ("PUT", "/key-images/order", {"ids": []}),
            ("PATCH", "/key-images/ann_00000000", {"caption": "x"}),
            ("DELETE", "/key-images/ann_00000000", None),
        ):
            answer = await client.request(method, base + path, json=body, headers={"If-Match": '"0"'})
            assert (path, answer.status_code) == (path, status), answer.text
    with quiet.world.database.read() as session:
        for table in (ReportDraft, AnnotationSet):
            assert session.exec(select(func.count()).select_from(table)).one() == 0


async def test_a_form_is_not_changed_once_it_was_submitted(quiet: Site) -> None:
    case = quiet.world.add_case()
    async with client_of(quiet, "dentist") as client:
        keep_access(quiet, case, "dentist")
        put_into(quiet, case, State.PROCESSING)
        url = f"/api/v1/cases/{case.id}/form"
        answer = await client.put(url, json={"form": {}}, headers={"If-Match": f'"{case.form_revision}"'})
    assert answer.status_code == 403
    assert quiet.world.case(case.id).form_revision == case.form_revision


@pytest.mark.parametrize("text", ["NaN", "-Infinity", '"\\ud800"'])
async def test_marks_that_could_not_be_sent_back_are_not_kept(quiet: Site, text: str) -> None:
    case = quiet.world.add_case()
    put_into(quiet, case, State.IN_REVIEW, "radiologist")
    url = f"/api/v1/cases/{case.id}/annotations"
    async with client_of(quiet, "radiologist") as client:
        body = f'{{"annotations": [{{"a": {text}}}], "viewer_state": {{}}}}'
        headers = {"If-None-Match": "*", "Content-Type": "application/json"}
        assert (await client.put(url, content=body, headers=headers)).status_code == 422
        assert (await client.get(url)).status_code == 200


async def test_a_report_with_a_picture_that_is_not_there_cannot_be_signed(quiet: Site) -> None:
    """Its document could never be made."""
    case = quiet.world.add_case()
    put_into(quiet, case, State.IN_REVIEW, "radiologist")
    body = ReportDraftBody(content=content())
    async with client_of(quiet, "radiologist") as client:
        url = f"/api/v1/cases/{case.id}/report/draft"
        answer = await client.put(url, json=body.model_dump(mode="json"), headers={"If-Match": '"0"'})
    assert [item["field"] for item in answer.json()["missing"]] == ["key_images"]
    assert answer.json()["draft_hash"] == draft_hash(body)
