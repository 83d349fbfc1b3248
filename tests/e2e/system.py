"""A running system for tests that stand outside of it: real processes, real addresses, demo people, no cases."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from infra.database import Database
from infra.demo_accounts import DEMO_PASSWORD
from infra.key_file import load_master_keys
from infra.keystore import KeyStore
from infra.migrate import upgrade
from infra.passwords import Passwords
from infra.settings import Settings
from tests.servers.tools import end
from worker.demo.people import add_people
from worker.up.engine import free_port
from worker.up.lifeline import die_with_parent

ROOT = Path(__file__).parents[2]
READY_SECONDS = 60.0


@dataclass(frozen=True)
class System:
    """``url`` is the web server's; ``home`` holds database, blobs and logs."""

    url: str
    home: Path
    settings: Settings
    password: str = DEMO_PASSWORD

    def log(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text()


def _settings(home: Path, temporal_address: str, port: int) -> dict[str, str]:
    return {
        "ODONTOFLOW_HOME": str(home),
        "ODONTOFLOW_PORT": str(port),
        "ODONTOFLOW_TEMPORAL_ADDRESS": temporal_address,
        "ODONTOFLOW_ARGON2_MEMORY_KIB": "8",
        "ODONTOFLOW_ARGON2_TIME_COST": "1",
    }


@contextmanager
def _process(name: str, home: Path, environment: Mapping[str, str]) -> Iterator[None]:
    with (home / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "worker", name],
            cwd=ROOT,
            env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - it makes two system calls and nothing else
        )
        try:
            yield
        finally:
            end(process)


@contextmanager
def running_system(home: Path, temporal_address: str) -> Iterator[System]:
    """Migrates, adds the demo's people, starts worker and web server, and waits until both answer."""
    port = free_port()
    environment = _settings(home, temporal_address, port)
    settings = Settings(
        home=home,
        port=port,
        temporal_address=temporal_address,
        argon2_memory_kib=8,
        argon2_time_cost=1,
    )
    upgrade(settings)
    database = Database.from_settings(settings)
    with database.write() as session:
        add_people(session, KeyStore(database, load_master_keys(settings)), Passwords(settings))
    database.close()
    with ExitStack() as stack:
        for name in ("worker", "api"):
            stack.enter_context(_process(name, home, environment))
        system = System(f"http://127.0.0.1:{port}", home, settings)
        _wait_until_ready(system)
        yield system


def _wait_until_ready(system: System) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{system.url}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"the system did not become ready:\n{system.log('worker')}\n{system.log('api')}")
