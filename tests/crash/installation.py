"""A whole installation of real processes, each of which can be killed with -9 and started again on what it left."""

import asyncio
import random
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import httpx
from sqlmodel import select

from infra.database import Database
from infra.key_file import load_master_keys
from infra.keystore import KeyStore
from infra.migrate import upgrade
from infra.passwords import Passwords
from infra.settings import Settings
from schemas.tables.people import Plan
from tests.crash.processes import Temporal, kill_process, start_process
from tests.e2e.system import ROOT
from tests.servers.mariadb import MariaDB, install, server_command, wait_until_it_answers
from worker.demo.people import add_people

READY_S: Final = 120.0
WORKER, API, TEMPORAL, DATABASE = "worker", "api", "Temporal", "database"


class Part(Protocol):
    """One process of the installation."""

    process: "subprocess.Popen[bytes] | None"

    async def start(self) -> None:
        """Starts it on what it left. Servers return when they answer; the product's own processes at once."""

    def kill(self) -> None:
        """As ``kill -9``."""


@dataclass
class DatabaseServer:
    """MariaDB on a folder of its own, with the durable settings of an installation."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    async def start(self) -> None:
        log = self.folder / "log"
        self.process = start_process(server_command(self.folder, self.port, durable=True), log)
        await asyncio.to_thread(wait_until_it_answers, MariaDB(self.port), self.process, log)

    def kill(self) -> None:
        kill_process(self.process)


@dataclass
class Command:
    """``python -m worker NAME``: one of the product's own processes."""

    name: str
    home: Path
    environment: Mapping[str, str]
    process: "subprocess.Popen[bytes] | None" = None

    async def start(self) -> None:
        self.process = start_process(
            [sys.executable, "-P", "-m", "worker", self.name],
            self.home / f"{self.name}.log",
            {**self.environment, "PYTHONPATH": str(ROOT)},
            ROOT,
        )

    def kill(self) -> None:
        kill_process(self.process)


@dataclass
class Installation:
    settings: Settings
    temporal: Temporal
    parts: Mapping[str, Part]
    logs: Mapping[str, Path] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.settings.base_url

    def told(self) -> str:
        """The ends of the logs, for somebody who wonders what happened."""
        return "\n".join(
            f"--- {name}\n{log.read_text(errors='replace')[-3000:]}" for name, log in self.logs.items() if log.exists()
        )


def steady_port() -> int:
    """A free port outside of the range that outgoing connections are given: a killed server finds its port again."""
    for _ in range(200):
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("no port is free")


@asynccontextmanager
async def installation(home: Path, temporal_program: str) -> AsyncIterator[Installation]:
    """Everything running and ready, with the demo's people and a plan without an end."""
    server = DatabaseServer(home / "mariadb", steady_port())
    temporal = Temporal(temporal_program, home / "temporal", steady_port())
    port, url = steady_port(), f"mysql+pymysql://root@127.0.0.1:{server.port}/odontoflow?charset=utf8mb4"
    environment = {
        "ODONTOFLOW_HOME": str(home / "product"),
        "ODONTOFLOW_PORT": str(port),
        "ODONTOFLOW_DATABASE_URL": url,
        "ODONTOFLOW_TEMPORAL_ADDRESS": temporal.target,
        "ODONTOFLOW_ARGON2_MEMORY_KIB": "8",
        "ODONTOFLOW_ARGON2_TIME_COST": "1",
    }
    settings = Settings(
        home=home / "product",
        port=port,
        database_url=url,
        temporal_address=temporal.target,
        argon2_memory_kib=8,
        argon2_time_cost=1,
    )
    for folder in (server.folder, temporal.folder, settings.home):
        folder.mkdir(parents=True)
    worker, api = (Command(name, settings.home, environment) for name in ("worker", "api"))
    parts: dict[str, Part] = {WORKER: worker, API: api, TEMPORAL: temporal, DATABASE: server}
    logs = {name: settings.home / f"{name}.log" for name in (WORKER, API)}
    running = Installation(settings, temporal, parts, logs)
    try:
        install(server.folder)
        await server.start()
        MariaDB(server.port).run("CREATE DATABASE odontoflow CHARACTER SET utf8mb4")
        upgrade(settings)
        _populate(settings)
        for name in (TEMPORAL, WORKER, API):
            await parts[name].start()
        await _until_ready(running)
        yield running
    finally:
        for part in parts.values():
            part.kill()


def _populate(settings: Settings) -> None:
    database = Database.from_settings(settings)
    with database.write() as session:
        add_people(session, KeyStore(database, load_master_keys(settings)), Passwords(settings))
        for plan in session.exec(select(Plan)).all():
            plan.cases_per_month = None
    database.close()


async def _until_ready(running: Installation) -> None:
    deadline = time.monotonic() + READY_S
    async with httpx.AsyncClient(base_url=running.url, timeout=5) as client:
        while time.monotonic() < deadline:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise AssertionError(f"the installation did not become ready:\n{running.told()}")
