"""The embedded Temporal server: its command line, and whether it answers for our namespace."""

import errno
import random
import shutil
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from worker.up.probes import namespace_retention, queue_is_polled_by, set_namespace_retention
from worker.up.refusal import StartRefused
from worker.up.temporal import server_command

if TYPE_CHECKING:
    from infra.settings import Settings


# The queue of the case workflows, as in workflows/policies.py, which is too heavy to import here.
CASE_QUEUE = "cases"


# Below those that systems give to outgoing connections: Linux's begin at 32768, the IANA's at 49152 (RFC 6335, section 6).
_PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A loopback port that was free a moment ago, and that no outgoing connection takes before a server listens on it.

    Raises OSError when hundreds are taken, which is no matter of chance.
    """
    for port in random.sample(_PORTS, 300):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a port just left is free
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(errno.EADDRINUSE, "no free port was found on 127.0.0.1")


class Engine:
    """Temporal's development server on a file under ``home``."""

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self._retention = f"{settings.temporal_retention_days * 86400}s"
        self._http_port = 0
        beside = Path(sys.executable).parent / "temporal"
        program = str(beside) if beside.exists() else shutil.which("temporal")
        if program is None:
            raise StartRefused("The Temporal server is missing from this environment. Run `make setup`.")
        self._program = program

    def command(self) -> Sequence[str]:
        """A fresh command line: the HTTP port is ours alone, so each start takes one that is free."""
        self._http_port = free_port()
        return server_command(
            self._program,
            port=self._settings.temporal_port,
            ui_port=self._settings.temporal_ui_port,
            http_port=self._http_port,
            database=self._settings.home / "temporal.db",
            namespace=self._settings.temporal_namespace,
            codec_endpoint=f"{self._settings.base_url}/codec",
        )

    def ready(self) -> bool:
        """True once the namespace is served and keeps closed histories for as long as the settings say."""
        retention = namespace_retention(self._http_port, self._settings.temporal_namespace)
        if retention is None:
            return False
        if retention == self._retention:
            return True
        return set_namespace_retention(self._http_port, self._settings.temporal_namespace, self._retention)

    def polled_by(self, pid: int | None) -> bool:
        """True once that process works on cases. A heartbeat in the database may be the one of an earlier run."""
        return pid is not None and queue_is_polled_by(
            self._http_port, self._settings.temporal_namespace, CASE_QUEUE, pid
        )
