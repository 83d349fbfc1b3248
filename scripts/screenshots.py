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

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
DESK: ViewportSize = {"width": 1440, "height": 900}
TABLET: ViewportSize = {"width": 834, "height": 1112}
PHONE: ViewportSize = {"width": 390, "height": 844}
PASSWORD = "demo-demo-demo"  # noqa: S105 - the demo's public password
_ARGUMENTS = [
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--no-first-run",
    "--disable-background-networking",
]
_COLOURS = 200
_SETTLE_MS = 700
_IMAGES_MS = 6000


@dataclass(frozen=True)
class Shot:
    """``path`` may name a case by its state: ``/cases/{signed}``."""

    name: str
    path: str
    settle_ms: int = _SETTLE_MS


SHOTS: dict[str, tuple[Shot, ...]] = {
    "dentist": (
        Shot("worklist", "/"),
        Shot("patients", "/patients"),
        Shot("patient", "/patients/{patient}"),
        Shot("new-case", "/patients/{patient}/new-case"),
        Shot("case-draft", "/cases/{draft}"),
        Shot("case-question", "/cases/{modification_requested}"),
        Shot("case-identity", "/cases/{attention}"),
        Shot("case-released", "/cases/{released}"),
    ),
    "radiologist": (
        Shot("reading-list", "/"),
        Shot("reading", "/cases/{in_review}/read", _IMAGES_MS),
    ),
    "scheduler": (Shot("board", "/board"),),
    "admin": (
        Shot("users", "/admin/users"),
        Shot("audit", "/admin/audit"),
        Shot("trace", "/admin/cases/{released}/trace"),
    ),
}
DARK = {"worklist", "case-question", "board", "reading-list"}
SMALL = {"worklist": PHONE, "case-question": TABLET, "case-released": PHONE, "new-case": TABLET}


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
        self._take(context, Shot("sign-in", "/sign-in"), "sign-in")
        self._take(context, Shot("mailbox", "/dev/mailbox"), "mailbox")

    def of_patient(self) -> None:
        """The portal on a phone: its question, and the report behind the code that the practice reads out."""
        link, code, born = self._handed_over()
        page = self._browser.new_context(viewport=PHONE, color_scheme="light").new_page()
        page.goto(link)
        self._save(page, "portal-date")
        for part, value in zip(("day", "month", "year"), reversed(born.split("-")), strict=True):
            page.fill(f"input[name=birth_date-{part}]", value)
        page.click("main form button[type=submit]")
        self._save(page, "portal-code")
        page.fill("input[name=code]", code)
        page.click("main form button[type=submit]")
        page.wait_for_timeout(_SETTLE_MS)
        self._save(page, "portal-report")

    def _handed_over(self) -> tuple[str, str, str]:
        """Link, code and date of birth of the first released case."""
        api = self._browser.new_context(base_url=self._base).request
        token = api.post("/api/v1/auth/token", data={"email": "dentist@demo.test", "password": PASSWORD}).json()[
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
        page.fill("input[name=password]", PASSWORD)
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
        page.goto(self._base + shot.path.format_map(self._places))
        page.wait_for_timeout(shot.settle_ms)
        self._save(page, name)
        page.close()

    def _save(self, page: Page, name: str) -> None:
        picture = Image.open(io.BytesIO(page.screenshot()))
        picture.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)
        sys.stdout.write(f"{name}\n")


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


if __name__ == "__main__":
    main()
