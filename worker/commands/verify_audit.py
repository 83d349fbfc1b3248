"""``odontoflow verify-audit``: whether the audit trail is whole."""

import argparse
from typing import Any


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    subparsers.add_parser(
        "verify-audit", help="check the whole audit trail against its anchors; 1 when it does not hold"
    )


def run(args: argparse.Namespace) -> int:
    from infra.audit import verify_audit
    from infra.database import Database
    from infra.settings import get_settings

    settings = get_settings()
    database = Database.from_settings(settings)
    try:
        breaks = verify_audit(database, settings.anchor_file)
    finally:
        database.close()
    for each in breaks:
        print(f"{each.where}: {each.what}")
    print("The audit trail does not hold." if breaks else "The audit trail is whole.")
    return 1 if breaks else 0
