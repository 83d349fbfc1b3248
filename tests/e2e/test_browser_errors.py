"""What goes wrong in a real browser ends in a sentence that helps; and no page keeps anybody out (WCAG 2.2 AA, by axe)."""

import io
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from PIL import Image
from playwright.sync_api import CDPSession, Page, expect
from sqlmodel import col, select, update

from infra.database import Database, now
from schemas.tables.people import Session, User
from schemas.tables.release import ReleaseGrant
from tests.e2e.browser import PHONE, Visitor, Visitors, browser, until, visitors
from tests.e2e.story import Story, files_of
from tests.e2e.system import System
from worker.demo.studies import PatientIdentity, test_series

__all__ = ["browser", "visitors"]

BORN: Final = date(1958, 3, 31)
FORM: Final = {
    "referrer": "Dr. Laura Keller",
    "purpose": "implant",
    "clinical_question": "Is there enough bone at 46?",
    "teeth": ["46"],
    "consent": True,
}
LEVELS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CONTRAST: Final = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
SETTLED: Final = """async () => {
  const running = () => document.getAnimations().filter((animation) => animation.playState === "running");
  for (let some = running(); some.length > 0; some = running()) await Promise.allSettled(some.map((one) => one.finished));
}"""
"""Colours that are still on their way from the other scheme would be measured half way."""
SLOW_BYTES_PER_SECOND: Final = 400_000


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, bytes]]:
    folder = tmp_path_factory.mktemp("series")
    test_series(folder, PatientIdentity("Errata^Greta", BORN, "F", "ERR-1"))
    return files_of(folder)[:6]


@pytest.fixture
def database(system: System) -> Iterator[Database]:
    opened = Database.from_settings(system.settings)
    yield opened
    opened.close()


def draft(system: System, files: list[tuple[str, bytes]], *, number: str) -> Story:
    """A case of a patient of its own, ready to be submitted but for what ``files`` lacks."""
    story = Story(system)
    dentist = story.client("dentist")
    person = {
        "family_name": "Errata",
        "given_name": "Greta",
        "birth_date": BORN.isoformat(),
        "sex": "female",
        "patient_number": "ERR-1" if files else number,
        "email": f"{number.lower()}@example.test",
    }
    story.open_case(dentist, person, FORM)
    if files:
        story.upload(dentist, files)
    return story


@pytest.fixture(scope="module")
def released(system: System, series: list[tuple[str, bytes]]) -> Story:
    """A case whose report the patient can read."""
    story = draft(system, series, number="RELEASED")
    dentist = story.client("dentist")
    story.act(dentist, "submit")
    radiologist = story.give_to("radiologist")
    story.write_report(radiologist, "The ridge at 46 is wide enough.")
    story.act(radiologist, "sign", password=system.password, draft_hash=story.draft_hash)
    story.act(dentist, "release")
    return story


def mails_to(system: System, address: str) -> list[dict[str, Any]]:
    items = httpx.get(f"{system.url}/dev/mailbox.json", timeout=30).json()["items"]
    return [item for item in items if item["to"] == address]


def newest_link(system: System, address: str) -> str:
    mails = until(
        lambda: [mail for mail in mails_to(system, address) if mail["links"]], bool, f"no link was mailed to {address}"
    )
    return str(mails[0]["links"][0])


def open_link(patient: Visitor, link: str, address: str) -> None:
    page = patient.page
    patient.goto(link)
    for label, value in (("Day", BORN.day), ("Month", BORN.month), ("Year", BORN.year)):
        page.get_by_label(label).fill(str(value))
    patient.click("Continue")
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter your code")
    mails = until(
        lambda: [mail for mail in mails_to(patient.system, address) if not mail["links"]], bool, "no code was mailed"
    )
    code = re.search(r"\b\d{6}\b", mails[0]["text"])
    assert code
    page.get_by_label("Code").fill(code[0])
    patient.click("Open report")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your dental imaging report")


