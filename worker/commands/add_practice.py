"""``odontoflow add-practice``: a practice with its contract, its plan and its owner."""

import argparse
from typing import Any

from worker.commands.organization_options import add_options, first_member, organization


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    parser = subparsers.add_parser("add-practice", help="add a practice under contract and invite its owner")
    add_options(parser, "owner", "the dentist who owns it")
    parser.add_argument("--group", required=True, help="name or id of the reading group that reads its cases")
    parser.add_argument(
        "--hold-days", type=int, metavar="DAYS", help="release by itself 0, 3 or 7 days after signature; else by hand"
    )
    parser.add_argument(
        "--second-signature", action="store_true", help="every report needs an approver beside its author"
    )
    parser.add_argument("--cases-per-month", type=int, metavar="N", help="what its plan covers (default: any number)")


def run(args: argparse.Namespace) -> int:
    from api.operator import open_practice
    from api.organizations import find_group
    from schemas.access import OrganizationKind
    from schemas.organization_forms import Terms
    from worker.commands.installation import checked, installation

    new = organization(args, OrganizationKind.PRACTICE)
    person = first_member(args, "owner")
    with installation() as site:
        with site.database.read() as session:
            group = find_group(session, args.group)
        terms = checked(
            Terms,
            {"hold_days": "--hold-days", "cases_per_month": "--cases-per-month"},
            group_id=group.id,
            hold_days=args.hold_days,
            requires_approval=args.second_signature,
            cases_per_month=args.cases_per_month,
        )
        with site.database.write() as session:
            user_id = open_practice(session, site.keys, site.invitations, person, new=new, terms=terms)
        print(f"The practice {new.name} is there; {group.name} reads its cases.")
        site.hand_over(user_id)
    return 0
