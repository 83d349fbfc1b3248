"""``odontoflow add-group``: a reading group with its scheduler."""

import argparse
from typing import Any

from worker.commands.organization_options import add_options, first_member, organization


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    parser = subparsers.add_parser("add-group", help="add a reading group and invite its scheduler")
    add_options(parser, "scheduler", "its first scheduler")


def run(args: argparse.Namespace) -> int:
    from api.operator import open_group
    from schemas.access import OrganizationKind
    from worker.commands.installation import installation

    new = organization(args, OrganizationKind.READING_GROUP)
    person = first_member(args, "scheduler")
    with installation() as site:
        with site.database.write() as session:
            user_id = open_group(session, site.keys, site.invitations, person, new)
        print(f"The reading group {new.name} is there.")
        site.hand_over(user_id)
    return 0