def test_a_file_that_is_no_image_is_named_with_the_way_out(visitors: Visitors, system: System, tmp_path: Path) -> None:
    story = draft(system, [], number="WRONG-FILE")
    dentist = visitors.person("dentist")
    dentist.goto(f"/cases/{story.case_id}")
    wrong = tmp_path / "scan.dcm"
    wrong.write_text("Dear colleague, please find the scan attached.\n" * 20)
    dentist.page.locator("input.upload-files").set_input_files(wrong)
    files = dentist.page.locator("#files")
    expect(files).to_contain_text("scan.dcm")
    expect(files).to_contain_text("This is no image or document that can be read here. Please upload DICOM files")
    actions = dentist.page.locator("#case-actions")
    expect(actions.get_by_role("button", name="Submit case")).to_be_disabled()
    expect(actions).to_contain_text("Still needed: at least one image.")


def test_a_wrong_password_says_what_to_do_and_keeps_the_address(visitors: Visitors) -> None:
    stranger = visitors.new()
    stranger.watch.expected.add(401)
    stranger.sign_in("dentist", password="not the password")
    expect(stranger.errors).to_contain_text(
        "This e-mail address and password do not belong together. Check both and try again."
    )
    expect(stranger.page.get_by_label("Email")).to_have_value("dentist@demo.test")
    stranger.sign_in("dentist")
    expect(stranger.page.get_by_role("heading", level=1)).to_have_text("Cases")


def test_a_double_click_is_one_step(visitors: Visitors, system: System, series: list[tuple[str, bytes]]) -> None:
    story = draft(system, series, number="TWICE")
    dentist = visitors.person("dentist")
    dentist.goto(f"/cases/{story.case_id}")
    submit = dentist.page.get_by_role("button", name="Submit case")
    expect(submit).to_be_enabled()
    submit.dblclick()
    expect(dentist.page.locator("#case-timeline")).to_contain_text("Submitted")
    expect(dentist.page.locator("#case-head")).to_contain_text("to accept the case")
    timeline = story.client("dentist").get(f"/api/v1/cases/{story.case_id}/timeline").json()["items"]
    assert [entry["action"] for entry in timeline].count("submit") == 1


