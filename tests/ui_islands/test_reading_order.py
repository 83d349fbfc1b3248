"""The viewer in the practice's order, against the product's own routes: headings, names, teeth, and images that were moved."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.staticfiles import StaticFiles
from playwright.sync_api import Browser, Page, expect
from sqlmodel import select
from starlette.responses import HTMLResponse

from activities.imaging.parser.pool import ParserPool
from api.arrangement import add_group, describe, move
from api.case_arrangement import CaseHome
from api.placing import place_images
from api.standing import load_case
from schemas.arrangement_forms import Labels, Move
from schemas.lifecycle import State
from schemas.tables.case import Case
from schemas.tables.imaging import Instance, KeyImage, Series, StoredFile, Study
from tests.api.imaging_app import Desk, imaging_desk
from tests.ui_islands import synthetic
from tests.ui_islands.double import STATIC, served

STRAY = f"{synthetic.STUDY}.11"


@pytest.fixture
def desk(tmp_path: Path, pool: ParserPool) -> Iterator[Desk]:
    with imaging_desk(tmp_path, pool) as opened:
        yield opened


def upload(desk: Desk, case: Case, content: bytes, name: str) -> None:
    # In a thread of its own: the browser's loop runs in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, desk.upload(case, content, name)).result()


@pytest.fixture
def case(desk: Desk) -> Case:
    """A scan whose sixth slice was exported alone, a panoramic view and two photographs, arranged by the practice."""
    case = desk.open_case()
    for ds in sorted(synthetic.cone_beam().instances, key=lambda each: int(each.InstanceNumber))[:8]:
        if ds.InstanceNumber == 6:
            ds.SeriesInstanceUID, ds.SeriesDescription, ds.InstanceNumber = STRAY, "Exported alone", 1
        upload(desk, case, synthetic.part10(ds), "slice.dcm")
    (view,) = synthetic.panoramic().instances
    view.StudyInstanceUID = f"{synthetic.STUDY}.2"
    upload(desk, case, synthetic.part10(view), "panoramic.dcm")
    for width in (400, 500):
        upload(desk, case, synthetic.jpeg(width, 300), f"face{width}.jpg")
    desk.imaging.ingest(case.id)
    arrange(desk, case)
    desk.freeze(case)
    desk.set_state(case, State.IN_REVIEW, assignee="radiologist", image_set=1)
    return case


def arrange(desk: Desk, case: Case) -> None:
    world = desk.world
    with world.database.write() as session:
        access = load_case(session, world.keys, case.id, world.person("dentist"))
        home = CaseHome(access)
        studies = {row.study_uid: row.id for row in session.exec(select(Study)).all()}
        photos = session.exec(select(StoredFile.id).where(StoredFile.kind == "photo")).all()
        scan, panoramic = studies[synthetic.STUDY], studies[f"{synthetic.STUDY}.2"]
        place_images(session, access, photos, photos[0])
        stray = select(Instance.id).join(Series).where(Series.series_uid == STRAY)
        volume = select(Series.id).where(Series.series_uid == f"{synthetic.STUDY}.10")
        place_images(session, access, [session.exec(stray).one()], session.exec(volume).one())
        group = add_group(session, home, "After treatment")
        move(session, home, photos[0], Move(before=scan))
        move(session, home, panoramic, Move(before=photos[0]))
        move(session, home, scan, Move(group_id=group))
        describe(session, home, scan, Labels(title="Control", description="Six months later", teeth=("36",)))


@pytest.fixture
def address(desk: Desk, case: Case, bundle: None) -> Iterator[str]:
    def page() -> HTMLResponse:
        return HTMLResponse(
            '<!doctype html><html lang="en"><title>t</title><link rel="icon" href="data:,"><body>'
            f'<div data-island="viewer" data-case-id="{case.id}" data-study="{synthetic.STUDY}" '
            f'data-series="/api/v1/cases/{case.id}/series?notation=universal"></div>'
            '<script type="module" src="/static/build/viewer.js"></script></body></html>'
        )

    desk.app.get("/viewer")(page)
    desk.app.mount("/static", StaticFiles(directory=STATIC))
    with served(desk.app) as origin:
        yield f"{origin}/viewer"


def opened(browser: Browser, desk: Desk, url: str) -> Page:
    token = desk.tokens["radiologist"]
    page = browser.new_context(extra_http_headers={"Authorization": f"Bearer {token}"}).new_page()
    page.goto(url)
    return page


def test_the_reader_meets_the_practices_order_names_and_moved_images(
    browser: Browser, desk: Desk, case: Case, address: str
) -> None:
    page = opened(browser, desk, address)
    lines = page.locator(".iv-section--series li")
    expect(lines).to_have_count(4, timeout=20_000)
    expect(lines.nth(0)).to_contain_text("Panoramic")
    expect(lines.nth(1)).to_contain_text("2 images")
    expect(lines.nth(2)).to_have_text("After treatment")
    for words in ("Control", "CT · 8 images", "19", "Six months later"):
        expect(lines.nth(3)).to_contain_text(words)
    expect(page.locator(".iv-line--title")).to_have_text("Panoramic")

    page.locator(".iv-card", has_text="Control").click()
    expect(page.locator(".iv-line--title")).to_have_text("Control", timeout=20_000)
    page.locator("[data-pane=pane-0] .iv-surface").focus()
    page.keyboard.press("Home")
    for _ in range(5):
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(100)
    expect(page.locator(".iv-line--position")).to_have_text("Image 6 of 8", timeout=20_000)
    expect(page.locator(".iv-cautions")).to_contain_text("Moved here by the practice, from “Exported alone”")
    expect(page.locator(".iv-message")).to_be_hidden(timeout=20_000)
    page.keyboard.press("k")
    page.locator("dialog input").fill("Region 36")
    page.keyboard.press("Enter")
    expect(page.locator(".iv-section--keys .iv-card")).to_have_text("Region 36", timeout=20_000)
    with desk.world.database.read() as session:
        statement = select(Series.series_uid).join(Instance).join(KeyImage)
        assert session.exec(statement).one() == STRAY, "the report names the image as it came"

    page.locator(".iv-card", has_text="Panoramic").click()
    expect(page.locator(".iv-line--title")).to_have_text("Panoramic")
    page.locator(".iv-section--keys .iv-card").click()
    expect(page.locator(".iv-line--position")).to_have_text("Image 6 of 8", timeout=20_000)
    expect(page.locator(".iv-line--title")).to_have_text("Control")

    page.locator(".iv-card[data-kind=file]").click()
    expect(page.locator(".iv-photo")).to_have_js_property("naturalWidth", 400)
    page.keyboard.press("ArrowDown")
    expect(page.locator(".iv-photo")).to_have_js_property("naturalWidth", 500)
    expect(page.locator(".iv-pages")).to_contain_text("Image 2 of 2")
    page.context.close()
