"""People in a real browser: what they see, click and type, and what their browser complains of."""

import base64
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Response,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.e2e.system import System
from tests.servers.chromium import Chromium

DESK: Final[ViewportSize] = {"width": 1440, "height": 900}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
PATIENCE: Final = 30_000
"""ms until something that a person waits for counts as missing: far more than a busy machine needs."""
T = TypeVar("T")
_STATUS: Final = re.compile(r"Failed to load resource: the server responded with a status of (\d{3})")


@dataclass
class Watch:
    """What a browser complains of. ``expected`` are statuses that the test provokes."""

    expected: set[int] = field(default_factory=set)
    offline: bool = False
    found: list[str] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.found.append(f"{page.url}: {error}"))
        page.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        told = f"{message.page.url if message.page else ''} ({message.location.get('url', '')}): {message.text}"
        if "Content Security Policy" in message.text or (
            message.type == "error" and not self._is_expected(message.text)
        ):
            self.found.append(told)

    def _on_response(self, response: Response) -> None:
        if response.status >= 500 and response.status not in self.expected:
            self.found.append(f"{response.status} {response.request.method} {response.url}")

    def _is_expected(self, text: str) -> bool:
        status = _STATUS.match(text)
        if status is not None:
            return int(status[1]) in self.expected
        return self.offline and "net::ERR_" in text


@dataclass
class Visitor:
    """A person at a browser of their own."""

    system: System
    context: BrowserContext
    page: Page
    watch: Watch

    def goto(self, path: str) -> None:
        self.page.goto(f"{self.system.url}{path}" if path.startswith("/") else path)

    def sign_in(self, account: str, password: str = "") -> None:
        if not self.page.get_by_label("Password").is_visible():
            self.goto("/sign-in")
        self.page.get_by_label("Email").fill(f"{account}@demo.test")
        self.page.get_by_label("Password").fill(password or self.system.password)
        self.page.get_by_role("button", name="Sign in", exact=True).click()

    def new_tab(self) -> Page:
        page = self.context.new_page()
        self.watch.attach(page)
        return page

    def click(self, name: str, *, exact: bool = True) -> None:
        self.page.get_by_role("button", name=name, exact=exact).click()

    def follow(self, name: str, *, exact: bool = True) -> None:
        self.page.get_by_role("link", name=name, exact=exact).first.click()

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    @property
    def errors(self) -> Locator:
        return self.page.locator(".error-summary")


@dataclass
class Visitors:
    """Opens browsers for people, and remembers all of them."""

    browser: Browser
    system: System
    open: list[Visitor] = field(default_factory=list)

    def new(self, *, size: ViewportSize = DESK, scheme: str = "light") -> Visitor:
        context = self.browser.new_context(
            viewport=size,
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
            timezone_id="Europe/Zurich",
            accept_downloads=True,
        )
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        visitor = Visitor(self.system, context, page, Watch())
        visitor.watch.attach(page)
        self.open.append(visitor)
        return visitor

    def person(self, account: str, *, size: ViewportSize = DESK, scheme: str = "light") -> Visitor:
        visitor = self.new(size=size, scheme=scheme)
        visitor.sign_in(account)
        expect(visitor.page.locator("nav.side")).to_be_visible()
        return visitor


@pytest.fixture(scope="module")
def browser(system: System, chromium: Chromium) -> Iterator[Browser]:
    """Closed before the servers are: the driver holds this thread's event loop while it runs."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium.executable_path, args=list(chromium.args))
        yield launched
        launched.close()
    expect.set_options(timeout=5_000)


@pytest.fixture
def visitors(browser: Browser, system: System, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Visitors]:
    """Everybody's browser. A failed test leaves a picture of every page; a complaint of a browser fails the test."""
    failed_before = request.session.testsfailed
    people = Visitors(browser, system)
    yield people
    failed = request.session.testsfailed > failed_before
    complaints = [complaint for visitor in people.open for complaint in visitor.watch.found]
    if failed or complaints:
        _take_pictures(people, tmp_path)
    for visitor in people.open:
        visitor.context.close()
    assert not complaints, "\n".join(complaints)


def _take_pictures(people: Visitors, folder: Path) -> None:
    pages = [page for visitor in people.open for page in visitor.context.pages]
    for number, page in enumerate(pages, 1):
        page.screenshot(path=folder / f"page-{number}.png", full_page=True)
        (folder / f"page-{number}.html").write_text(f"<!-- {page.url} -->\n{page.content()}")


def until(look: Callable[[], T], holds: Callable[[T], bool], why: str, seconds: float = PATIENCE / 1000) -> T:
    """Looks again and again: the pages' policy forbids what ``wait_for_function`` does with a string."""
    deadline = time.monotonic() + seconds
    while not holds(seen := look()):
        assert time.monotonic() < deadline, f"{why}: still {str(seen)[:300]}"
        time.sleep(0.05)
    return seen


def pixels(page: Page) -> NDArray[np.uint8]:
    """What is drawn in the viewer's first pane, as grey values."""
    canvas = page.locator("[data-pane=pane-0] canvas").first
    url: Any = canvas.evaluate("canvas => canvas.toDataURL('image/png')")
    return np.asarray(Image.open(BytesIO(base64.b64decode(str(url).split(",")[1]))).convert("L"))


def drop(page: Page, path: Path) -> None:
    """Drags a file or a folder over the page and lets it go, as the browser does it for a mouse."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 600, "y": 500, "data": data})
    session.detach()


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drags in the viewer's first pane; positions are shares of its width and height."""
    box = page.locator("[data-pane=pane-0]").bounding_box()
    assert box is not None
    (from_x, from_y), (to_x, to_y) = [
        (box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (start, end)
    ]
    page.mouse.move(from_x, from_y)
    page.mouse.down()
    page.mouse.move((from_x + to_x) / 2, (from_y + to_y) / 2, steps=3)
    page.mouse.move(to_x, to_y, steps=3)
    page.mouse.up()
