"""``odontoflow up``: everything on this machine, until Ctrl-C."""

import argparse
from typing import Any


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    subparsers.add_parser("up", help="run Temporal, the worker and the web server on this machine until Ctrl-C")


def run(args: argparse.Namespace) -> int:
    from worker.up.embedded import up

    return up()
