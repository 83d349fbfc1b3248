"""Where the figures are written: between two markers of docs/performance.md."""

import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final

BEGIN: Final = "<!-- figures: made by `python -m bench --write` -->"
END: Final = "<!-- figures: end -->"
_PACKAGES: Final = ("temporalio", "fastapi", "uvicorn", "sqlalchemy", "pydantic")


def machine(rounds: int, load_before: float) -> str:
    """One paragraph: where and with what it was measured."""
    cores = len(os.sched_getaffinity(0))
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{cores} cores ({_processor()}), {platform.system()}, Python {platform.python_version()}, {packages}, "
        f"{_temporal_version()}. {rounds} interleaved rounds; medians, in brackets the lowest and highest round. "
        f"Load average before the run: {load_before:.1f}."
    )


def write_table(page: Path, text: str) -> None:
    """Replaces what stands between the markers. Raises ValueError for a page without them."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page.name} has no place for the figures")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _temporal_version() -> str:
    path = shutil.which("temporal", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if path is None:
        return "Temporal"
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    return answer.stdout.strip().replace("temporal version", "Temporal CLI")
