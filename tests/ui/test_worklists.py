"""Lists that are longer than a page: what waits for their reader is on the first one, and every row is on some page."""

import re
from datetime import timedelta

import pytest

import ui.assemble.worklist_parts
import ui.pages.worklists
from infra.database import now
from schemas.lifecycle import State, WaitOwner, WaitReason
from schemas.tables.case import Case
from tests.ui.site import Site

PAGE = 4


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ui.assemble.worklist_parts, "PAGE", PAGE)
    monkeypatch.setattr(ui.pages.worklists, "PAGE", PAGE)


def put(site: Site, count: int, **columns: object) -> list[str]:
    """Cases as their projection would have them."""
    ids = [site.world.add_case().id for _ in range(count)]
    with site.world.database.write() as session:
        for case_id in ids:
            row = session.get_one(Case, case_id)
            for name, value in columns.items():
                setattr(row, name, value)
    return ids


def in_reading(site: Site, count: int, **more: object) -> list[str]:
    due = now() + timedelta(hours=5)
    columns = {
        "state": State.IN_REVIEW,
        "wait_owner": WaitOwner.RADIOLOGIST,
        "wait_reason": WaitReason.READING,
        "assignee_id": site.world.user_id("radiologist"),
        "due_at": due,
        "risk_at": due,
    }
    return put(site, count, **columns | more)


def asked(site: Site, count: int) -> list[str]:
    waits = {"wait_owner": WaitOwner.PRACTICE, "wait_reason": WaitReason.QUESTION}
    return in_reading(site, count, state=State.MODIFICATION_REQUESTED, due_at=None, risk_at=None, **waits)


def shown(html: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"/cases/(case_[a-z0-9]+)", html)))


def link_to(html: str, start: str) -> str:
    found = [link for link in re.findall(r'href="([^"]+)"', html) if link.startswith(start)]
    assert found, f"no link begins with {start}"
    return str(found[0]).replace("&amp;", "&")


async def all_pages(site: Site, name: str, url: str) -> list[str]:
    seen: list[str] = []
    async with site.as_(name) as client:
        while url:
            html = (await client.get(url)).text
            seen += shown(html)
            more = re.search(r'href="([^"]*after=[^"]+)"', html)
            url = more[1].replace("&amp;", "&") if more else ""
    return seen


async def test_a_practice_sees_its_questions_and_its_reports_to_release_however_many_cases_run(
    practice: Site, short_pages: None
) -> None:
    running = in_reading(practice, PAGE + 3)
    questions = asked(practice, 1)
    waits = {"wait_owner": WaitOwner.PRACTICE, "wait_reason": WaitReason.TO_RELEASE}
    to_release = in_reading(practice, 1, state=State.SIGNED, due_at=None, **waits)
    async with practice.as_("dentist") as dentist:
        html = (await dentist.get("/")).text
    assert {*questions, *to_release} <= set(shown(html))
    heading = re.search(r"Under way</h2><span class=\"count\">(\d+)<", html)
    assert heading and int(heading[1]) == len(running)
    assert sorted(await all_pages(practice, "dentist", link_to(html, "/?show=underway"))) == sorted(running)
    questions += asked(practice, PAGE)
    yours = await all_pages(practice, "dentist", "/?show=yours")
    assert sorted(yours) == sorted([*questions, *to_release])


async def test_a_reader_sees_what_is_to_be_read_whatever_waits_for_others(practice: Site, short_pages: None) -> None:
    asked(practice, PAGE + 2)
    offered = in_reading(practice, 1, state=State.ASSIGNED, wait_reason=WaitReason.OFFERED)
    amend = {"wait_reason": WaitReason.AMENDMENT_REQUESTED, "due_at": None}
    to_read = in_reading(practice, 1, state=State.SIGNED, **amend) + in_reading(practice, PAGE)
    async with practice.as_("radiologist") as reader:
        html = (await reader.get("/")).text
    assert offered[0] in shown(html)
    listed = await all_pages(practice, "radiologist", link_to(html, "/?tab=&amp;show=toread"))
    assert sorted(listed) == sorted(to_read)


async def test_the_pool_shows_who_needs_a_second_person_and_has_further_pages(
    practice: Site, short_pages: None
) -> None:
    free = in_reading(practice, PAGE + 2, state=State.UNASSIGNED, wait_owner=WaitOwner.SCHEDULER, assignee_id=None)
    second = {"wait_owner": WaitOwner.SECOND_PERSON, "wait_reason": WaitReason.IDENTITY_SECOND_PERSON}
    unsure = in_reading(practice, 1, state=State.ATTENTION, assignee_id=None, due_at=None, **second)
    async with practice.as_("radiologist") as reader:
        html = (await reader.get("/?tab=pool")).text
    assert unsure[0] in shown(html)
    assert sorted(await all_pages(practice, "radiologist", link_to(html, "/?tab=pool&amp;show=free"))) == sorted(free)


async def test_the_boards_bands_count_every_case_and_lead_to_each(practice: Site, short_pages: None) -> None:
    moment = now()
    over = in_reading(practice, PAGE + 2, due_at=moment - timedelta(hours=1), risk_at=moment - timedelta(hours=2))
    risk = in_reading(practice, 1, due_at=moment + timedelta(hours=1), risk_at=moment - timedelta(hours=1))
    in_reading(practice, 2)
    paused = asked(practice, PAGE + 1)
    async with practice.as_("scheduler") as scheduler:
        html = (await scheduler.get("/board")).text
    counts = dict(re.findall(r'href="#band-(\w+)"><b>(\d+)</b>', html))
    assert counts == {"over": "6", "risk": "1", "fine": "2", "paused": "5"}
    assert risk[0] in shown(html)
    for band, cases in (("over", over), ("paused", paused)):
        url = link_to(html, f"/board?band={band}")
        assert sorted(await all_pages(practice, "scheduler", url)) == sorted(cases)
