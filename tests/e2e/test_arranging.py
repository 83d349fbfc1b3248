"""Files in a browser: dragged with a mouse, and put in order with the keyboard alone, in a case and in a patient's record."""

import io
from base64 import b64encode
from datetime import date

import pydicom
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import Visitor, Visitors, browser, until, visitors
from tests.e2e.story import Story
from tests.e2e.system import System
from worker.demo.studies import PatientIdentity, test_series

__all__ = ["browser", "visitors"]

FORM = {
    "referrer": "Dr Marsh",
    "purpose": "implant",
    "clinical_question": "Bone at 36?",
    "history": "",
    "teeth": ["36"],
    "site_note": "",
    "consent": True,
    "pregnancy": "not_pregnant",
}
SLICES = 5


@pytest.fixture(scope="module")
def story(system: System, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """A draft with a scan, one slice of which was exported alone, and two photographs; a record with three documents."""
    folder = tmp_path_factory.mktemp("images")
    scan = sorted(test_series(folder, PatientIdentity("Order^Olive", date(1971, 2, 3), "F", "ORD-1")))[:SLICES]
    stray = pydicom.dcmread(scan[2])
    stray.SeriesInstanceUID, stray.SeriesDescription = f"{stray.SeriesInstanceUID}.9", "Exported alone"
    stray.SeriesNumber, stray.InstanceNumber = 901, 1
    stray.save_as(scan[2])
    files = [(path.name, path.read_bytes()) for path in scan]
    files += [(f"smile{number}.jpg", _photograph(number)) for number in (1, 2)]
    story = Story(system)
    dentist = story.client("dentist")
    person = {
        "family_name": "Order",
        "given_name": "Olive",
        "birth_date": "1971-02-03",
        "sex": "female",
        "patient_number": "ORD-1",
        "email": "olive.order@example.test",
        "phone": "",
        "notes": "",
    }
    story.open_case(dentist, person, FORM)
    story.upload(dentist, files)
    for name in ("First.pdf", "Second.pdf", "Third.pdf"):
        content = b"%PDF-1.4\n%%EOF\n" + name.encode()
        answer = dentist.post("/api/v1/uploads", content=content, headers=_to_record(story, name, len(content)))
        assert answer.status_code == 201, answer.text
    url = f"/api/v1/cases/{story.case_id}/files"
    until(
        lambda: [file["state"] for file in dentist.get(url).json()["items"]],
        lambda states: states == ["ready"] * len(files),
        "the files are being checked",
    )
    return story


def _photograph(number: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (320, 240), (200, 100 + 20 * number, 90)).save(out, "JPEG")
    return out.getvalue()


def _to_record(story: Story, name: str, size: int) -> dict[str, str]:
    patient, filename = (b64encode(text.encode()).decode() for text in (story.patient_id, name))
    return {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(size),
        "Content-Type": "application/offset+octet-stream",
        "Upload-Metadata": f"patient_id {patient},filename {filename}",
    }


def drag(page: Page, item: Locator, to: Locator, *, down: float) -> None:
    """By the grip, with the mouse, to a share of the target's height."""
    grip = item.locator(".grip")
    grip.scroll_into_view_if_needed()
    start, end = grip.bounding_box(), to.bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(end["x"] + 60, end["y"] + end["height"] * down, steps=15)
    page.mouse.move(end["x"] + 62, end["y"] + end["height"] * down, steps=3)
    page.mouse.up()


def tab_to(page: Page, wanted: Locator) -> None:
    """As somebody without a mouse gets there."""
    for _ in range(120):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{wanted} is not reached with the keyboard")


def card(visitor: Visitor, name: str) -> Locator:
    return visitor.page.locator(".series-card", has_text=name)


def names(visitor: Visitor) -> list[str]:
    """Of the record's documents, from top to bottom."""
    return visitor.page.locator("#documents [data-item] .study-name").all_inner_texts()


def test_a_stray_slice_is_dragged_into_its_scan_and_read_there(visitors: Visitors, story: Story) -> None:
    dentist = visitors.person("dentist")
    dentist.watch.expected = {409}
    dentist.goto(f"/cases/{story.case_id}")
    dentist.follow("Move images between series")
    scan, stray = card(dentist, "Cone beam CT"), card(dentist, "Exported alone")
    expect(stray.locator(".grip")).to_have_count(1)
    drag(dentist.page, stray.locator("[data-image]"), scan.first.locator(".tiles"), down=0.3)
    expect(dentist.page.get_by_text("from Exported alone")).to_be_visible()
    expect(scan).to_have_count(1)
    expect(scan).to_contain_text(f"{SLICES} images")

    drag(dentist.page, card(dentist, "smile1.jpg").locator("[data-image]"), scan.locator(".tiles"), down=0.3)
    expect(dentist.page.locator("[data-refused]")).to_contain_text("images of another kind")
    expect(card(dentist, "smile1.jpg").locator("[data-image]")).to_have_count(1)

    dentist.goto(f"/cases/{story.case_id}/images")
    page = dentist.page
    expect(page.locator(".iv-card[data-kind=series]")).to_have_count(1)
    expect(page.locator(".iv-line--position")).to_contain_text(f"of {SLICES}")
    page.locator("[data-pane=pane-0] .iv-surface").focus()
    page.keyboard.press("Home")
    for _ in range(2):
        expect(page.locator(".iv-caution", has_text="Moved here")).to_have_count(0)
        page.keyboard.press("ArrowDown")
    expect(page.locator(".iv-line--position")).to_have_text(f"Image 3 of {SLICES}")
    expect(page.locator(".iv-caution", has_text="from “Exported alone”")).to_be_visible()

    dentist.goto(f"/cases/{story.case_id}/series")
    dentist.page.get_by_role("button", name="Put Image 1 back").click()
    expect(card(dentist, "Exported alone").locator("[data-image]")).to_have_count(1)


def test_photographs_are_put_together_with_the_keyboard_alone(visitors: Visitors, story: Story) -> None:
    dentist = visitors.person("dentist")
    dentist.goto(f"/cases/{story.case_id}/series")
    page = dentist.page
    for name in ("smile1.jpg", "smile2.jpg"):
        tab_to(page, card(dentist, name).get_by_role("checkbox"))
        page.keyboard.press("Space")
    page.keyboard.press("Control+Home")
    for _ in range(120):
        page.keyboard.press("Shift+Tab")
        if page.locator("#target").evaluate("element => element === document.activeElement"):
            break
    page.keyboard.type("A series of")
    tab_to(page, page.get_by_role("button", name="Move", exact=True))
    page.keyboard.press("Enter")
    expect(page.locator(".series-card").get_by_text("Photographs, read together · 2 images")).to_be_visible()
    dentist.goto(f"/cases/{story.case_id}/images")
    page.locator(".iv-card[data-kind=file]").click()
    expect(page.locator(".iv-pages")).to_have_text("‹Image 1 of 2›")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".iv-pages")).to_have_text("‹Image 2 of 2›")


