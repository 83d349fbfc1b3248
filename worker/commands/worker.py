"""``odontoflow worker``: one worker process."""

import argparse
from typing import Any


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    subparsers.add_parser("worker", help="run the worker: workflows and activities")


def run(args: argparse.Namespace) -> int:
    from worker.loading import loading

    with loading():
        from worker.processes import main

    return int(main() or 0)
