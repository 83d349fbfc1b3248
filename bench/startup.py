"""P14: `make run` on a prepared home until it says "ready", beside the same with everything imported eagerly.

Both start Temporal, the worker and the web server in parallel; in the anchor each of our processes first imports every
module of the project and the libraries that are otherwise imported where they are used.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.measures import Figure, Outcome
from bench.programs import ROOT, environment
from infra.migrate import upgrade
from infra.settings import Settings
from worker.up.embedded import SEEDED_NAME
from worker.up.engine import free_port

_READY = b"ready\n"


def seconds_to_ready(command: Sequence[str], env: Mapping[str, str]) -> float:
    """Starts the system, waits for its word, and stops it. Raises RuntimeError when it ends without having said it."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        list(command), cwd=ROOT, env=environment(env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if line == _READY:
                return time.perf_counter() - begun
        raise RuntimeError(b"".join(said).decode(errors="replace"))
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.stdout.read()
        process.wait(60)


def run(rounds: int, scale: float) -> Outcome:
    """``scale`` below 1 takes fewer rounds: a start cannot be made smaller."""
    make = shutil.which("make")
    lean = [make, "-s", "run"] if make else [sys.executable, "-P", "-m", "worker", "up"]
    eager = ["sh", "-c", f"sh scripts/setup.sh && exec {sys.executable} -m bench.eager up"]
    mine, theirs = [], []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        home = Path(name)
        env = {
            "ODONTOFLOW_HOME": name,
            "ODONTOFLOW_PORT": str(free_port()),
            "ODONTOFLOW_TEMPORAL_PORT": str(free_port()),
            "ODONTOFLOW_TEMPORAL_UI_PORT": str(free_port()),
            "ODONTOFLOW_TEMPORAL_ADDRESS": "",
        }
        upgrade(Settings(home=home))
        (home / SEEDED_NAME).touch()
        seconds_to_ready(lean, env)
        seconds_to_ready(eager, env)
        for _ in range(max(1, round(rounds * min(scale, 1.0)))):
            theirs.append(seconds_to_ready(eager, env))
            mine.append(seconds_to_ready(lean, env))
    what = "`make run` on a prepared home until “ready”"
    return Outcome([Figure("P14", what, "the same with everything imported eagerly", "s", 0.55, mine, theirs)])
