"""``odontoflow migrate``: brings the database to this version's tables."""

import argparse
from typing import Any


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    subparsers.add_parser("migrate", help="bring the database to this version's tables")


def run(args: argparse.Namespace) -> int:
    from infra.migrate import upgrade
    from infra.settings import get_settings
    from worker.commands.readiness import answering_database

    settings = get_settings()
    if settings.database_url:
        answering_database(settings).close()
    upgrade(settings)
    return 0
