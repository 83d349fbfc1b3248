"""The way in: the first administrator, organizations with their first members, and lost passwords, on the command line."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlmodel import col, select

from activities.records.opening import policy_of
from api.invitations import InvitationOver, Invitations
from infra.key_file import load_master_keys
from infra.keystore import KeyStore
from infra.passwords import Passwords
from infra.sessions import BROWSER, Sessions, WrongCredentials
from infra.settings import Settings
from schemas.tables.people import Contract, Membership, Organization, Plan, User
from schemas.tables.wires import AuditRow
from tests.servers.relay import relay
from tests.worker.commands import (
    Site,
    database,
    mariadb_engine,
    site,
    sqlite_database,
    sqlite_engine,
    sqlite_site,
)

__all__ = ["database", "mariadb_engine", "site", "sqlite_database", "sqlite_engine", "sqlite_site"]

ADMIN = "admin@reports.example"
PASSWORD = "a-long-test-password"
GROUP = (
    *("add-group", "Alpine Oral Radiology", "--scheduler", "nadia@alpine.example", "--scheduler-name", "Nadia Roth"),
    *("--time-zone", "Europe/Zurich", "--jurisdiction", "ch"),
)
PRACTICE = (
    *("add-practice", "Seefeld Dental", "--owner", "laura@seefeld.example", "--owner-name", "Dr. Laura Keller"),
    *("--time-zone", "Europe/Zurich", "--jurisdiction", "CH", "--group", "alpine oral radiology"),
)


@contextmanager
def settings_of(site: Site) -> Iterator[Settings]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in site.env.items():
            patch.setenv(name, value)
        yield Settings()


def invitations(site: Site) -> Invitations:
    with settings_of(site) as settings:
        return Invitations(
            site.database,
            KeyStore(site.database, load_master_keys(settings)),
            Passwords(settings),
        )


def link(said: str) -> str:
    """The token of the link that was printed."""
    (token,) = re.findall(r"https://reports\.example/welcome/(\S+)", said)
    return str(token)


def sign_in(site: Site, email: str) -> None:
    """As the sign-in page does. Raises when the password is wrong."""
    with settings_of(site) as settings:
        Sessions(site.database, Passwords(settings), settings).sign_in(email, PASSWORD, BROWSER, "127.0.0.1")


def memberships(site: Site, email: str) -> list[tuple[str, str, bool]]:
    with site.database.read() as session:
        return [
            (organization.name, member.role, member.is_owner)
            for member, organization in session.exec(
                select(Membership, Organization)
                .join(Organization, col(Organization.id) == Membership.organization_id)
                .join(User, col(User.id) == Membership.user_id)
                .where(User.email == email)
            ).all()
        ]


def test_the_first_administrator_is_invited_and_signs_in(site: Site) -> None:
    code, said, _ = site.run("first-admin", " Admin@Reports.Example", "--name", "Ada Reed")
    assert code == 0
    assert invitations(site).accept(link(said), PASSWORD) == ADMIN
    sign_in(site, ADMIN)
    assert memberships(site, ADMIN) == [("OdontoFlow", "admin", False)]
    with site.database.read() as session:
        acts = session.exec(select(AuditRow.act, AuditRow.actor_id).order_by(col(AuditRow.id))).all()
    assert ("user.invite", "operator") in acts
    assert ("organization.add", "operator") in acts


def test_a_repeated_first_admin_replaces_the_invitation_and_later_refuses(sqlite_site: Site) -> None:
    _, said, _ = sqlite_site.run("first-admin", ADMIN)
    first = link(said)
    code, said, _ = sqlite_site.run("first-admin", ADMIN)
    assert code == 0
    with pytest.raises(InvitationOver):
        invitations(sqlite_site).accept(first, PASSWORD)
    invitations(sqlite_site).accept(link(said), PASSWORD)
    sign_in(sqlite_site, ADMIN)
    for email, way_out in ((ADMIN, f"odontoflow new-password {ADMIN}"), ("other@reports.example", ADMIN)):
        code, said, complaints = sqlite_site.run("first-admin", email)
        assert (code, said, complaints.count("\n")) == (1, "", 1)
        assert way_out in complaints
    sign_in(sqlite_site, ADMIN)
    with sqlite_site.database.read() as session:
        assert len(session.exec(select(Organization)).all()) == len(session.exec(select(User)).all()) == 1


def test_a_group_and_a_practice_can_work_as_soon_as_they_are_there(site: Site) -> None:
    code, said, complaints = site.run(*GROUP)
    assert (code, "Alpine Oral Radiology is there" in said) == (0, True), complaints
    invitations(site).accept(link(said), PASSWORD)
    sign_in(site, "nadia@alpine.example")
    address = ("--address", "Seefeldstrasse 114", "--address", "8008 Zürich", "--phone", "+41 44 555 01 14")
    code, said, complaints = site.run(
        *PRACTICE, *address, "--hold-days", "3", "--second-signature", "--cases-per-month", "40"
    )
    assert (code, "Alpine Oral Radiology reads its cases" in said) == (0, True), complaints
    invitations(site).accept(link(said), PASSWORD)
    assert memberships(site, "laura@seefeld.example") == [("Seefeld Dental", "dentist", True)]
    assert memberships(site, "nadia@alpine.example") == [("Alpine Oral Radiology", "scheduler", False)]
    with site.database.read() as session:
        practice = session.exec(select(Organization).where(Organization.kind == "practice")).one()
        group = session.exec(select(Organization).where(Organization.kind == "reading_group")).one()
        assert (practice.jurisdiction, practice.address) == ("CH", "Seefeldstrasse 114\n8008 Zürich")
        assert session.exec(select(Contract.group_id).where(Contract.practice_id == practice.id)).all() == [group.id]
        policy = policy_of(session, practice.id)
        assert (policy.id, policy.hold_days, policy.requires_approval) == (practice.id, 3, True)
        assert policy.calendar.time_zone == "Europe/Zurich"
        plan = session.get_one(Plan, practice.id)
        assert (plan.is_paid, plan.cases_per_month) == (True, 40)


def test_a_second_organization_of_the_same_name_is_refused(sqlite_site: Site) -> None:
    assert sqlite_site.run(*GROUP)[0] == 0
    assert sqlite_site.run(*PRACTICE)[0] == 0
    for again in (GROUP, PRACTICE):
        code, said, complaints = sqlite_site.run(*again)
        assert (code, said, complaints.count("\n")) == (1, "", 1)
        assert "is there already" in complaints
    with sqlite_site.database.read() as session:
        assert len(session.exec(select(Organization)).all()) == len(session.exec(select(User)).all()) == 2


def test_somebody_with_an_account_owns_a_second_practice_without_an_invitation(sqlite_site: Site) -> None:
    sqlite_site.run(*GROUP)
    _, said, _ = sqlite_site.run(*PRACTICE)
    invitations(sqlite_site).accept(link(said), PASSWORD)
    code, said, _ = sqlite_site.run("add-practice", "Limmat Dental", *PRACTICE[2:])
    assert (code, "/welcome/" in said) == (0, False)
    assert "has an account already" in said
    sign_in(sqlite_site, "laura@seefeld.example")
    assert len(memberships(sqlite_site, "laura@seefeld.example")) == 2


def test_a_lost_password_is_replaced_by_an_invitation(sqlite_site: Site) -> None:
    _, said, _ = sqlite_site.run("first-admin", ADMIN)
    invitations(sqlite_site).accept(link(said), PASSWORD)
    sign_in(sqlite_site, ADMIN)
    code, said, _ = sqlite_site.run("new-password", ADMIN)
    assert code == 0
    with pytest.raises(WrongCredentials):
        sign_in(sqlite_site, ADMIN)
    invitations(sqlite_site).accept(link(said), PASSWORD)
    sign_in(sqlite_site, ADMIN)
    code, _, complaints = sqlite_site.run("new-password", "nobody@reports.example")
    assert (code, complaints.count("\n")) == (1, 1)


def test_a_disabled_account_is_neither_invited_nor_given_anything(sqlite_site: Site) -> None:
    sqlite_site.run("first-admin", ADMIN)
    with sqlite_site.database.write() as session:
        session.exec(select(User)).one().is_active = False
    for argv in (("first-admin", ADMIN), ("new-password", ADMIN), (*GROUP[:3], ADMIN, *GROUP[4:])):
        code, said, complaints = sqlite_site.run(*argv)
        assert (code, said, complaints.count("\n")) == (1, "", 1)
        assert "disabled" in complaints
    assert sqlite_site.run("first-admin", "other@reports.example")[0] == 0


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (("first-admin", "nobody"), "email: this is not an address"),
        (("first-admin", ADMIN, "--name", " "), "--name"),
        (("first-admin", ADMIN, "--time-zone", "Zurich"), "--time-zone"),
        (("new-password", "nobody"), "email: this is not an address"),
        ((*GROUP, "--time-zone", "Mars/Olympus"), "--time-zone: this is not an IANA time zone"),
        ((*GROUP, "--jurisdiction", "Switzerland"), "--jurisdiction: this is not an ISO 3166 code"),
        ((*GROUP, "--scheduler", "nadia"), "--scheduler: this is not an address"),
        ((*PRACTICE, "--owner-name", ""), "--owner-name"),
        ((*PRACTICE, "--hold-days", "5"), "--hold-days"),
        ((*PRACTICE, "--cases-per-month", "0"), "--cases-per-month"),
        ((*PRACTICE, "--group", "Nobody"), "There are: Alpine Oral Radiology."),
        (PRACTICE[:2], "--owner, --owner-name, --time-zone"),
    ],
)
def test_wrong_input_is_one_line_that_names_it_and_changes_nothing(
    sqlite_site: Site, argv: tuple[str, ...], named: str
) -> None:
    if argv[0] == "add-practice":
        sqlite_site.run(*GROUP)
    with sqlite_site.database.read() as session:
        before = len(session.exec(select(Organization)).all())
    code, said, complaints = sqlite_site.run(*argv)
    assert (code in {1, 2}, said, complaints.count("\n")) == (True, "", 1)
    assert named in complaints
    with sqlite_site.database.read() as session:
        assert len(session.exec(select(Organization)).all()) == before


def test_an_installation_that_is_not_ready_is_one_line(sqlite_site: Site) -> None:
    for name, value, said in (
        ("ODONTOFLOW_PUBLIC_URL", "", "ODONTOFLOW_PUBLIC_URL is empty"),
        ("ODONTOFLOW_DATABASE_URL", f"sqlite:///{sqlite_site.home}/empty.db", "odontoflow migrate"),
        ("ODONTOFLOW_DATABASE_URL", "mysql+pymysql://u:secretword@127.0.0.1:9/odontoflow", "cannot be opened"),
        ("ODONTOFLOW_DATABASE_URL", "a database", "ODONTOFLOW_DATABASE_URL"),
    ):
        before = sqlite_site.env[name]
        sqlite_site.env[name] = value
        code, _, complaints = sqlite_site.run("first-admin", ADMIN)
        assert (code, complaints.count("\n")) == (1, 1), complaints
        assert said in complaints
        assert "secretword" not in complaints
        sqlite_site.env[name] = before


def test_without_a_relay_the_invitation_is_printed_and_nothing_serves(sqlite_site: Site) -> None:
    del sqlite_site.env["ODONTOFLOW_SMTP_URL"]
    code, said, complaints = sqlite_site.run("first-admin", ADMIN)
    assert (code, complaints) == (0, "")
    assert "ODONTOFLOW_SMTP_URL is empty" in said
    invitations(sqlite_site).accept(link(said), PASSWORD)
    for command in ("api", "worker"):
        code, _, complaints = sqlite_site.run(command)
        assert (code, complaints.count("\n")) == (1, 1)
        assert "ODONTOFLOW_SMTP_URL" in complaints


def test_with_a_relay_the_invitation_is_mailed_and_not_shown(sqlite_site: Site) -> None:
    with relay() as post:
        sqlite_site.env["ODONTOFLOW_SMTP_URL"] = f"smtp://127.0.0.1:{post.port}"
        code, said, complaints = sqlite_site.run("first-admin", ADMIN)
        assert (code, said, complaints) == (0, f"The invitation was mailed to {ADMIN}.\n", "")
        ((recipient, mail),) = post.taken
        assert recipient == ADMIN
        text = mail.get_payload(decode=True)
        assert isinstance(text, bytes)
        assert invitations(sqlite_site).accept(link(text.decode()), PASSWORD) == ADMIN

        post.answers["nadia@alpine.example"] = 550
        code, said, _ = sqlite_site.run(*GROUP)
        assert code == 0
        assert "No mail was sent" in said
        assert invitations(sqlite_site).accept(link(said), PASSWORD) == "nadia@alpine.example"