def test_documents_of_a_record_are_dragged_to_their_place(visitors: Visitors, story: Story) -> None:
    dentist = visitors.person("dentist")
    dentist.goto(f"/patients/{story.patient_id}")
    expect(dentist.page.locator("#documents .grip")).to_have_count(3)
    assert names(dentist) == ["Third.pdf", "Second.pdf", "First.pdf"]
    items = dentist.page.locator("#documents [data-item]")
    drag(dentist.page, items.nth(2), items.first, down=0.2)
    expect(dentist.page.locator("[data-arrange-said]")).to_have_text("It is in its new place.")
    dentist.page.reload()
    assert names(dentist) == ["First.pdf", "Third.pdf", "Second.pdf"]


def test_documents_of_a_record_are_ordered_and_described_with_the_keyboard_alone(
    visitors: Visitors, story: Story
) -> None:
    staff = visitors.person("staff")
    staff.goto(f"/patients/{story.patient_id}")
    page = staff.page
    before = names(staff)
    down = page.get_by_role("button", name=f"Move {before[0]} down")
    tab_to(page, down)
    page.keyboard.press("Enter")
    expect(page.locator("#documents .study-name").first).to_have_text(before[1])
    expect(down).to_be_focused()
    expect(page.locator("[data-arrange-said]")).to_have_text("It is in its new place.")
    tab_to(page, page.get_by_role("link", name=f"Edit {before[0]}"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Edit document")).to_be_visible()
    tab_to(page, page.get_by_label("or under a new one"))
    page.keyboard.type("Before treatment")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Before treatment")).to_be_visible()
    expect(page.locator(".file-group .study-name")).to_have_text(before[0])
