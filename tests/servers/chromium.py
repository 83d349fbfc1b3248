"""The system's Chromium, for Playwright's ``executable_path``."""

import os
from dataclasses import dataclass

import pytest

from tests.servers.tools import program

# SwiftShader renders WebGL without a graphics card; the rest keeps the browser from calling out.
ARGUMENTS = (
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


@dataclass(frozen=True)
class Chromium:
    """``playwright.chromium.launch(executable_path=c.executable_path, args=c.args)``."""

    executable_path: str
    args: tuple[str, ...]


@pytest.fixture(scope="session")
def chromium() -> Chromium:
    path = program("chromium", "chromium-browser", "google-chrome", remedy="apt-get install chromium")
    # Chromium's sandbox refuses to run as root.
    return Chromium(path, (*ARGUMENTS, "--no-sandbox") if os.geteuid() == 0 else ARGUMENTS)
