"""A step that takes the case out of its person's sight, once more: a double click, the back button, a second window."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from fastapi import Response
from sqlmodel import select

from activities.records.commands import id_of_command
from api.standing import load_case
from schemas.errors import StateConflict
from schemas.tables.case import CaseTransition
from tests.api.live import PASSWORD, Live
from tests.api.stories import Story, submitted_case
from tests.api.test_case_story import until
from tests.ui.reading import read
from tests.ui.site import sign_in
from ui.assemble.case_actions import Tried
from ui.pages.steps import reload_tried

SAID = "You declined the case."


@pytest_asyncio.fixture
async def offered(live: Live) -> AsyncIterator[tuple[Story, httpx.AsyncClient]]:
    """A case that is offered to somebody, and the browser of whoever that is."""
    story = await submitted_case(live)
    readers = {live.world.user_id(name): name for name in ("radiologist", "radiologist2")}
    async with live.client("scheduler") as scheduler:
        await until(scheduler, story.case_id, "assigned")
    story.reader = readers[str(story.row.assignee_id)]
    async with sign_in(live.app, f"{story.reader}@demo.test", PASSWORD) as browser:
        yield story, browser


def declined(story: Story) -> int:
    with story.live.world.database.read() as session:
        statement = select(CaseTransition).where(CaseTransition.case_id == story.case_id)
        return sum(row.action == "decline" for row in session.exec(statement).all())


async def until_lost(story: Story, browser: httpx.AsyncClient) -> None:
    for _ in range(400):
        if (await browser.get(f"/cases/{story.case_id}")).status_code == 404:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the case never went to the other reader")


async def test_two_clicks_at_once_end_in_the_same_place(offered: tuple[Story, httpx.AsyncClient]) -> None:
    story, browser = offered
    form = read(await browser.get(f"/cases/{story.case_id}")).form(f"/cases/{story.case_id}/actions/decline")
    first, second = await asyncio.gather(*(form.send(browser, reason="Away this week.") for _ in range(2)))
    assert (first.url.path, second.url.path) == ("/", "/")
    assert first.status_code == second.status_code == 200
    assert SAID in read(first).text + read(second).text
    assert declined(story) == 1


@pytest.mark.parametrize("place", ["", "/read"], ids=["case page", "reading page"])
async def test_declining_again_after_the_case_is_gone_ends_where_the_first_click_did(
    offered: tuple[Story, httpx.AsyncClient], place: str
) -> None:
    story, browser = offered
    path = f"/cases/{story.case_id}"
    form, other_window = [read(await browser.get(path)).form(f"{path}/actions/decline") for _ in range(2)]
    done = await form.send(browser, reason="Away this week.")
    assert (done.url.path, SAID in read(done).text) == ("/", True)
    await until_lost(story, browser)
    for nonce in (form.fields["nonce"][0], other_window.fields["nonce"][0]):
        fields = {"nonce": nonce, "reason": "Away this week."}
        again = await browser.post(f"{path}{place}/actions/decline", data=fields)
        assert (again.status_code, again.url.path) == (200, "/")
        assert SAID in read(again).text
    looked_up = await browser.get(f"{path}/commands/{id_of_command(story.case_id, form.fields['nonce'][0])}")
    assert (looked_up.status_code, looked_up.url.path, SAID in read(looked_up).text) == (200, "/", True)
    assert declined(story) == 1


async def test_what_somebody_did_opens_no_other_step_and_nothing_for_others(
    offered: tuple[Story, httpx.AsyncClient],
) -> None:
    story, browser = offered
    path = f"/cases/{story.case_id}"
    form = read(await browser.get(path)).form(f"{path}/actions/decline")
    await form.send(browser, reason="Away this week.")
    await until_lost(story, browser)
    nonce = form.fields["nonce"][0]
    assert (await browser.post(f"{path}/actions/accept", data={"nonce": nonce})).status_code == 404
    async with sign_in(story.live.app, "dentist2@demo.test", PASSWORD) as stranger:
        foreign = await stranger.post(f"{path}/actions/decline", data={"nonce": nonce, "reason": "x"})
        looked_up = await stranger.get(f"{path}/commands/{id_of_command(story.case_id, nonce)}")
    assert (foreign.status_code, looked_up.status_code) == (404, 404)


async def test_a_click_that_comes_after_another_ones_step_leads_to_the_list_with_its_reason(
    offered: tuple[Story, httpx.AsyncClient],
) -> None:
    """The scheduler gave the case to somebody else between the look and the command."""
    story, _ = offered
    services = story.live.app.state.services
    person = story.live.world.person(story.reader)
    with services.database.read() as session:
        access = load_case(session, services.keys, story.case_id, person)
    other = next(name for name in ("radiologist", "radiologist2") if name != story.reader)
    await story.act("scheduler", "reassign", radiologist_id=story.live.world.user_id(other))
    tried = Tried(action="accept", problem=StateConflict.title, status=409)
    answer = await reload_tried(services, access, tried)
    assert isinstance(answer, Response)
    assert answer.headers["location"] == "/"
    assert "case.lost" in answer.headers["set-cookie"]
