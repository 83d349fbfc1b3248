"""The islands against the product's own routes: what one side sends is what the other expects."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.staticfiles import StaticFiles
from playwright.sync_api import Browser, Page, expect
from sqlmodel import select
from starlette.responses import HTMLResponse

from activities.imaging.parser.pool import ParserPool
from schemas.lifecycle import State
from schemas.tables.case import Case
from schemas.tables.documents import PatientDocument
from tests.api.imaging_app import Desk, imaging_desk
from tests.ui_islands import synthetic
from tests.ui_islands.double import STATIC, served

refused: list[str] = []


@pytest.fixture
def desk(tmp_path: Path, pool: ParserPool) -> Iterator[Desk]:
    with imaging_desk(tmp_path, pool) as opened:
        yield opened


@pytest.fixture
def case(desk: Desk) -> Case:
    return desk.open_case()


@pytest.fixture
def address(desk: Desk, case: Case, bundle: None) -> Iterator[str]:
    """The routes with one page for each island."""

    def page(name: str, attributes: str) -> HTMLResponse:
        return HTMLResponse(
            f'<!doctype html><html lang="en"><title>t</title><link rel="icon" href="data:,"><body><div data-island="{name}" data-case-id="{case.id}" '
            f'{attributes}></div><script type="module" src="/static/build/{name}.js"></script></body></html>'
        )

    desk.app.get("/uploader")(lambda: page("uploader", ""))
    record = f'data-patient-id="{case.patient_id}" data-max-bytes="1000"'
    desk.app.get("/record")(lambda: page("uploader", record))
    desk.app.get("/viewer")(lambda: page("viewer", f'data-study="{synthetic.STUDY}"'))
    desk.app.mount("/static", StaticFiles(directory=STATIC))
    with served(desk.app) as origin:
        yield origin


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A folder as a scanner's software writes it."""
    folder = tmp_path / "Export"
    folder.mkdir()
    for series in (synthetic.cone_beam(), synthetic.panoramic()):
        for ds in series.instances:
            (folder / f"{ds.SOPInstanceUID}.dcm").write_bytes(synthetic.part10(ds))
    (folder / "face.jpg").write_bytes(synthetic.jpeg(800, 600))
    return folder


def opened(browser: Browser, desk: Desk, name: str, url: str) -> Page:
    """A page as one of the people, in which no request is refused and no script fails."""
    page = browser.new_context(extra_http_headers={"Authorization": f"Bearer {desk.tokens[name]}"}).new_page()
    page.on("response", lambda response: refused.append(response.url) if response.status >= 400 else None)
    page.on("pageerror", lambda error: refused.append(str(error)))
    page.goto(url)
    return page


def test_a_document_that_is_dropped_goes_into_the_record(
    browser: Browser, desk: Desk, case: Case, address: str
) -> None:
    refused.clear()
    page = opened(browser, desk, "dentist", f"{address}/record")
    expect(page.locator(".dropzone")).to_contain_text("up to 1 kB each")
    assert page.locator(".upload-folder:visible").count() == 0
    page.evaluate(
        """() => {
            const dropped = new DataTransfer();
            dropped.items.add(new File(["%PDF-1.4\\n%%EOF\\n"], "consent.pdf", { type: "application/pdf" }));
            dropped.items.add(new File(["x".repeat(1001)], "large.pdf", { type: "application/pdf" }));
            dispatchEvent(new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.locator(".upload-row")).to_contain_text("1 of 2 files")
    expect(page.locator(".upload-error")).to_contain_text("large.pdf: This file is larger than 1 kB")
    with desk.world.database.read() as session:
        document = session.exec(select(PatientDocument)).one()
    assert (document.patient_id, document.kind, document.state) == (case.patient_id, "document", "ready")
    assert refused == []
    page.context.close()


def test_a_folder_goes_in_and_is_read(browser: Browser, desk: Desk, case: Case, address: str, export: Path) -> None:
    refused.clear()
    page = opened(browser, desk, "dentist", f"{address}/uploader")
    page.locator("input.upload-folder").set_input_files(export)
    expect(page.locator(".upload-row")).to_contain_text("26 files stored", timeout=20_000)
    page.context.close()
    desk.imaging.ingest(case.id)
    assert sorted((file.kind, file.state) for file in desk.files(case)) == [
        *[("dicom", "ready")] * 25,
        ("photo", "ready"),
    ]
    desk.freeze(case)
    desk.set_state(case, State.IN_REVIEW, assignee="radiologist", image_set=1)

    page = opened(browser, desk, "radiologist", f"{address}/viewer")
    expect(page.locator(".iv-line--position")).to_have_text("Image 13 of 24", timeout=20_000)
    expect(page.locator(".iv-message")).to_be_hidden()
    page.locator("[data-command=length]").click()
    box = page.locator("[data-pane=pane-0]").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 200, steps=4)
    page.mouse.up()
    expect(page.locator(".iv-status")).to_contain_text("Measurements saved")
    words = page.locator(".iv-card[data-kind=mark]").inner_text()
    page.locator("[data-pane=pane-0] .iv-surface").focus()
    page.keyboard.press("k")
    page.locator("dialog input").fill("Region 36")
    page.keyboard.press("Enter")
    expect(page.locator(".iv-section--keys .iv-card")).to_have_text("Region 36", timeout=15_000)

    page.reload()
    expect(page.locator("[data-pane=pane-0] svg.svg-layer")).to_contain_text(words, timeout=20_000)
    page.locator(".iv-card[data-kind=file]").click()
    expect(page.locator(".iv-photo")).to_have_js_property("naturalWidth", 800)
    page.get_by_role("button", name="Remove key image: Region 36").click()
    expect(page.locator(".iv-section--keys")).to_be_hidden()
    page.context.close()
    assert refused == []