def throttle(line: CDPSession, *, offline: bool, speed: int = -1) -> None:
    line.send(
        "Network.emulateNetworkConditions",
        {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": speed},
    )


def test_an_upload_waits_for_a_lost_line_and_finishes(visitors: Visitors, system: System, tmp_path: Path) -> None:
    story = draft(system, [], number="OFFLINE")
    dentist = visitors.person("dentist")
    dentist.watch.offline = True
    dentist.goto(f"/cases/{story.case_id}")
    page = dentist.page
    photograph = tmp_path / "large.png"
    noise = np.random.default_rng(1).integers(0, 256, (1000, 1200, 3), np.uint8)
    Image.fromarray(noise).save(photograph)
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    throttle(line, offline=False, speed=SLOW_BYTES_PER_SECOND)
    page.locator("input.upload-files").set_input_files(photograph)
    bar = page.locator(".upload-row [role=progressbar]")
    until(lambda: int(bar.get_attribute("aria-valuenow") or 0), lambda percent: percent > 0, "nothing was sent")
    throttle(line, offline=True)
    expect(page.locator(".upload-notice")).to_have_text(
        "You are offline. The upload goes on by itself when the connection is back; keep this page open."
    )
    expect(page.locator("[data-offline]")).to_be_visible()
    assert "stored" not in page.locator(".upload-row").inner_text()
    throttle(line, offline=False)
    expect(page.locator(".upload-row")).to_contain_text("1 file stored")
    expect(page.locator("li.study")).to_contain_text("Checked")
    expect(page.locator("[data-offline]")).to_be_hidden()


def test_what_was_written_stays_when_the_server_is_not_reached(visitors: Visitors, system: System) -> None:
    story = draft(system, [], number="AWAY")
    dentist = visitors.person("dentist")
    dentist.watch.offline = True
    dentist.goto(f"/cases/{story.case_id}")
    page = dentist.page
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    throttle(line, offline=True)
    written = page.get_by_label("Message", exact=True)
    written.fill("The lateral view follows tomorrow.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("[data-unsent]")).to_have_text(
        "The server cannot be reached. What you typed is still here; please send it again in a moment."
    )
    expect(written).to_have_value("The lateral view follows tomorrow.")
    throttle(line, offline=False)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("The lateral view follows tomorrow.")


def test_who_signed_out_in_another_tab_signs_in_and_is_back_where_they_were(visitors: Visitors, system: System) -> None:
    story = draft(system, [], number="TABS")
    dentist = visitors.person("dentist")
    dentist.watch.expected.add(401)
    dentist.goto(f"/cases/{story.case_id}")
    other = dentist.new_tab()
    other.goto(f"{system.url}/patients")
    other.locator("details[data-menu] summary").click()
    other.get_by_role("button", name="Sign out").click()
    expect(other.locator("main")).to_contain_text("You are signed out.")
    other.close()

    page = dentist.page
    page.get_by_label("Message", exact=True).fill("Is the file readable?")
    dentist.click("Send")
    expect(dentist.main).to_contain_text("Please sign in to go on. What you typed is kept.")
    dentist.sign_in("dentist")
    expect(dentist.main).to_contain_text("It was not sent, because your session had ended.")
    dentist.click("Send it now")
    expect(page).to_have_url(re.compile(rf"/cases/{story.case_id}(#chat)?$"))
    expect(page.locator("#messages")).to_contain_text("Is the file readable?")


def test_a_revoked_session_says_so_on_the_open_page(visitors: Visitors, system: System, database: Database) -> None:
    story = draft(system, [], number="REVOKED")
    staff = visitors.person("staff")
    staff.watch.expected.add(401)
    staff.goto(f"/cases/{story.case_id}")
    page = staff.page
    until(
        lambda: page.evaluate("document.documentElement.dataset.liveState"), lambda state: state == "live", "not live"
    )
    with database.write() as session:
        user_id = session.exec(select(User.id).where(User.email == "staff@demo.test")).one()
        session.exec(update(Session).where(col(Session.user_id) == user_id).values(revoked_at=now()))
    expect(page.locator("[data-live-status]").first).to_have_text(
        "Your session has ended. Sign in again to see what is new."
    )
    page.locator("input.upload-files").set_input_files(
        {"name": "face.png", "mimeType": "image/png", "buffer": _picture()}
    )
    expect(page.locator(".upload-notice")).to_contain_text(
        "Your session has ended. What was sent is kept; sign in, then choose Continue."
    )
    with page.expect_popup() as opening:
        page.get_by_role("link", name="Sign in in a new tab").click()
    tab = opening.value
    tab.get_by_label("Email").fill("staff@demo.test")
    tab.get_by_label("Password").fill(system.password)
    tab.get_by_role("button", name="Sign in", exact=True).click()
    expect(tab.locator("nav.side")).to_be_visible()
    tab.close()
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".upload-row")).to_contain_text("1 file stored")


def _picture() -> bytes:
    made = io.BytesIO()
    Image.linear_gradient("L").save(made, "PNG")
    return made.getvalue()


