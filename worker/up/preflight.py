"""What must hold before anything is started. Each refusal is one line that says what to do."""

import fcntl
import os
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from worker.up.refusal import StartRefused

if TYPE_CHECKING:
    from infra.settings import Settings

LOCK_NAME = "up.lock"


def prepare_home(home: Path) -> None:
    """Makes the folder, for its owner alone: it will hold keys and patients' data."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        trial = home / ".writable"
        trial.write_bytes(b"")
        trial.unlink()
    except OSError as error:
        raise StartRefused(
            f"The folder {home} cannot be used ({error.strerror}). Choose another one with ODONTOFLOW_HOME."
        ) from error


def lock_home(home: Path) -> int:
    """Takes the home for this process; returns the descriptor that holds the lock until the process ends."""
    descriptor = os.open(home / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise StartRefused(
            f"OdontoFlow already runs on {home} (process {holder}). Stop it first, or choose another folder with ODONTOFLOW_HOME."
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def ports(settings: "Settings") -> list[tuple[str, str, int]]:
    """Setting, address and port of everything that will listen."""
    wanted = [("ODONTOFLOW_PORT", settings.host, settings.port)]
    if not settings.temporal_address:
        wanted.append(("ODONTOFLOW_TEMPORAL_PORT", "127.0.0.1", settings.temporal_port))
        wanted.append(("ODONTOFLOW_TEMPORAL_UI_PORT", "127.0.0.1", settings.temporal_ui_port))
    return wanted


def check_ports(wanted: Iterable[tuple[str, str, int]]) -> None:
    """Refuses a port that is taken, or that two settings name."""
    seen: dict[int, str] = {}
    for setting, host, port in wanted:
        if port in seen:
            raise StartRefused(f"{seen[port]} and {setting} are both {port}. Give one of them another port.")
        seen[port] = setting
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except socket.gaierror as error:
            raise StartRefused(f"ODONTOFLOW_HOST: {host} is not an address of this machine.") from error
        except OSError as error:
            raise StartRefused(
                f"Port {port} on {host} cannot be used ({error.strerror}). Stop what uses it, or choose another port with {setting}."
            ) from error


def misspelled_settings(known: Iterable[str], environment: Iterable[str]) -> list[str]:
    """A line for each ``ODONTOFLOW_…`` variable that no setting reads."""
    names = {f"ODONTOFLOW_{name.upper()}" for name in known}
    strangers = sorted(
        name for name in environment if name.upper().startswith("ODONTOFLOW_") and name.upper() not in names
    )
    return [f"{name} is not a setting and is ignored; docs/settings.md lists them all." for name in strangers]
