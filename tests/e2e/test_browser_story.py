"""One case, from upload to portal, in a real browser: a dentist, a scheduler, a radiologist and a patient click it through."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import pydicom
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from pydicom.data import get_testdata_file
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey

from schemas.ids import case_workflow_id
from tests.e2e.browser import PHONE, Visitor, Visitors, browser, drag, drop, pixels, until, visitors
from tests.e2e.system import System
from worker.demo.studies import PatientIdentity, test_series

__all__ = ["browser", "visitors"]

FAMILY: Final = "Storyline"
GIVEN: Final = "Petra"
BORN: Final = date(1961, 4, 17)
NUMBER: Final = "STORY-1"
EMAIL: Final = "petra.storyline@example.test"
QUESTION: Final = "Is there enough bone for an implant at 36?"
ASKED: Final = "Please add the earlier study of the left side."
ANSWERED: Final = "It is added now."
CAPTION: Final = "Ridge at 36"
IMPRESSION: Final = "There is enough bone for an implant at 36."
ADDENDUM: Final = "The earlier study shows the same height of the ridge."
READERS: Final = {"radiologist": "Dr. Elena Novak", "radiologist2": "Prof. Henrik Aalto"}
CASE_STATE: Final = SearchAttributeKey.for_keyword("CaseState")


@dataclass(frozen=True)
class Images:
    """What the practice has on its disk."""

    series: tuple[Path, ...]
    other: Path
    later: Path
    photograph: Path


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    """A CBCT of the phantom, two of pydicom's own files under the patient's name, and a photograph."""
    folder = tmp_path_factory.mktemp("practice")
    identity = PatientIdentity(f"{FAMILY}^{GIVEN}", BORN, "F", NUMBER)
    photograph = folder / "face.jpg"
    Image.linear_gradient("L").resize((640, 480)).convert("RGB").save(photograph)
    return Images(
        series=test_series(folder / "cbct", identity),
        other=_in_the_name_of(identity, "CT_small.dcm", folder),
        later=_in_the_name_of(identity, "MR_small_jp2klossless.dcm", folder),
        photograph=photograph,
    )


def _in_the_name_of(identity: PatientIdentity, name: str, folder: Path) -> Path:
    ds = pydicom.dcmread(str(get_testdata_file(name, download=False)))
    ds.PatientName, ds.PatientID, ds.PatientSex = identity.name, identity.patient_id, identity.sex
    ds.PatientBirthDate = identity.birth_date.strftime("%Y%m%d")
    path = folder / name
    ds.save_as(path)
    return path


def test_a_case_goes_from_upload_to_portal(visitors: Visitors, system: System, images: Images) -> None:
    dentist = visitors.person("dentist")
    add_patient(dentist)
    open_case(dentist)
    upload(dentist, images)
    case_id = submit(dentist)

    reader = reassign(visitors.person("scheduler"), dentist)
    radiologist = visitors.person(reader)
    accept(radiologist)
    read_images(radiologist, len(images.series))
    write_report(radiologist)
    ask_the_practice(radiologist, dentist)
    answer(dentist, images, radiologist)
    sign(radiologist, dentist)

    release(dentist)
    patient = visitors.new(size=PHONE)
    open_the_link(patient)
    read_the_report(patient)

    add_an_addendum(radiologist, case_id)
    read_the_addendum(patient)
    follow_the_trace(visitors.person("admin"), case_id)
    # Playwright's loop holds this thread.
    with ThreadPoolExecutor(1) as thread:
        state = thread.submit(asyncio.run, case_state(system.settings.temporal_address, case_id)).result()
    assert state == "released"


def add_patient(dentist: Visitor) -> None:
    """The birth date's year is left out first."""
    page = dentist.page
    dentist.follow("Patients")
    dentist.follow("New patient")
    dialog = page.get_by_role("dialog", name="New patient")
    dialog.get_by_label("First name").fill(GIVEN)
    dialog.get_by_label("Family name").fill(FAMILY)
    dialog.get_by_label("Day").fill(str(BORN.day))
    dialog.get_by_label("Month").fill(str(BORN.month))
    dialog.get_by_label("Female").check()
    dialog.get_by_label("Your patient number").fill(NUMBER)
    dialog.get_by_label("Email").fill(EMAIL)
    dentist.watch.expected.add(422)
    dialog.get_by_role("button", name="Add patient").click()
    expect(dialog.locator(".error-summary")).to_contain_text("Write the date of birth with day, month and year.")
    expect(dialog.get_by_label("Family name")).to_have_value(FAMILY)
    expect(dialog.get_by_label("Month")).to_have_value(str(BORN.month))
    expect(dialog.get_by_label("Female")).to_be_checked()
    expect(dialog.get_by_label("Email")).to_have_value(EMAIL)
    dialog.get_by_label("Year").fill(str(BORN.year))
    dialog.get_by_role("button", name="Add patient").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{GIVEN} {FAMILY}")
    expect(page.locator(".toasts")).to_contain_text("added")


