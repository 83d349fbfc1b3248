"""Runs the checks one after another with their timings: ``lint`` everything static, ``test`` the tests too.

All of them run even when one fails, so that one run tells everything; pytest comes last, so that its closing line is the last one.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
ISLANDS = ROOT / "ui" / "islands"

STATIC = {
    "ruff check": ([str(BIN / "ruff"), "check", "."], ROOT),
    "ruff format": ([str(BIN / "ruff"), "format", "--check", "."], ROOT),
    "mypy": ([str(BIN / "mypy")], ROOT),
    "import contract": ([str(BIN / "lint-imports"), "--no-cache"], ROOT),
    "islands": ([str(BIN / "npm"), "run", "--silent", "check"], ISLANDS),
}


def run(name: str, command: list[str], cwd: Path) -> bool:
    begun = time.monotonic()
    print(f"== {name}", flush=True)
    passed = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, check=False).returncode == 0
    print(f"== {name}: {'ok' if passed else 'FAILED'} in {time.monotonic() - begun:.1f} s", flush=True)
    return passed


def main() -> int:
    what, *arguments = sys.argv[1:]
    os.environ["PATH"] = f"{BIN}:{os.environ.get('PATH', '')}"
    # Output goes to a log as often as to a person.
    os.environ.update({"NO_COLOR": "1", "FORCE_COLOR": "0"})
    failed = [name for name, (command, cwd) in STATIC.items() if not run(name, command, cwd)]
    code = 0
    if what == "test":
        print("== pytest", flush=True)
        # One process a core; a file's tests stay in one process, so that its fixtures start once. A process that dies ends
        # the run: xdist's replacement can wait forever for tests that were given to the dead one.
        spread = ["--numprocesses=auto", "--maxprocesses=4", "--dist=loadfile", "--max-worker-restart=0"]
        command = [str(BIN / "python"), "-m", "pytest", "--color=no", "--durations=15", *spread, *arguments]
        code = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr, flush=True)
    return code or bool(failed)


if __name__ == "__main__":
    sys.exit(main())
