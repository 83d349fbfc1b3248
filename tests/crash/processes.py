"""The processes that the crash tests kill: Temporal's server on a file, and a worker."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.client import Client
from temporalio.service import RPCError

from infra.codec import data_converter
from tests.servers.tools import end
from tests.world import World
from worker.up.engine import free_port
from worker.up.lifeline import die_with_parent
from worker.up.temporal import server_command

_START_S = 30.0


def start_process(
    command: list[str], log: Path, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> "subprocess.Popen[bytes]":
    """Starts a program that ends with this one, and adds what it says to its log. Call it on the main thread."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=None if environment is None else {**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - it makes two system calls and nothing else
        )


@dataclass
class Temporal:
    """A development server whose state is in a file, so that it can be killed and started again."""

    program: str
    folder: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        command = server_command(
            self.program,
            port=self.port,
            ui_port=free_port(),
            http_port=free_port(),
            database=self.folder / "temporal.db",
            namespace="default",
            codec_endpoint="",
        )
        self.process = start_process([*command, "--headless"], self.folder / "temporal.log")
        await self._until_it_answers()

    async def _until_it_answers(self) -> None:
        for _ in range(int(_START_S / 0.1)):
            try:
                client = await Client.connect(self.target)
                await client.count_workflows()
            except (RuntimeError, RPCError):
                await asyncio.sleep(0.1)
            else:
                return
        raise AssertionError((self.folder / "temporal.log").read_text()[-2000:])

    def kill(self) -> None:
        kill_process(self.process)

    def stop(self) -> None:
        if self.process is not None:
            end(self.process)


@dataclass
class WorkerProcess:
    """``python -m tests.crash.worker``: a worker on the world's database that can be told to hang after a commit."""

    world: World
    temporal: Temporal
    folder: Path
    process: "subprocess.Popen[bytes] | None" = None

    async def start(self) -> None:
        """Returns when it polls."""
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        config = self.folder / "worker.json"
        url = self.world.database.engine.url.render_as_string(hide_password=False)
        config.write_text(
            json.dumps(
                {
                    "database": url,
                    "keys": self.world.keys.master.to_text(),
                    "temporal": self.temporal.target,
                    "hang": str(self.hang_file),
                    "hanging": str(self.hanging_file),
                    "ready": str(ready),
                }
            )
        )
        config.chmod(0o600)
        self.process = start_process(
            [sys.executable, "-m", "tests.crash.worker", str(config)], self.folder / "worker.log"
        )
        await self._until(ready)

    async def _until(self, exists: Path) -> None:
        for _ in range(int(_START_S / 0.05)):
            if exists.exists():  # noqa: ASYNC240 - a look at a local file
                return
            await asyncio.sleep(0.05)
        raise AssertionError((self.folder / "worker.log").read_text()[-2000:])

    @property
    def hang_file(self) -> Path:
        return self.folder / "hang"

    @property
    def hanging_file(self) -> Path:
        return self.folder / "hanging"

    def hang_after(self, action: str) -> None:
        """The next step of this name commits, and its worker then never answers."""
        self.hanging_file.unlink(missing_ok=True)
        self.hang_file.write_text(action)

    async def is_hanging(self) -> None:
        await self._until(self.hanging_file)
        self.hang_file.unlink(missing_ok=True)

    def kill(self) -> None:
        kill_process(self.process)

    def stop(self) -> None:
        self.kill()


def kill_process(process: "subprocess.Popen[bytes] | None") -> None:
    """As ``kill -9``."""
    if process is not None and process.poll() is None:
        process.send_signal(signal.SIGKILL)
        process.wait()


async def connect(temporal: Temporal, world: World) -> Client:
    return await Client.connect(temporal.target, data_converter=data_converter(world.keys))
