"""``odontoflow demo``: the embedded mode's demo practices, people and cases."""

import argparse
from typing import Any


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    subparsers.add_parser("demo", help="fill the embedded mode with demo practices, people and cases (once)")


def run(args: argparse.Namespace) -> int:
    from infra.settings import get_settings
    from worker.up.embedded import SEEDED_NAME
    from worker.up.refusal import StartRefused

    settings = get_settings()
    if settings.mode != "embedded":
        raise StartRefused("The demo's accounts have public passwords; they exist in embedded mode only.")
    from worker.demo.seed import seed

    seed(settings)
    (settings.home / SEEDED_NAME).touch()
    return 0
