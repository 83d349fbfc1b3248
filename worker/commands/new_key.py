"""``odontoflow new-key``: the master key of a new installation."""

import argparse
from pathlib import Path
from typing import Any

KEEP = """The master key is in {path}, readable by this account alone.
Copy it now to a safe place apart from the database's backups: without it nothing that is encrypted can be read again, and
together with a copy of the database it opens everything. One installation has one such file for its whole life."""


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    parser = subparsers.add_parser("new-key", help="make the master key file of a new installation")
    parser.add_argument("file", type=Path, help="what ODONTOFLOW_MASTER_KEY_FILE names; must not exist yet")


def run(args: argparse.Namespace) -> int:
    from infra.key_file import create_key_file

    create_key_file(args.file)
    print(KEEP.format(path=args.file))
    return 0