def test_a_link_that_is_over_says_whom_to_ask(
    visitors: Visitors, system: System, released: Story, database: Database
) -> None:
    link = newest_link(system, "released@example.test")
    patient = visitors.new(size=PHONE)
    patient.watch.expected |= {404, 410}
    open_link(patient, link, "released@example.test")

    def expires(moment: Any) -> None:
        with database.write() as session:
            found = col(ReleaseGrant.case_id) == released.case_id
            session.exec(update(ReleaseGrant).where(found).values(expires_at=moment))

    expires(now() - timedelta(hours=1))
    patient.page.reload()
    expect(patient.main).to_contain_text("This link has ended")
    expect(patient.main).to_contain_text("Ask Seefeld Dental Practice for a new one.")
    expect(patient.main.get_by_role("link", name="+41 44 555 01 14")).to_have_attribute("href", "tel:+41445550114")
    expires(now() + timedelta(days=1))

    dentist = visitors.person("dentist")
    dentist.goto(f"/cases/{released.case_id}")
    dentist.page.locator("summary", has_text="Revoke a link").click()
    dentist.click("Revoke a link")
    expect(dentist.page.locator(".toasts")).to_contain_text("The patient's link no longer opens.")
    patient.goto(link)
    expect(patient.main).to_contain_text("This link is not valid")
    expect(patient.main).to_contain_text("Open the newest mail of your practice, or ask them for a new link.")


PAGES: Final[dict[str, tuple[str, ...]]] = {
    "": ("/sign-in", "/dev/mailbox", "/r/nothing"),
    "dentist": (
        "/",
        "/?show=finished",
        "/patients",
        "/patients/{patient}",
        "/patients/{patient}/new-case",
        "/cases/{draft}",
        "/cases/{draft}/form",
        "/cases/{case}",
        "/cases/{case}/images",
        "/notices",
        "/account",
        "/practice/users",
        "/cases/nothing",
    ),
    "radiologist": ("/", "/?tab=pool", "/?tab=signed", "/cases/{case}", "/cases/{case}/read"),
    "scheduler": ("/board", "/cases/{case}"),
    "admin": ("/admin/users", "/admin/audit", "/admin/cases/{case}/trace"),
}


@pytest.mark.parametrize("account", PAGES)
def test_pages_keep_nobody_out(visitors: Visitors, system: System, released: Story, account: str) -> None:
    visitor = visitors.person(account) if account else visitors.new()
    visitor.watch.expected |= {404}
    unfinished = draft(system, [], number=f"AXE-{account}") if account == "dentist" else released
    places = {"case": released.case_id, "patient": released.patient_id, "draft": unfinished.case_id}
    found: list[str] = []
    links: set[str] = set()
    for path in PAGES[account]:
        visitor.goto(path.format_map(places))
        found += look_over(visitor.page)
        links |= set(visitor.page.locator("a[href^='/']").evaluate_all("links => links.map(link => link.href)"))
    assert not found, "\n".join(found)
    headers = {"Accept": "text/html"}
    answers = {link: visitor.context.request.get(link, headers=headers).status for link in sorted(links)}
    assert [link for link, status in answers.items() if status != 200] == [], "links that lead nowhere"


def test_the_patients_pages_keep_nobody_out(visitors: Visitors, system: System, released: Story) -> None:
    address = "released@example.test"
    released.act(released.client("dentist"), "release")
    link = newest_link(system, address)
    patient = visitors.new(size=PHONE)
    patient.goto(link)
    found = look_over(patient.page)
    open_link(patient, link, address)
    found += look_over(patient.page)
    patient.page.locator(".gallery-item").first.click()
    expect(patient.page.locator("[data-pane=pane-0] .iv-message")).to_be_hidden()
    found += look_over(patient.page)
    assert not found, "\n".join(found)


def look_over(page: Page) -> list[str]:
    """What axe finds on a page: in light everything, in dark what can differ there."""
    found = []
    for scheme, rules in (("light", LEVELS), ("dark", CONTRAST)):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        page.evaluate(SETTLED)
        result = Axe().run(page, options={"runOnly": rules, "resultTypes": ["violations"]})
        for rule in result.response["violations"]:
            nodes = [f"{node['target']} {node['failureSummary']}" for node in rule["nodes"][:3]]
            found.append(f"{page.url} ({scheme}) {rule['id']}: {rule['help']}\n  " + "\n  ".join(nodes))
    return found
