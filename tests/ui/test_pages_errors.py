"""Requests that went nowhere: a page for people, a problem document for programs."""

import pytest

from schemas.errors import OdontoError
from tests.ui.site import Site, browser


async def test_the_case_of_another_practice_looks_like_none(practice: Site) -> None:
    case = practice.world.add_case()
    missing = "case_" + "0" * 30
    paths = ("", "/form", "/commands/cmd_1", "?part=head", "/actions/submit")
    async with practice.as_("dentist2") as client:
        for path in paths:
            foreign = await client.get(f"/cases/{case.id}{path}")
            nothing = await client.get(f"/cases/{missing}{path}")
            assert foreign.status_code == nothing.status_code == 404, path
            assert foreign.content == nothing.content
            assert foreign.headers["content-type"].startswith("text/html")
            assert case.number not in foreign.text
        for path in ("/actions/submit", "/messages", "/form", "/files/fil_1/remove"):
            foreign = await client.post(f"/cases/{case.id}{path}", data={"nonce": "n"})
            nothing = await client.post(f"/cases/{missing}{path}", data={"nonce": "n"})
            assert foreign.status_code == nothing.status_code == 404, path
            assert foreign.content == nothing.content


async def test_an_address_that_does_not_exist_has_a_way_on(practice: Site) -> None:
    async with browser(practice.app) as client:
        answer = await client.get("/nowhere")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
    assert 'href="/"' in answer.text


async def test_programs_keep_their_problem_documents(practice: Site) -> None:
    async with browser(practice.app) as client:
        for path in ("/api/v1/cases", "/dicomweb/studies", "/api/v1/nowhere"):
            answer = await client.get(path)
            assert answer.headers["content-type"] == "application/problem+json", path
        bare = await client.get("/patients", headers={"Accept": "application/json"})
    assert bare.status_code == 401
    assert bare.headers["content-type"] == "application/problem+json"


async def test_what_is_not_ones_part_is_said_without_blame(practice: Site) -> None:
    async with practice.as_("staff") as client:
        answer = await client.get("/board")
    assert answer.status_code == 403
    assert "This belongs to someone else" in answer.text


async def test_a_form_without_its_nonce_is_refused(practice: Site) -> None:
    case = practice.world.add_case()
    async with practice.as_("dentist") as client:
        answer = await client.post(f"/cases/{case.id}/actions/cancel", data={"reason": "x"})
    assert answer.status_code == 422
    assert "Reload the page and send it again" in answer.text


async def test_a_crash_tells_nothing_and_is_guarded_too(practice: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("Anna Moreau, born 1980")

    monkeypatch.setattr("ui.pages.shell.count_waiting", fail)
    async with practice.as_("dentist") as client:
        answer = await client.get("/")
    assert answer.status_code == 500
    assert OdontoError.title in answer.text
    assert "Moreau" not in answer.text
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
