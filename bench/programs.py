"""The processes of a benchmark: Temporal's development server, workers and the web server, each ended by its own id."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from worker.up.engine import free_port
from worker.up.temporal import SEARCH_ATTRIBUTES, server_command

ROOT: Final = Path(__file__).resolve().parents[1]
NAMESPACE: Final = "default"
_PATIENCE_S: Final = 60.0


@dataclass(frozen=True)
class Server:
    """A Temporal server. ``target`` is its gRPC address."""

    target: str
    pid: int


def environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Of a child: ours with ``env``, and with compiled modules as in an installation."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | dict(env or {})


@contextmanager
def program(name: str, command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> Iterator[int]:
    """Runs a program beside the benchmark; gives its process id. Its output goes to a log in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            list(command), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(env)
        )
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def ours(module: str, *arguments: str) -> list[str]:
    """Command line of a module of the project."""
    return [sys.executable, "-m", module, *arguments]


@asynccontextmanager
async def temporal(folder: Path, *, tuned: bool) -> AsyncIterator[Server]:
    """The development server on a file, as `odontoflow up` starts it, or with the settings that it comes with."""
    path = shutil.which("temporal", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if path is None:
        raise SystemExit("The Temporal server is missing from this environment. Run `make setup`.")
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    port = free_port()
    if tuned:
        command = server_command(
            path,
            port=port,
            ui_port=free_port(),
            http_port=free_port(),
            database=folder / "temporal.db",
            namespace=NAMESPACE,
            codec_endpoint="http://127.0.0.1:9",
        )
    else:
        command = [path, "server", "start-dev", "--ip=127.0.0.1", f"--port={port}", f"--ui-port={free_port()}"]
        command += [f"--http-port={free_port()}", f"--db-filename={folder / 'temporal.db'}", "--log-level=warn"]
        command += [f"--search-attribute={name}={kind}" for name, kind in SEARCH_ATTRIBUTES.items()]
    target = f"127.0.0.1:{port}"
    with program("temporal", command, folder) as pid:
        await _answers(target)
        yield Server(target, pid)


async def plain_client(target: str) -> Client:
    """Without our codec: what an anchor uses."""
    return await Client.connect(target, namespace=NAMESPACE, data_converter=pydantic_data_converter)


async def _answers(target: str) -> None:
    """Until the namespace is served: an open port is not readiness."""
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            try:
                client = await plain_client(target)
                await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=NAMESPACE))
            except RuntimeError:
                await asyncio.sleep(0.1)
            else:
                return
