"""How Temporal's development server is started here and in the tests. Constants and argument lists only."""

from collections.abc import Mapping
from pathlib import Path

# Name → type. No PHI: ids, states and times.
SEARCH_ATTRIBUTES: Mapping[str, str] = {
    "CaseState": "Keyword",
    "CasePriority": "Keyword",
    "SlaDueAt": "Datetime",
    "PracticeId": "Keyword",
    "RadiologistId": "Keyword",
}
# The defaults poll 20 times a second, which quantises every start and activity to 50 ms.
DYNAMIC_CONFIG: Mapping[str, str] = {
    "history.transferProcessorMaxPollRPS": "2000",
    "history.timerProcessorMaxPollRPS": "2000",
    "history.visibilityProcessorMaxPollRPS": "2000",
}
SQLITE_PRAGMAS: Mapping[str, str] = {"journal_mode": "WAL"}


def tuning_arguments() -> list[str]:
    """The part of the command line that makes the server quick."""
    return [f"--dynamic-config-value={key}={value}" for key, value in DYNAMIC_CONFIG.items()]


def pragma_arguments() -> list[str]:
    """For a server that keeps its state in a file."""
    return [f"--sqlite-pragma={key}={value}" for key, value in SQLITE_PRAGMAS.items()]


def server_command(
    program: str, *, port: int, ui_port: int, http_port: int, database: Path, namespace: str, codec_endpoint: str
) -> list[str]:
    """The whole command line of the embedded server; everything listens on loopback."""
    command = [program, "server", "start-dev", "--ip=127.0.0.1", f"--port={port}", f"--http-port={http_port}"]
    command += ["--ui-ip=127.0.0.1", f"--ui-port={ui_port}", f"--ui-codec-endpoint={codec_endpoint}"]
    command += ["--ui-disable-news-fetch", "--log-level=warn", f"--db-filename={database}", f"--namespace={namespace}"]
    command += [f"--search-attribute={name}={kind}" for name, kind in SEARCH_ATTRIBUTES.items()]
    return [*command, *tuning_arguments(), *pragma_arguments()]
