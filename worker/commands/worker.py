"""``odontoflow worker``: one worker process."""

import argparse
from typing import Any


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    subparsers.add_parser("worker", help="run the worker: workflows and activities")


def run(args: argparse.Namespace) -> int:
    from worker.loading import loading

    with loading():
        from infra.settings import get_settings
        from worker.commands.readiness import need_secrets
        from worker.processes import main

    need_secrets(get_settings())
    return int(main() or 0)
