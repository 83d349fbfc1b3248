"""OHIF's own build over the product's routes and under its policy: it opens a case and draws it."""

import asyncio
import io
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from pydicom.uid import JPEGLSLossless

from activities.imaging.parser.pool import ParserPool
from schemas.tables.case import Case
from tests.api.imaging_app import Desk
from tests.ui.advanced_viewer import viewer_desk
from tests.ui_islands import synthetic
from tests.ui_islands.double import served
from ui.ohif_files import OhifFiles


@pytest.fixture
def desk(tmp_path: Path, pool: ParserPool) -> Iterator[Desk]:
    with viewer_desk(tmp_path, pool) as opened:
        yield opened


@pytest.fixture
def case(desk: Desk) -> Case:
    """A case with a cone beam series of which every image is packed as JPEG-LS."""
    case = desk.open_case()
    for ds in synthetic.cone_beam().instances[:6]:
        ds.compress(JPEGLSLossless, generate_instance_uid=False)
        # In a thread of its own: the browser's loop runs in this one.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, desk.upload(case, synthetic.part10(ds), f"{ds.SOPInstanceUID}.dcm")).result()
    desk.imaging.ingest(case.id)
    return case


def _shades(page: Page) -> int:
    """How many shades of grey the picture has."""
    picture = Image.open(io.BytesIO(page.locator(".cornerstone-canvas").first.screenshot())).convert("L")
    return sum(1 for count in picture.histogram() if count > 20)


def test_a_case_is_opened_and_a_series_drawn(browser: Browser, desk: Desk, case: Case) -> None:
    assert OhifFiles().is_there, "the advanced viewer is not prepared: run `make setup-dev`"
    asked: list[str] = []
    failed: list[str] = []
    with served(desk.app) as origin:
        context = browser.new_context(
            viewport={"width": 1280, "height": 800},
            extra_http_headers={"Authorization": f"Bearer {desk.tokens['dentist']}"},
        )
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("response", lambda got: failed.append(f"{got.status} {got.url}") if got.status >= 400 else None)
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.goto(f"{origin}/cases/{case.id}/advanced")
        expect(page.locator(".cornerstone-canvas").first).to_be_visible(timeout=60_000)
        for _ in range(120):
            if _shades(page) > 30:
                break
            page.wait_for_timeout(500)
        assert _shades(page) > 30, "the viewport stayed empty"
        assert failed == []
        assert {re.split(r"[/:]", url)[3] for url in asked if not url.startswith(("blob:", "data:"))} == {"127.0.0.1"}
        assert not [url for url in asked if "A-100" in url or "Muster" in url], "an address names the patient"
        context.close()