def open_case(dentist: Visitor) -> None:
    """A size that is no number comes back with the rest of the form; what is left out is asked for before submission."""
    page = dentist.page
    dentist.follow("Upload new report")
    page.get_by_label("Implant planning").check()
    page.get_by_label("Tooth 36").check()
    page.get_by_label("History").fill("Extraction of 36 in spring.")
    page.get_by_label("Field of view (mm)").fill("wide")
    page.get_by_label("The patient agrees").check()
    dentist.click("Save and add images")
    expect(dentist.errors).to_contain_text("Write the size in millimetres, as a number up to 400.")
    expect(page.get_by_label("Implant planning")).to_be_checked()
    expect(page.get_by_label("Tooth 36")).to_be_checked()
    expect(page.get_by_label("History")).to_have_value("Extraction of 36 in spring.")
    expect(page.get_by_label("The patient agrees")).to_be_checked()
    page.get_by_label("Field of view (mm)").fill("80")
    dentist.click("Save and add images")
    blocked = page.locator("#case-actions")
    expect(blocked).to_contain_text("Still needed: clinical question, at least one image.")
    expect(blocked.get_by_role("button", name="Submit case")).to_be_disabled()
    dentist.follow("Edit")
    page.get_by_label("Clinical question").fill(QUESTION)
    dentist.click("Save and add images")
    expect(blocked).to_contain_text("Still needed: at least one image.")


def upload(dentist: Visitor, images: Images) -> None:
    """The series by the button, the rest dropped on the page; each study is one row once it was checked."""
    page = dentist.page
    with page.expect_file_chooser() as choosing:
        dentist.click("Choose files")
    choosing.value.set_files(images.series)
    row = page.locator(".upload-row").first
    expect(row.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "100")
    expect(row).to_contain_text(f"{len(images.series)} files stored")
    for path in (images.other, images.photograph):
        drop(page, path)
    studies = page.locator("li.study")
    expect(studies).to_have_count(3)
    expect(studies.filter(has_text="Checked")).to_have_count(3)
    expect(studies.filter(has_text=f"{len(images.series)} images")).to_have_count(1)


def submit(dentist: Visitor) -> str:
    """Returns the case's id."""
    dentist.click("Submit case")
    expect(dentist.page.locator(".toasts")).to_contain_text("The case was submitted.")
    expect(dentist.page.locator("#case-head")).to_contain_text("to accept the case")
    return dentist.page.url.rstrip("/").rsplit("/", 1)[-1]


