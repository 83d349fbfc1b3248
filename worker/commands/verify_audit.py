"""``odontoflow verify-audit``: whether the audit trail is whole, and every signed version what was signed."""

import argparse
from typing import Any


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    parser = subparsers.add_parser(
        "verify-audit", help="check the whole audit trail and every signed version; 1 when something does not hold"
    )
    parser.add_argument(
        "--images", action="store_true", help="also read every file of the signed image sets, which can take hours"
    )


def run(args: argparse.Namespace) -> int:
    from activities.records.verification import verify_versions
    from infra.audit import verify_audit
    from infra.blobs.opening import open_blobs
    from infra.key_file import read_key_file
    from infra.keystore import KeyStore
    from infra.settings import get_settings
    from worker.commands.readiness import open_database

    settings = get_settings()
    database = open_database(settings)
    try:
        breaks = verify_audit(database, settings.anchor_file)
        for each in breaks:
            print(f"{each.where}: {each.what}")
        print("The audit trail does not hold." if breaks else "The audit trail is whole.")
        keys = KeyStore(database, read_key_file(settings.key_file))
        blobs = open_blobs(settings, database) if args.images else None
        faults = 0
        for fault in verify_versions(database, keys, blobs):
            print(f"{fault.where}: {fault.what}")
            faults += 1
        print("Not every signed report is what was signed." if faults else "Every signed report is what was signed.")
    finally:
        database.close()
    return 1 if breaks or faults else 0
