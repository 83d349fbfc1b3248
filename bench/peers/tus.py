"""`@tus/server` with `@tus/file-store`, made as durable as ours; installed by `make bench-peers`."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.peers.found import NotHere
from bench.programs import program
from worker.up.engine import free_port
from worker.up.probes import http as probe

_SERVER: Final = Path(__file__).with_name("tus_server")
_PATIENCE_S: Final = 30.0


@dataclass(frozen=True)
class TusServer:
    """Uploads are created at ``/files``."""

    port: int
    pid: int
    folder: Path


@contextmanager
def tus_server(folder: Path) -> Iterator[TusServer]:
    """Raises NotHere."""
    node = shutil.which("node", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if node is None or not (_SERVER / "node_modules" / "@tus" / "server").is_dir():
        raise NotHere("@tus/server is missing (make bench-peers)")
    # An environment's own `node` may be a script that starts it: what is measured is the server's process itself.
    asked = subprocess.run([node, "-p", "process.execPath"], capture_output=True, text=True, check=True)
    node = asked.stdout.strip()
    port, files = free_port(), folder / "files"
    files.mkdir(parents=True, exist_ok=True)
    with program("tus", [node, str(_SERVER / "server.mjs"), str(port), str(files)], folder) as pid:
        end = time.monotonic() + _PATIENCE_S
        while probe(port, "/files") is None:
            if time.monotonic() > end:
                raise TimeoutError("@tus/server does not answer")
            time.sleep(0.05)
        yield TusServer(port, pid, files)