def reassign(scheduler: Visitor, dentist: Visitor) -> str:
    """On the board, to the reader who was not offered the case; returns the reader's account."""
    page = scheduler.page
    number = dentist.page.locator(".crumbs [aria-current=page]").inner_text()
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=number))
    expect(row).to_contain_text("to accept the case")
    offered = next(name for name in READERS.values() if f"Waiting for {name}" in row.inner_text())
    account, other = next((account, name) for account, name in READERS.items() if name != offered)
    choice = row.get_by_role("combobox", name=f"Radiologist for {number}")
    option = choice.locator("option", has_text=other)
    choice.select_option(value=option.get_attribute("value"))
    row.get_by_role("button", name="Reassign").click()
    expect(page.locator(".toasts")).to_contain_text("The case was offered to another radiologist.")
    expect(row).to_contain_text(f"Waiting for {other}")
    # The dentist's page, open in another browser, says so by itself.
    expect(dentist.page.locator("#case-head")).to_contain_text(f"Waiting for {other} to accept the case.")
    return account


def accept(radiologist: Visitor) -> None:
    page = radiologist.page
    row = page.get_by_role("row").filter(has_text=FAMILY)
    row.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{GIVEN} {FAMILY}")
    expect(page.locator(".toasts")).to_contain_text("The case is yours to read.")
    assert page.url.endswith("/read")


def read_images(radiologist: Visitor, slices: int) -> None:
    """The images are drawn and scrolled; a length and a key image are kept."""
    page = radiologist.page
    position = page.locator("[data-pane=pane-0] .iv-line--position")
    page.locator(".iv-card", has_text="CBCT").first.click()
    expect(position).to_have_text(f"Image {slices // 2 + 1} of {slices}")
    expect(page.locator("[data-pane=pane-0] .iv-message")).to_be_hidden()
    first = until(lambda: pixels(page), lambda seen: len(np.unique(seen)) > 16, "the canvas is empty")
    assert first.max() > 60, "the image is all but black"

    page.locator("[data-pane=pane-0] .iv-surface").hover()
    page.mouse.wheel(0, 100)
    expect(position).to_have_text(f"Image {slices // 2 + 2} of {slices}")
    until(lambda: pixels(page), lambda seen: not np.array_equal(seen, first), "the next image looks the same")

    page.locator("[data-command=length]").click()
    drag(page, (0.45, 0.45), (0.6, 0.55))
    expect(page.locator(".iv-status")).to_contain_text("Measurements saved")
    expect(page.locator("[data-pane=pane-0] svg.svg-layer")).to_contain_text(" mm")

    page.locator("[data-pane=pane-0] .iv-surface").focus()
    page.keyboard.press("k")
    page.get_by_role("dialog", name="Key image for the report").get_by_label("Caption").fill(CAPTION)
    page.get_by_role("button", name="Mark as key image").last.click()
    expect(page.locator(".iv-section--keys .iv-card")).to_have_text(CAPTION)
    expect(page.locator("[data-key-image]")).to_have_count(1)


def write_report(radiologist: Visitor) -> None:
    """Typed into the form beside the images; it is saved as it is typed, and there after a reload."""
    page = radiologist.page
    saved = page.locator("[data-saved]")
    field = page.locator("#report-form")
    field.get_by_label("Indication").fill(QUESTION)
    field.get_by_role("radiogroup", name="Quality of the images").get_by_text("Diagnostic", exact=True).click()
    for region in field.locator(".region").all():
        region.get_by_text("Normal", exact=True).click()
    page.get_by_role("button", name="Add area").click()
    field.locator("[name='areas_of_interest.0.teeth']").fill("36")
    field.locator("[name='areas_of_interest.0.text']").fill("The ridge is 7 mm wide and 12 mm high.")
    field.locator("[name=impression]").fill(IMPRESSION)
    field.locator("[data-key-image] input[type=checkbox]").check()
    expect(saved).to_have_text(re.compile(r"Saved \d\d:\d\d:\d\d"))
    page.reload()
    expect(field.locator("[name=impression]")).to_have_value(IMPRESSION)
    expect(field.locator("[data-key-image] input[type=checkbox]")).to_be_checked()
    expect(field.locator("[data-key-image]").get_by_label("Caption")).to_have_value(CAPTION)


