"""``python -m bench [names]``: runs benchmarks and prints their table."""

import argparse
import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Final

from bench.measures import Figure, Outcome, table
from bench.report import machine, write_table

BENCHMARKS: Final[Mapping[str, str]] = {
    "P1": "bench.commands",
    "P2": "bench.starts",
    "P3": "bench.lifecycles",
    "P4": "bench.recovery",
    "P8": "bench.uploads",
    "P9": "bench.storing",
    "P10": "bench.frames",
    "P11": "bench.pictures",
    "P14": "bench.startup",
}


def run(names: list[str], *, rounds: int, scale: float) -> Outcome:
    """Runs the named benchmarks one after another: they would disturb each other."""
    whole = Outcome()
    for name in names:
        module: ModuleType = importlib.import_module(BENCHMARKS[name])
        print(f"{name} …", file=sys.stderr, flush=True)
        outcome: Outcome = module.run(rounds, scale)
        print(table(outcome.figures), *outcome.notes, sep="\n", file=sys.stderr, flush=True)
        whole.figures += outcome.figures
        whole.notes += outcome.notes
    return whole


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures the figures of docs/performance.md.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"which: {', '.join(BENCHMARKS)} (all)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds, at least 3 (5)")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the usual counts: 0.1 for a quick look")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    arguments = parser.parse_args()
    names = [name.upper() for name in arguments.names] or list(BENCHMARKS)
    strangers = sorted(set(names) - set(BENCHMARKS))
    if strangers:
        parser.error(f"there is no {', '.join(strangers)}; there are {', '.join(BENCHMARKS)}")
    if arguments.rounds < 3 and arguments.write:
        parser.error("a table that is written needs three rounds or more")
    before = os.getloadavg()[0]
    outcome = run(names, rounds=arguments.rounds, scale=arguments.scale)
    about = machine(arguments.rounds, before)
    text = "\n\n".join([about, table(outcome.figures), *outcome.notes])
    print(text)
    if arguments.write:
        write_table(Path(__file__).resolve().parents[1] / "docs" / "performance.md", text)
    figures: list[Figure] = outcome.figures
    return 1 if any(figure.is_met is False for figure in figures) else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # Python's teardown can crash with Temporal's bridge loaded (temporalio/sdk-python#300)
