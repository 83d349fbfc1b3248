"""MariaDB as a plain process on a temporary folder, one a session; each test gets a database of its own."""

import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest

from tests.servers.tools import end, free_port, program
from worker.up.lifeline import die_with_parent

REMEDY = "apt-get install mariadb-server-core mariadb-client-core"
START_SECONDS = 30.0


@dataclass(frozen=True)
class MariaDB:
    """A running server. ``port`` is on 127.0.0.1; the account is ``root`` without a password."""

    port: int

    def connect(self) -> "pymysql.connections.Connection[pymysql.cursors.Cursor]":
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", autocommit=True)

    def run(self, statement: str) -> None:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement)

    @contextmanager
    def database(self) -> Iterator[str]:
        """A new, empty utf8mb4 database; yields its SQLAlchemy URL, and drops it afterwards."""
        name = f"test_{secrets.token_hex(6)}"
        self.run(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        try:
            yield f"mysql+pymysql://root@127.0.0.1:{self.port}/{name}?charset=utf8mb4"
        finally:
            self.run(f"DROP DATABASE {name}")


def wait_until_it_answers(server: MariaDB, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Returns once a query is answered; an open port alone is not readiness."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.run("SELECT 1")
        except pymysql.err.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"MariaDB did not start:\n{log.read_text()[-2000:]}", pytrace=False)
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="session")
def mariadb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    """The session's MariaDB. Durability is off: tests that kill the server say so themselves."""
    installer = program("mariadb-install-db", remedy=REMEDY)
    program("my_print_defaults", remedy=REMEDY)
    server_program = program("mariadbd", remedy=REMEDY)
    folder = tmp_path_factory.mktemp("mariadb")
    data, log = folder / "data", folder / "log"
    # mariadbd refuses to run as root unless it is told to.
    account = ["--user=root"] if os.geteuid() == 0 else []
    install = [installer, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"]
    subprocess.run([*install, "--skip-test-db", *account], check=True, capture_output=True, stdin=subprocess.DEVNULL)
    server = MariaDB(free_port())
    command = [
        server_program,
        "--no-defaults",
        f"--datadir={data}",
        f"--socket={folder / 's'}",
        f"--port={server.port}",
    ]
    command += ["--bind-address=127.0.0.1", f"--pid-file={folder / 'pid'}", "--innodb-flush-log-at-trx-commit=0"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--skip-name-resolve", *account],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - it makes two system calls and nothing else
        )
    try:
        wait_until_it_answers(server, process, log)
        yield server
    finally:
        end(process)


@pytest.fixture
def mariadb_url(mariadb_server: MariaDB) -> Iterator[str]:
    """SQLAlchemy URL of a database that belongs to this test alone."""
    with mariadb_server.database() as url:
        yield url
