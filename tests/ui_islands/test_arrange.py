"""Dragging a case's images and documents to another place, against the product's own routes."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.staticfiles import StaticFiles
from playwright.sync_api import Browser, Page, expect
from starlette.responses import HTMLResponse

from activities.imaging.parser.pool import ParserPool
from api.arrangement import add_group, arrangement_of
from api.case_arrangement import CaseHome
from api.standing import load_case
from schemas.tables.case import Case
from tests.activities.imaging import files
from tests.api.imaging_app import Desk, imaging_desk
from tests.ui_islands.double import STATIC, served


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with ParserPool(1) as pool, imaging_desk(tmp_path, pool) as opened:
        yield opened


@pytest.fixture
def case(desk: Desk) -> Case:
    case = desk.open_case()
    for number in range(3):
        # In a thread of its own: the browser's loop runs in this one.
        with ThreadPoolExecutor(1) as thread:
            content = files.pdf() + b"\n%%%d\n%%%%EOF\n" % number
            thread.submit(asyncio.run, desk.upload(case, content, f"letter{number}.pdf")).result()
    desk.imaging.ingest(case.id)
    return case


def order_of(desk: Desk, case: Case) -> list[tuple[str, ...]]:
    """Ids, a group after the other; those of none first."""
    with desk.world.database.read() as session:
        access = load_case(session, desk.world.keys, case.id, desk.world.person("dentist"))
        home = CaseHome(access)
        return [group.items for group in arrangement_of(session, home, list(home.items(session))).groups]


def group_of(desk: Desk, case: Case) -> str:
    with desk.world.database.write() as session:
        access = load_case(session, desk.world.keys, case.id, desk.world.person("dentist"))
        return add_group(session, CaseHome(access), "Before treatment")


@pytest.fixture
def address(desk: Desk, case: Case, bundle: None) -> Iterator[str]:
    """A page with the lists as the files' template writes them, and with an item that cannot be moved."""
    group = group_of(desk, case)

    def page() -> HTMLResponse:
        lists = zip(["", group], order_of(desk, case), strict=True)
        bodies = "".join(
            f'<ul class="studies" data-arrange="/api/v1/cases/{case.id}/arrangement" data-group="{name}" style="min-height:60px">'
            + "".join(
                f'<li class="study" data-item="{item}">{item}<form method="post" action="/nowhere" data-arrange-step>'
                '<button name="direction" value="up">Up</button><button name="direction" value="down">Down</button></form></li>'
                for item in items
            )
            + ("<li>is being checked</li>" if not name else "")
            + "</ul>"
            for name, items in lists
        )
        return HTMLResponse(
            '<!doctype html><html lang="en"><title>t</title><link rel="icon" href="data:,">'
            '<link rel="stylesheet" href="/static/css/00-tokens.css"><link rel="stylesheet" href="/static/css/60-files.css"><body style="margin:60px"><section>'
            f'<div data-live="files:x">{bodies}</div><p role="status" data-arrange-said></p></section>'
            '<script type="module" src="/static/build/arrange.js"></script></body></html>'
        )

    desk.app.get("/page")(page)
    desk.app.mount("/static", StaticFiles(directory=STATIC))
    with served(desk.app) as origin:
        yield f"{origin}/page"


def opened(browser: Browser, desk: Desk, name: str, url: str) -> Page:
    page = browser.new_context(extra_http_headers={"Authorization": f"Bearer {desk.tokens[name]}"}).new_page()
    page.goto(url)
    expect(page.locator(".grip")).to_have_count(3)
    return page


def drag(page: Page, item_id: str, target: str, *, below: float) -> None:
    """By the grip, to a share of the target's height."""
    grip = page.locator(f'[data-item="{item_id}"] .grip').bounding_box()
    to = page.locator(target).bounding_box()
    assert grip is not None
    assert to is not None
    page.mouse.move(grip["x"] + 4, grip["y"] + grip["height"] / 2)
    page.mouse.down()
    page.mouse.move(to["x"] + 40, to["y"] + to["height"] * below, steps=12)
    page.mouse.move(to["x"] + 42, to["y"] + to["height"] * below, steps=2)
    page.mouse.up()


def test_an_item_is_dragged_to_another_place_and_under_a_heading(
    browser: Browser, desk: Desk, case: Case, address: str
) -> None:
    (first, second, third), _ = order_of(desk, case)
    page = opened(browser, desk, "dentist", address)
    drag(page, third, f'[data-item="{first}"]', below=0.2)
    expect(page.locator("[data-arrange-said]")).to_have_text("It is in its new place.")
    assert order_of(desk, case) == [(third, first, second), ()]
    page.locator("[data-arrange-said]").evaluate("said => said.textContent = ''")
    drag(page, first, "ul >> nth=1", below=0.5)
    expect(page.locator("[data-arrange-said]")).to_have_text("It is in its new place.")
    assert order_of(desk, case) == [(third, second), (first,)]
    page.context.close()


def test_what_the_server_refuses_goes_back_and_says_why(browser: Browser, desk: Desk, case: Case, address: str) -> None:
    (first, second, third), _ = order_of(desk, case)
    page = opened(browser, desk, "dentist", address)
    desk.freeze(case)
    drag(page, third, f'[data-item="{first}"]', below=0.2)
    expect(page.locator("[data-arrange-said]")).to_contain_text("This file was submitted")
    shown = page.locator("ul >> nth=0 >> [data-item]").evaluate_all("items => items.map(item => item.dataset.item)")
    assert shown == [first, second, third]
    assert order_of(desk, case) == [(first, second, third), ()]
    page.context.close()


def test_a_step_by_the_keyboard_leaves_the_focus_on_its_button(
    browser: Browser, desk: Desk, case: Case, address: str
) -> None:
    (first, second, third), _ = order_of(desk, case)
    page = opened(browser, desk, "dentist", address)
    up = page.locator(f'[data-item="{third}"] button[value=up]')
    up.focus()
    for expected in ([first, third, second], [third, first, second], [third, first, second]):
        page.keyboard.press("Enter")
        expect(page.locator("[data-item]").first).to_have_attribute("data-item", expected[0])
        expect(up).to_be_focused()
        shown = page.locator("[data-item]").evaluate_all("items => items.map(item => item.dataset.item)")
        assert shown == expected
        page.wait_for_function("() => !document.querySelector('[data-live-hold]')")
        assert order_of(desk, case) == [tuple(expected), ()]
    page.context.close()
