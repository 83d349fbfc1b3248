"""The options that a new practice and a new reading group have in common. No command."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schemas.access import OrganizationKind
    from schemas.organization_forms import FirstMember, NewOrganization


def add_options(parser: argparse.ArgumentParser, member: str, who: str) -> None:
    """``member`` is the option that names the first member's address."""
    parser.add_argument("name", help="as it stands on letterheads")
    parser.add_argument(f"--{member}", required=True, metavar="EMAIL", help=f"where the invitation of {who} goes")
    parser.add_argument(f"--{member}-name", required=True, metavar="NAME", help="that person's name, with title")
    parser.add_argument("--time-zone", required=True, metavar="ZONE", help="IANA name, such as Europe/Zurich")
    parser.add_argument("--jurisdiction", required=True, metavar="CODE", help="ISO 3166 code, such as CH or US-CA")
    parser.add_argument("--address", action="append", default=[], metavar="LINE", help="a line of the address; repeat")
    parser.add_argument("--phone", default="")


def organization(args: argparse.Namespace, kind: "OrganizationKind") -> "NewOrganization":
    """Raises InvalidInput."""
    from schemas.organization_forms import NewOrganization
    from worker.commands.installation import checked

    return checked(
        NewOrganization,
        {
            "name": "name",
            "time_zone": "--time-zone",
            "jurisdiction": "--jurisdiction",
            "address": "--address",
            "phone": "--phone",
        },
        kind=kind,
        name=args.name,
        time_zone=args.time_zone,
        jurisdiction=args.jurisdiction,
        address="\n".join(args.address),
        phone=args.phone,
    )


def first_member(args: argparse.Namespace, member: str) -> "FirstMember":
    """Raises InvalidInput."""
    from schemas.organization_forms import FirstMember
    from worker.commands.installation import checked

    return checked(
        FirstMember,
        {"email": f"--{member}", "name": f"--{member}-name"},
        email=getattr(args, member),
        name=getattr(args, f"{member}_name"),
    )