def ask_the_practice(radiologist: Visitor, dentist: Visitor) -> None:
    """The dentist's page, which nobody reloads, asks for the answer."""
    page = radiologist.page
    dentist_url = dentist.page.url
    page.get_by_role("link", name="More", exact=True).click()
    dialog = page.get_by_role("dialog", name="Other ways on")
    dialog.locator("summary", has_text="Ask the practice").click()
    dialog.get_by_label("What do you need?").fill(ASKED)
    dialog.get_by_role("button", name="Send question").click()
    expect(page.locator(".toasts")).to_contain_text("Your question was sent.")

    expect(dentist.page.locator("#case-head")).to_contain_text(
        "Waiting for you: the radiologist asked for something more."
    )
    expect(dentist.page.locator("#case-head")).to_contain_text(ASKED)
    expect(dentist.page.locator("#case-actions")).to_contain_text("Answer question")
    assert dentist.page.url == dentist_url


def answer(dentist: Visitor, images: Images, radiologist: Visitor) -> None:
    """With one more file; the case goes back to the same reader."""
    page = dentist.page
    studies = page.locator("li.study")
    before = studies.count()
    drop(page, images.later)
    expect(studies).to_have_count(before + 1)
    expect(studies.filter(has_text="Checked")).to_have_count(before + 1)
    page.locator("summary", has_text="Answer question").click()
    page.get_by_label("Your answer").fill(ANSWERED)
    # While the file that came with the answer is checked, nobody who reads gets images, and their page's parts are refused.
    radiologist.watch.expected.add(403)
    dentist.click("Send answer")
    expect(page.locator(".toasts")).to_contain_text("Your answer was sent to the radiologist.")
    expect(page.locator("#case-head")).to_contain_text("Waiting for the report of")

    reading = radiologist.page
    expect(reading.locator("#reading-note")).to_contain_text("You can write on: the case came back to you.")
    reading.get_by_role("link", name="What happened").click()
    expect(reading.locator("#case-timeline")).to_contain_text(ANSWERED)
    reading.get_by_role("link", name="Read and report").click()


def sign(radiologist: Visitor, dentist: Visitor) -> None:
    """With a wrong password first: a sentence says so, and the report is as it was."""
    page = radiologist.page
    expect(page.locator(".iv-card[data-kind=series]")).to_have_count(3)
    radiologist.watch.expected |= {401, 403, 422}
    dialog = page.locator("dialog#sign")
    page.get_by_role("link", name="Sign report").click()
    dialog.get_by_label("Your password").fill("not my password")
    dialog.get_by_role("button", name="Sign report").click()
    expect(dialog).to_contain_text("The password is not right. Nothing was done; type it again.")
    expect(page.locator("#report-form [name=impression]")).to_have_value(IMPRESSION)
    dialog.get_by_label("Your password").fill(radiologist.system.password)
    dialog.get_by_role("button", name="Sign report").click()
    expect(page.locator(".toasts")).to_contain_text("The report is signed.")
    expect(dentist.page.locator("#case-head")).to_contain_text("Signed")


def release(dentist: Visitor) -> None:
    page = dentist.page
    page.reload()
    expect(page.locator("article.report")).to_contain_text(IMPRESSION)
    page.locator("summary", has_text="Release report").click()
    expect(page.locator("#case-actions")).to_contain_text(f"A link goes to {EMAIL}.")
    dentist.click("Release report")
    expect(page.locator(".toasts")).to_contain_text("The report was released to the patient.")


