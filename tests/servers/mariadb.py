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

from tests.servers.tools import end, program
from worker.up.engine import free_port
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


def install(folder: Path) -> None:
    """Makes an empty data folder, for :func:`server_command`. ``root`` may connect without a password."""
    installer = program("mariadb-install-db", remedy=REMEDY)
    program("my_print_defaults", remedy=REMEDY)
    command = [installer, "--no-defaults", f"--datadir={folder / 'data'}", "--auth-root-authentication-method=normal"]
    subprocess.run([*command, "--skip-test-db", *_account()], check=True, capture_output=True, stdin=subprocess.DEVNULL)


def server_command(folder: Path, port: int, *, durable: bool) -> list[str]:
    """The server on an installed folder. ``durable``: an acknowledged commit survives a kill."""
    command = [
        program("mariadbd", remedy=REMEDY),
        "--no-defaults",
        f"--datadir={folder / 'data'}",
        f"--socket={folder / 's'}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--pid-file={folder / 'pid'}",
        f"--innodb-flush-log-at-trx-commit={int(durable)}",
        "--skip-name-resolve",
    ]
    return [*command, *_account()]


def _account() -> list[str]:
    # mariadbd refuses to run as root unless it is told to.
    return ["--user=root"] if os.geteuid() == 0 else []


@pytest.fixture(scope="session")
def mariadb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    """The session's MariaDB. Durability is off: tests that kill the server start one of their own."""
    folder = tmp_path_factory.mktemp("mariadb")
    install(folder)
    server = MariaDB(free_port())
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            server_command(folder, server.port, durable=False),
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
