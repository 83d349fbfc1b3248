"""The embedded mode's plan, made from the settings."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from worker.up.banner import banner
from worker.up.children import Program
from worker.up.engine import Engine
from worker.up.logs import say
from worker.up.preflight import check_ports, lock_home, misspelled_settings, ports, prepare_home
from worker.up.probes import web_is_ready
from worker.up.refusal import StartRefused
from worker.up.supervisor import EXIT_USAGE, PidOf, Plan, Supervisor

if TYPE_CHECKING:
    from infra.settings import Settings

MIGRATIONS = Path(__file__).resolve().parents[2] / "infra" / "migrations" / "versions"
SEEDED_NAME = "demo.done"  # written by `odontoflow demo`


def own_command(name: str) -> Sequence[str]:
    """Command line of another command of ours. ``-P``: the current folder must not shadow a package."""
    return [sys.executable, "-P", "-m", "worker", name]


def embedded_plan(settings: "Settings") -> Plan:
    """Which programs an embedded start needs. The first start of a database also fills it with the demo data."""
    home = settings.home
    home_for_all = {"ODONTOFLOW_HOME": str(home.resolve())}

    def ours(name: str, drain_seconds: float = 10.0) -> Program:
        return Program(
            name,
            lambda: own_command(name),
            home / "logs" / f"{name}.log",
            drain_seconds=drain_seconds,
            env=home_for_all,
        )

    probes: list[tuple[str, Callable[[PidOf], bool]]] = [
        ("the web server", lambda _: web_is_ready(settings.port, settings.host))
    ]
    engine = None
    if not settings.temporal_address:
        server = Engine(settings)
        engine = Program("temporal", server.command, home / "logs" / "temporal.log", shown=False)
        probes.insert(0, ("Temporal", lambda _: server.ready()))
        probes.insert(1, ("the worker", lambda pid_of: server.polled_by(pid_of("worker"))))
    current, new = database_state(settings)
    seeded = (home / SEEDED_NAME).exists() and not new
    return Plan(
        engine=engine,
        preparations=[] if current else [ours("migrate")],
        services=[ours("worker", drain_seconds=15.0), ours("api")],
        probes=probes,
        seeding=[] if seeded else [ours("demo")],
        banner=banner(settings),
    )


def database_state(settings: "Settings") -> tuple[bool, bool]:
    """(its tables are those of this version, it is new). A database elsewhere is always asked by the migrations."""
    if settings.database_url:
        return False, False
    from worker.up.schema import database_revisions, head_revisions

    revisions = database_revisions(settings.home / "odontoflow.db")
    return bool(revisions) and revisions == head_revisions(MIGRATIONS), not revisions


def up() -> int:
    """Runs the embedded mode until it is stopped. Raises ``StartRefused`` and pydantic's errors of wrong settings."""
    from infra.settings import Settings, get_settings

    settings = get_settings()
    for line in misspelled_settings(Settings.model_fields, os.environ):
        say(line)
    try:
        if settings.mode != "embedded":
            raise StartRefused(
                "`odontoflow up` is the embedded mode; in production start `api` and `worker` by themselves."
            )
        # Keys and patients' data are for this account alone, whatever the folder's own mode is; the children inherit it.
        os.umask(0o077)
        prepare_home(settings.home)
        lock_home(settings.home)
        check_ports(ports(settings))
        plan = embedded_plan(settings)
    except StartRefused as refusal:
        sys.stderr.write(f"odontoflow: {refusal.detail}\n")
        return EXIT_USAGE
    say("Starting Temporal, the worker and the web server.")
    return Supervisor(plan).run()