def open_the_link(patient: Visitor) -> None:
    """From the mail, with the birth date and the code of a second mail."""
    page = patient.page
    patient.goto("/dev/mailbox")
    until(lambda: reloaded(page, EMAIL), lambda mails: mails == 1, "the link was not mailed")
    page.locator(".mail-item", has_text=EMAIL).click()
    page.get_by_role("link", name="Open the link in this mail").click()
    page.get_by_label("Day").fill(str(BORN.day))
    page.get_by_label("Month").fill(str(BORN.month))
    page.get_by_label("Year").fill(str(BORN.year))
    patient.click("Continue")
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter your code")

    mailbox = patient.new_tab()
    mailbox.goto(f"{patient.system.url}/dev/mailbox")
    until(lambda: reloaded(mailbox, EMAIL), lambda mails: mails == 2, "the code was not mailed")
    mailbox.locator(".mail-item", has_text=EMAIL).first.click()
    found = re.search(r"\b\d{6}\b", mailbox.locator(".mail-body").inner_text())
    assert found
    mailbox.close()
    page.get_by_label("Code").fill(found[0])
    patient.click("Open report")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your dental imaging report")


def reloaded(mailbox: Page, recipient: str) -> int:
    """How many mails the recipient has by now."""
    mailbox.reload()
    return mailbox.locator(".mail-item", has_text=recipient).count()


def read_the_report(patient: Visitor) -> None:
    page = patient.page
    expect(page.locator("article.report")).to_contain_text(IMPRESSION)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], "the page is wider than the phone"
    assert b"%PDF-" in download(patient)

    page.locator(".gallery-item").first.click()
    expect(page.locator("[data-pane=pane-0] .iv-message")).to_be_hidden()
    drawn = until(lambda: pixels(page), lambda seen: len(np.unique(seen)) > 16, "the canvas is empty")
    assert drawn.max() > 60, "the image is all but black"
    assert page.locator("[data-command=length]").count() == 0, "a patient does not measure"
    page.locator(".reading-bar a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your dental imaging report")


def download(patient: Visitor) -> bytes:
    with patient.page.expect_download() as loading:
        patient.follow("Download PDF")
    return Path(loading.value.path()).read_bytes()


def add_an_addendum(radiologist: Visitor, case_id: str) -> None:
    page = radiologist.page
    radiologist.goto(f"/cases/{case_id}")
    page.locator("summary", has_text="Amend report").click()
    page.get_by_label("Addendum").check()
    page.get_by_label("Reason").first.fill("A second look at the added images.")
    radiologist.click("Amend report")
    expect(page.locator(".toasts")).to_contain_text("The amendment is open.")
    radiologist.goto(f"/cases/{case_id}/read")
    page.locator("#report-form [name=addendum]").fill(ADDENDUM)
    expect(page.locator("[data-saved]")).to_have_text(re.compile(r"Saved \d\d:\d\d:\d\d"))
    page.get_by_role("link", name="Sign report").click()
    dialog = page.locator("dialog#sign")
    dialog.get_by_label("Your password").fill(radiologist.system.password)
    dialog.get_by_role("button", name="Sign report").click()
    expect(page.locator(".toasts")).to_contain_text("The report is signed.")


def read_the_addendum(patient: Visitor) -> None:
    page = patient.page
    page.reload()
    expect(page.locator("article.report").first).to_contain_text(ADDENDUM)
    expect(page.locator("article.report").first).to_contain_text("version 2")
    assert b"%PDF-" in download(patient)


def follow_the_trace(admin: Visitor, case_id: str) -> None:
    page = admin.page
    admin.goto(f"/admin/cases/{case_id}/trace")
    expect(admin.main).to_contain_text(case_workflow_id(case_id))
    for step in ("Submitted", "Signed", "Released"):
        expect(admin.main).to_contain_text(step)
    assert FAMILY not in page.content()
    assert IMPRESSION not in page.content()


async def case_state(address: str, case_id: str) -> str:
    """What Temporal itself says of the case's workflow."""
    client = await Client.connect(address)
    description = await client.get_workflow_handle(case_workflow_id(case_id)).describe()
    assert description.status is WorkflowExecutionStatus.RUNNING
    return description.typed_search_attributes[CASE_STATE]
