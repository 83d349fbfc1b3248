"""Runs the supervisor on small stand-ins for its children, in a process of its own, so that it can be signalled and killed.

``python -m tests.worker.stub_plan FOLDER [name=behaviour …]``: names are engine, prepare, worker, api, seed; the
behaviours are those of ``BEHAVIOURS``. Each stand-in appends ``started NAME PID`` and ``stopped NAME`` to ``FOLDER/events``.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from worker.up.children import Program
from worker.up.supervisor import PidOf, Plan, Supervisor

SERVE = """
import os, signal, sys, time
name, events = sys.argv[1:3]
def note(what):
    with open(events, "a") as file:
        file.write(what + "\\n")
def stop(*_):
    note(f"stopped {name}")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
note(f"started {name} {os.getpid()}")
print(f"\\x1b[31mhello from {name}\\x1b[0m")
while True:
    time.sleep(60)
"""
BEHAVIOURS = {
    "serve": SERVE,
    "finish": SERVE.replace("while True:\n    time.sleep(60)", "note(f'finished {name}')"),
    "fail": SERVE.replace("while True:\n    time.sleep(60)", "print('no such table'); sys.exit(3)"),
    "misconfigured": SERVE.replace("while True:\n    time.sleep(60)", "sys.exit(2)"),
    "stubborn": SERVE.replace('    note(f"stopped {name}")\n    sys.exit(0)', "    note('refused')"),
    "parent": SERVE.replace("while True:", "import subprocess\nsubprocess.Popen(['sleep', '61'])\nwhile True:"),
}
DEFAULTS = {"engine": "serve", "prepare": "finish", "worker": "serve", "api": "serve", "seed": "finish"}


def main() -> int:
    folder = Path(sys.argv[1])
    chosen = {**DEFAULTS, **dict(argument.split("=", 1) for argument in sys.argv[2:])}
    events = folder / "events"

    def program(name: str) -> Program:
        command = [sys.executable, "-c", BEHAVIOURS[chosen[name]], name, str(events)]
        return Program(
            name, lambda: command, folder / "logs" / f"{name}.log", shown=name != "engine", drain_seconds=3.0
        )

    def probe(name: str) -> tuple[str, Callable[[PidOf], bool]]:
        return (
            name,
            lambda pid_of: pid_of(name) is not None and events.exists() and f"started {name} " in events.read_text(),
        )

    plan = Plan(
        engine=program("engine"),
        preparations=[program("prepare")],
        services=[program("worker"), program("api")],
        seeding=[program("seed")],
        probes=[probe(name) for name in ("engine", "worker", "api")],
        banner=["the banner"],
    )
    return Supervisor(plan).run()


if __name__ == "__main__":
    sys.exit(main())
