"""Running the command line in this process, on an installation of the test's own."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.database import Database
from infra.key_file import create_key_file
from infra.settings import get_settings
from tests.infra.databases import database, mariadb_engine, sqlite_database, sqlite_engine
from worker.cli import execute

__all__ = ["Site", "database", "mariadb_engine", "site", "site_of", "sqlite_database", "sqlite_engine", "sqlite_site"]

RELAY_AWAY = "smtp://127.0.0.1:9"
"""Nobody listens on the discard port."""


@dataclass
class Site:
    """A migrated production installation with its key, and nobody in it. ``env`` is read anew by every command."""

    database: Database
    home: Path
    capture: pytest.CaptureFixture[str]
    env: dict[str, str] = field(default_factory=dict)

    @property
    def key_file(self) -> Path:
        return self.home / "master.key"

    def run(self, *argv: str) -> tuple[int, str, str]:
        """Exit code, output, errors."""
        self.capture.readouterr()
        get_settings.cache_clear()
        before = dict(os.environ)
        os.environ.update(self.env)
        try:
            code = execute(argv)
        except SystemExit as stop:
            assert isinstance(stop.code, int)
            code = stop.code
        finally:
            for name in self.env:
                os.environ.pop(name, None)
            os.environ.update(before)
            get_settings.cache_clear()
        said = self.capture.readouterr()
        return code, said.out, said.err


def site_of(database: Database, home: Path, capture: pytest.CaptureFixture[str]) -> Site:
    made = Site(database, home, capture)
    create_key_file(made.key_file)
    made.env = {
        "ODONTOFLOW_MODE": "production",
        "ODONTOFLOW_HOME": str(home),
        "ODONTOFLOW_MASTER_KEY_FILE": str(made.key_file),
        "ODONTOFLOW_DATABASE_URL": database.engine.url.render_as_string(hide_password=False),
        "ODONTOFLOW_PUBLIC_URL": "https://reports.example",
        "ODONTOFLOW_SMTP_URL": RELAY_AWAY,
        "ODONTOFLOW_ARGON2_MEMORY_KIB": "8",
        "ODONTOFLOW_ARGON2_TIME_COST": "1",
    }
    assert made.run("migrate") == (0, "", "")
    return made


@pytest.fixture
def site(database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Site:
    """On SQLite and on MariaDB."""
    return site_of(database, tmp_path, capsys)


@pytest.fixture
def sqlite_site(sqlite_database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Site:
    """For what does not depend on the kind of database."""
    return site_of(sqlite_database, tmp_path, capsys)
