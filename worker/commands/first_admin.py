"""``odontoflow first-admin``: the platform's organization, and an administrator who adds everybody else."""

import argparse
from typing import Any


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    parser = subparsers.add_parser("first-admin", help="invite the first administrator of an installation")
    parser.add_argument("email", help="where the invitation goes; the person signs in with it")
    parser.add_argument("--name", default="Administrator", help="the person's name (default: Administrator)")
    parser.add_argument(
        "--organization", default="OdontoFlow", help="who runs the installation; the invitation names it"
    )
    parser.add_argument("--time-zone", default="UTC", help="IANA name, such as Europe/Zurich (default: UTC)")


def run(args: argparse.Namespace) -> int:
    from api.operator import add_first_admin
    from schemas.access import OrganizationKind
    from schemas.organization_forms import FirstMember, NewOrganization
    from worker.commands.installation import checked, installation

    options = {"email": "email", "name": "--name", "time_zone": "--time-zone"}
    person = checked(FirstMember, options, email=args.email, name=args.name)
    platform = checked(
        NewOrganization,
        options | {"name": "--organization"},
        kind=OrganizationKind.PLATFORM,
        name=args.organization,
        time_zone=args.time_zone,
    )
    with installation() as site:
        with site.database.write() as session:
            user_id = add_first_admin(session, site.keys, site.invitations, person, platform)
        site.hand_over(user_id)
    return 0
