"""Takes the pictures of docs/screenshots from a running system with the demo's data: ``make screenshots``.

Every page at a desk, in the light; the pages where it matters also in the dark, on a tablet and on a phone.
"""

import argparse
import io
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from infra.demo_accounts import DEMO_PASSWORD

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
PAGE = FOLDER.with_suffix(".md")
DESK: ViewportSize = {"width": 1440, "height": 900}
TABLET: ViewportSize = {"width": 834, "height": 1112}
PHONE: ViewportSize = {"width": 390, "height": 844}
_ARGUMENTS = [
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--no-first-run",
    "--disable-background-networking",
]
_COLOURS = 200
_SETTLE_MS = 700
_IMAGES_MS = 6000
_OHIF_MS = 25_000


@dataclass(frozen=True)
class Shot:
    """``path`` may name a case by its state: ``/cases/{signed}``."""

    name: str
    path: str
    caption: str
    settle_ms: int = _SETTLE_MS
    status: int = 200


SHOTS: dict[str, tuple[Shot, ...]] = {
    "dentist": (
        Shot("worklist", "/", "The practice's cases, those that wait for you first"),
        Shot("patients", "/patients", "Patients"),
        Shot("patient", "/patients/{patient}", "A patient's record"),
        Shot("new-case", "/patients/{patient}/new-case", "A new case: the clinical form"),
        Shot("case-draft", "/cases/{draft}", "A draft with its files"),
        Shot("case-arranged", "/styleguide/pages/case-arranged", "Images and documents in the practice's own order"),
        Shot("arrange", "/styleguide/pages/arrange", "Name, teeth and heading of one study"),
        Shot("series", "/styleguide/pages/series", "Images are moved to the series in which they are read"),
        Shot("case-form", "/cases/{draft}/form", "The clinical form is edited"),
        Shot("case-question", "/cases/{modification_requested}", "The reader asked: the clock stands"),
        Shot("case-identity", "/cases/{attention}", "Images that may be another patient's"),
        Shot("case-signed", "/cases/{signed}", "Signed, and not yet released"),
        Shot("case-released", "/cases/{released}", "Released to the patient"),
        Shot("images", "/cases/{released}/images", "The images alone", _IMAGES_MS),
        Shot("links", "/cases/{released}/links", "The patient's links"),
        Shot("notices", "/notices", "Notices"),
        Shot("practice-users", "/practice/users", "The practice's people"),
        Shot("account", "/account", "One's own account"),
        Shot("not-there", "/cases/unknown", "An address that leads nowhere", status=404),
    ),
    "radiologist": (
        Shot("reading-list", "/", "The reading list"),
        Shot("reading", "/cases/{in_review}/read", "Reading: images and report side by side", _IMAGES_MS),
        Shot("advanced", "/cases/{in_review}/advanced", "The advanced viewer: OHIF over this case alone", _OHIF_MS),
    ),
    "radiologist2": (
        Shot("approval", "/cases/{awaiting_approval}/read", "A report waits for the second signature", _IMAGES_MS),
        Shot("case-rejected", "/cases/{rejected}", "Rejected, with the reason"),
    ),
    "scheduler": (
        Shot("board", "/board", "The board, by the time that is left"),
        Shot("case-unassigned", "/cases/{unassigned}", "A case is assigned"),
    ),
    "admin": (
        Shot("users", "/admin/users", "Users of the platform"),
        Shot("user", "/styleguide/pages/user", "One user: roles and registrations"),
        Shot("audit", "/admin/audit", "The audit trail"),
        Shot("trace", "/admin/cases/{released}/trace", "A case's trace"),
    ),
}
VISITOR = (
    Shot("sign-in", "/sign-in", "Signing in"),
    Shot("mailbox", "/dev/mailbox", "The mails of the embedded mode"),
    Shot("welcome", "/styleguide/pages/welcome", "An invitation is accepted"),
    Shot("resume", "/styleguide/pages/resume", "What was typed when the session ended is kept"),
    Shot("portal-expired", "/styleguide/pages/portal-expired", "A patient's link that has ended"),
    Shot("portal-locked", "/styleguide/pages/portal-locked", "A patient's link that is locked"),
    Shot("refused", "/styleguide/pages/error-403", "A page that is somebody else's"),
    Shot("engine-away", "/styleguide/pages/error-503", "The case engine cannot be reached"),
)
PORTAL = {
    "portal-date": "The patient's link: first the date of birth",
    "portal-code": "then the code of six digits",
    "portal-report": "then the report and its images",
}
WHO = {
    "dentist": "Dentists and their staff",
    "radiologist": "Radiologists",
    "radiologist2": "Approvers",
    "scheduler": "Schedulers",
    "admin": "Administrators",
}
DARK = {"worklist", "case-question", "board", "reading-list"}
SMALL = {
    "worklist": PHONE,
    "case-question": TABLET,
    "case-released": PHONE,
    "new-case": TABLET,
    "reading": TABLET,
    "board": TABLET,
}


