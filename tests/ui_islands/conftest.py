"""One browser for the islands' tests, a double of the server for each, and the build if it is not there yet."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.ui_islands.double import STATIC, Double, serving

ISLANDS: Final = Path(__file__).parents[2] / "ui" / "islands"
# The first image of a fresh browser takes seconds where its processor is shared.
expect.set_options(timeout=20_000)

_SWITCHES: Final = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def npm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs npm of this environment in the islands' folder; its output belongs to the failure."""
    command = Path(sys.executable).with_name("npm")
    return subprocess.run(
        [str(command), *arguments], cwd=ISLANDS, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture(scope="session")
def packages() -> None:
    """The npm packages, installed as the lock file says where they are not there yet."""
    if not (ISLANDS / "node_modules" / ".package-lock.json").exists():
        done = npm("ci", "--ignore-scripts")
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def bundle(packages: None) -> None:
    """The built islands, no older than their sources."""
    entry = STATIC / "build" / "viewer.js"
    sources = [path for path in (ISLANDS / "src").rglob("*") if path.is_file() and ".test." not in path.name]
    sources += [ISLANDS / "vite.config.ts", ISLANDS / "package-lock.json", STATIC / "js" / "words.js"]
    if not entry.exists() or entry.stat().st_mtime < max(path.stat().st_mtime for path in sources):
        done = npm("run", "build")
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def browser(bundle: None) -> Iterator[Browser]:
    """Headless Chromium of the system, drawing WebGL in software."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "The browser tests need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=_SWITCHES)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def server(bundle: None) -> Iterator[tuple[Double, str]]:
    """The double and its origin, one for a module: the browser keeps what it compiled of the bundle."""
    double = Double()
    with serving(double) as origin:
        yield double, origin


@pytest.fixture
def double(server: tuple[Double, str]) -> Double:
    """What the server was sent, and the switches of the test; blank at the start of each."""
    server[0].reset()
    return server[0]


@pytest.fixture
def origin(server: tuple[Double, str], double: Double) -> str:
    """Where the double listens."""
    return server[1]


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One profile for a module."""
    made = browser.new_context(viewport={"width": 1280, "height": 800})
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page in which neither a script fails nor the Content-Security-Policy stops anything."""
    opened = context.new_page()
    wrong: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            wrong.append(message.text)

    opened.on("console", note)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.set_default_timeout(15_000)
    yield opened
    context.set_offline(False)
    if opened.is_closed():
        return
    if opened.url.startswith("http"):
        opened.evaluate("localStorage.clear()")
    opened.close()
    assert wrong == []
