"""``odontoflow rotate-key``: a new master key over every stored key."""

import argparse
from typing import Any


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    parser = subparsers.add_parser(
        "rotate-key", help="wrap every stored key with a new master key, while api and worker are stopped"
    )
    parser.add_argument(
        "--drop-old",
        action="store_true",
        help="instead, remove the older master keys from the file; older backups then need an older copy of it",
    )


def run(args: argparse.Namespace) -> int:
    from infra.key_rotation import drop_old_master_keys, rotate_master_key
    from infra.settings import get_settings
    from worker.commands.readiness import need_quiet, open_database

    settings = get_settings()
    database = open_database(settings)
    try:
        if args.drop_old:
            drop_old_master_keys(database, settings.key_file)
            print(f"{settings.key_file} holds the newest master key alone. Keep an older copy for older backups.")
            return 0
        need_quiet(database)
        rotation = rotate_master_key(database, settings.key_file)
    finally:
        database.close()
    if rotation.went_on:
        print("An earlier rotation had not come to its end; it has now.")
    print(f"{rotation.rewrapped} stored keys are under the master key {rotation.keys.active}.")
    print(f"Copy {settings.key_file} to where its copy is kept, before the next backup of the database.")
    return 0