class Album:
    """Pictures of one system."""

    def __init__(self, browser: Browser, base: str) -> None:
        self._browser = browser
        self._base = base
        self._places: dict[str, str] = {}

    def of(self, account: str) -> None:
        context = self._signed_in(account, DESK, "light")
        self._find_places(context)
        for shot in SHOTS[account]:
            self._take(context, shot, shot.name)
        for shot in SHOTS[account]:
            if shot.name in DARK:
                self._take(self._signed_in(account, DESK, "dark"), shot, f"{shot.name}-dark")
            if shot.name in SMALL:
                size = SMALL[shot.name]
                suffix = "phone" if size is PHONE else "tablet"
                self._take(self._signed_in(account, size, "light"), shot, f"{shot.name}-{suffix}")

    def of_visitor(self) -> None:
        context = self._browser.new_context(viewport=DESK, color_scheme="light")
        for shot in VISITOR:
            self._take(context, shot, shot.name)

    def of_patient(self) -> None:
        """The portal on a phone: its question, and the report behind the code that the practice reads out."""
        link, code, born = self._handed_over()
        page = self._browser.new_context(viewport=PHONE, color_scheme="light").new_page()
        page.goto(link)
        self._save(page, "portal-date")
        for part, value in zip(("day", "month", "year"), reversed(born.split("-")), strict=True):
            page.fill(f"input[name=birth_date-{part}]", value)
        page.click("main form button.button--primary")
        self._save(page, "portal-code")
        page.fill("input[name=code]", code)
        page.click("main form button.button--primary")
        page.wait_for_timeout(_SETTLE_MS)
        self._save(page, "portal-report")

    def _handed_over(self) -> tuple[str, str, str]:
        """Link, code and date of birth of the first released case."""
        api = self._browser.new_context(base_url=self._base).request
        token = api.post("/api/v1/auth/token", data={"email": "dentist@demo.test", "password": DEMO_PASSWORD}).json()[
            "token"
        ]
        headers = {"Authorization": f"Bearer {token}"}
        case_id = api.get("/api/v1/cases?state=released", headers=headers).json()["items"][-1]["id"]
        case = f"/api/v1/cases/{case_id}"
        born = api.get(case, headers=headers).json()["patient"]["demographics"]["birth_date"]
        grants = api.get(f"{case}/grants", headers=headers).json()["items"]
        code = api.post(f"{case}/grants/{grants[0]['id']}/code", headers=headers).json()
        return code["link"], code["code"], born

    def _signed_in(self, account: str, size: ViewportSize, scheme: str) -> BrowserContext:
        context = self._browser.new_context(
            viewport=size, color_scheme="dark" if scheme == "dark" else "light", timezone_id="Europe/Zurich"
        )
        page = context.new_page()
        page.goto(f"{self._base}/sign-in")
        page.fill("input[name=email]", f"{account}@demo.test")
        page.fill("input[name=password]", DEMO_PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/sign-in" not in url)
        page.close()
        return context

    def _find_places(self, context: BrowserContext) -> None:
        """Ids of one case a state and of one patient, as this person sees them."""
        cases = context.request.get(f"{self._base}/api/v1/cases?limit=200").json()["items"]
        for case in cases:
            self._places[case["state"]] = case["id"]
        patients = context.request.get(f"{self._base}/api/v1/patients")
        if patients.ok:
            self._places["patient"] = patients.json()["items"][-1]["id"]

    def _take(self, context: BrowserContext, shot: Shot, name: str) -> None:
        page = context.new_page()
        answer = page.goto(self._base + shot.path.format_map(self._places))
        if answer is None or answer.status != shot.status:
            raise SystemExit(f"{name}: {shot.path} was answered with {answer and answer.status}, not {shot.status}")
        page.wait_for_timeout(shot.settle_ms)
        self._save(page, name)
        page.close()

    def _save(self, page: Page, name: str) -> None:
        picture = Image.open(io.BytesIO(page.screenshot()))
        picture.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)
        sys.stdout.write(f"{name}\n")


def page_of_pictures() -> str:
    """docs/screenshots.md: every picture with its words."""
    lines = ["# Pictures", "", "Taken with `make screenshots` from the demo's data."]

    def add(name: str, caption: str) -> None:
        lines.extend(["", f"**{caption}**", "", f"![{caption}](screenshots/{name}.png)"])

    for account, shots in SHOTS.items():
        lines.extend(["", f"## {WHO[account]}"])
        for shot in shots:
            add(shot.name, shot.caption)
            if shot.name in DARK:
                add(f"{shot.name}-dark", f"{shot.caption}, dark")
            if shot.name in SMALL:
                suffix = "phone" if SMALL[shot.name] is PHONE else "tablet"
                add(f"{shot.name}-{suffix}", f"{shot.caption}, on a {suffix}")
    lines.extend(["", "## Patients"])
    for name, caption in PORTAL.items():
        add(name, caption)
    lines.extend(["", "## Before one is signed in"])
    for shot in VISITOR:
        add(shot.name, shot.caption)
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default=f"http://127.0.0.1:{os.environ.get('ODONTOFLOW_PORT', '8000')}")
    base = parser.parse_args().base
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or "/usr/bin/chromium",
            args=[*_ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])],
        )
        album = Album(browser, base)
        for account in SHOTS:
            album.of(account)
        album.of_visitor()
        album.of_patient()
        browser.close()
    PAGE.write_text(page_of_pictures())


if __name__ == "__main__":
    main()
