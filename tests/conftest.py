"""Fixtures for every test. The servers and the children that read files start on first use and once a session."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from activities.imaging.parser.pool import ParserPool
from tests.servers.chromium import chromium
from tests.servers.mariadb import mariadb_server, mariadb_url
from tests.servers.seaweedfs import seaweedfs
from tests.servers.temporal import temporal_dev, temporal_program, temporal_time_skipping
from tests.servers.tools import SEARCH_PATH

__all__ = [
    "chromium",
    "mariadb_server",
    "mariadb_url",
    "seaweedfs",
    "temporal_dev",
    "temporal_program",
    "temporal_time_skipping",
]


settings.register_profile("thorough", max_examples=1000)


@pytest.fixture(scope="session")
def pool() -> Iterator[ParserPool]:
    """One reader of files, for tests that need no bounds of their own. It is replaced when a file kills it."""
    with ParserPool(1) as pool:
        yield pool


def pytest_configure(config: pytest.Config) -> None:
    """The settings of the person who runs the tests are not the tests'; the environment's own programs come first."""
    os.environ["PATH"] = SEARCH_PATH
    for name in [name for name in os.environ if name.startswith("ODONTOFLOW_")]:
        del os.environ[name]


class FailuresAtOnce:
    """Tells each failure when it happens: a run that is cut short has still said what went wrong."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._terminal.ensure_newline()
            self._terminal.write_line(f"FAILED {report.nodeid} ({report.when})")
            self._terminal.write_line(report.longreprtext)


def pytest_sessionstart(session: pytest.Session) -> None:
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and not hasattr(session.config, "workerinput"):
        session.config.pluginmanager.register(FailuresAtOnce(terminal))
