"""Fixtures for every test. The servers start on first use and once a session."""

import os

import pytest

from tests.servers.chromium import chromium
from tests.servers.mariadb import mariadb_server, mariadb_url
from tests.servers.temporal import temporal_dev, temporal_program, temporal_time_skipping
from tests.servers.tools import SEARCH_PATH

__all__ = [
    "chromium",
    "mariadb_server",
    "mariadb_url",
    "temporal_dev",
    "temporal_program",
    "temporal_time_skipping",
]


def pytest_configure(config: pytest.Config) -> None:
    """The settings of the person who runs the tests are not the tests'; the environment's own programs come first."""
    os.environ["PATH"] = SEARCH_PATH
    for name in [name for name in os.environ if name.startswith("ODONTOFLOW_")]:
        del os.environ[name]
