"""``odontoflow new-password``: for somebody whose password or invitation is lost."""

import argparse
from typing import Any


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    parser = subparsers.add_parser(
        "new-password", help="end somebody's password and sessions, and invite them to choose a new one"
    )
    parser.add_argument("email", help="the address that they sign in with")


def run(args: argparse.Namespace) -> int:
    from api.operator import renew_password
    from schemas.organization_forms import Account
    from worker.commands.installation import checked, installation

    account = checked(Account, {"email": "email"}, email=args.email)
    with installation() as site:
        with site.database.write() as session:
            user_id = renew_password(session, site.invitations, account.email)
        site.hand_over(user_id)
    return 0
