"""What processes use, as Linux counts it: CPU time of a process with all of its children, and the most memory it had."""

import os
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_UTIME, _CUTIME_END = 13, 17
"""Of /proc/PID/stat (proc(5)): user and system time, and those of children that have ended, from field 14 to 17."""


def cpu_seconds(*pids: int) -> float:
    """User and system time until now of the processes and of their descendants, those that have ended included."""
    return sum(_ticks(pid) for root in pids for pid in descendants(root)) / _TICKS


def descendants(pid: int) -> list[int]:
    """The process and all that it started and that still run."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            found += [int(child) for child in _read(task).split()]
    return found


def forget_peak(pid: int) -> None:
    """From now on ``peak_mib`` says the most since now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def peak_mib(pid: int) -> float:
    """The most resident memory of the process itself, in MiB."""
    return _status(pid, "VmHWM")


def resident_mib(pid: int) -> float:
    """The resident memory of the process itself now, in MiB."""
    return _status(pid, "VmRSS")


def _status(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    (value,) = (line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(value) / 1024


def _ticks(pid: int) -> int:
    # The name of the program may hold spaces and brackets; what follows its last one does not.
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return sum(int(field) for field in fields[_UTIME - 2 : _CUTIME_END - 2])


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # it has ended meanwhile; its parent's count has its time
