"""Writes the hashed requirements files from pyproject.toml: ``make requirements``.

The files name packages, versions and hashes and no address, so that every installation may use its own index.
``dev.txt`` holds ``embedded.txt`` and that holds ``runtime.txt``, at equal versions. ``ARGS=--upgrade`` takes new versions.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
LAYERS = {"runtime": [], "embedded": ["--extra", "embedded"], "dev": ["--extra", "embedded", "--extra", "dev"]}


def compile_file(name: str, arguments: list[str]) -> None:
    """One run of ``uv pip compile``; the pins of the existing file are kept unless ``--upgrade`` is among the arguments."""
    command = [
        str(ROOT / ".venv" / "bin" / "uv"),
        "pip",
        "compile",
        "--quiet",
        "--universal",
        "--python-version",
        "3.11",
    ]
    command += ["--generate-hashes", "--no-header", "--no-emit-index-url", "--output-file", str(FOLDER / f"{name}.txt")]
    subprocess.run([*command, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    extra = sys.argv[1:]
    # A developer's uv configuration must not leak an address into the files.
    os.environ["UV_NO_CONFIG"] = "1"
    constraints: list[str] = []
    for name, selection in LAYERS.items():
        compile_file(name, ["pyproject.toml", *selection, *constraints, *extra])
        constraints = ["--constraint", str(FOLDER.relative_to(ROOT) / f"{name}.txt")]
    seed = FOLDER / "bootstrap.in"
    compile_file("bootstrap", [str(seed.relative_to(ROOT)), *constraints, "--no-annotate", *extra])
    return 0


if __name__ == "__main__":
    sys.exit(main())
