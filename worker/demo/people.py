"""The demo's organizations, people, contracts and plans. Embedded mode only: the accounts and their password are public."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, select

from api.organizations import add_organization, add_practice
from infra.database import now
from infra.demo_accounts import DEMO_PASSWORD
from infra.keystore import KeyStore
from infra.passwords import Passwords
from schemas.access import OrganizationKind
from schemas.ids import new_id
from schemas.lifecycle import Role
from schemas.organization_forms import NewOrganization, Terms
from schemas.tables.people import Membership, Organization, Registration, User

ZONE: Final = "Europe/Zurich"
JURISDICTION: Final = "CH"


@dataclass(frozen=True)
class DemoOrganization:
    code: str
    kind: OrganizationKind
    name: str
    address: str = ""
    phone: str = ""
    accent: str = "#0f5ea8"


@dataclass(frozen=True)
class DemoPerson:
    account: str
    name: str
    organization: str
    role: Role
    is_owner: bool = False
    is_approver: bool = False
    registration: str = ""


ORGANIZATIONS: Final = (
    DemoOrganization(
        "alpine",
        OrganizationKind.READING_GROUP,
        "Alpine Oral Radiology",
        "Rämistrasse 71\n8006 Zürich",
        "+41 44 555 07 10",
    ),
    DemoOrganization(
        "seefeld",
        OrganizationKind.PRACTICE,
        "Seefeld Dental Practice",
        "Seefeldstrasse 114\n8008 Zürich",
        "+41 44 555 01 14",
    ),
    DemoOrganization(
        "limmat",
        OrganizationKind.PRACTICE,
        "Limmat Oral Surgery",
        "Limmatquai 62\n8001 Zürich",
        "+41 44 555 06 20",
        accent="#7a3e9d",
    ),
    DemoOrganization("platform", OrganizationKind.PLATFORM, "OdontoFlow"),
)
PEOPLE: Final = (
    DemoPerson("dentist", "Dr. Laura Keller", "seefeld", Role.DENTIST, is_owner=True),
    DemoPerson("staff", "Marco Bianchi", "seefeld", Role.STAFF),
    DemoPerson("dentist2", "Dr. Samuel Frei", "limmat", Role.DENTIST, is_owner=True),
    DemoPerson("radiologist", "Dr. Elena Novak", "alpine", Role.RADIOLOGIST, registration="CH-OMR-20417"),
    DemoPerson(
        "radiologist2",
        "Prof. Henrik Aalto",
        "alpine",
        Role.RADIOLOGIST,
        is_approver=True,
        registration="CH-OMR-11093",
    ),
    DemoPerson("scheduler", "Nadia Roth", "alpine", Role.SCHEDULER),
    DemoPerson("admin", "Platform administrator", "platform", Role.ADMIN),
)


def add_people(session: Session, keys: KeyStore, passwords: Passwords) -> dict[str, str]:
    """Adds everybody, once; returns the organizations' ids by code."""
    if session.exec(select(User.id).where(User.email == "admin@demo.test")).first() is not None:
        names = {organization.name: organization.code for organization in ORGANIZATIONS}
        rows = session.exec(select(Organization.name, Organization.id)).all()
        return {names[name]: organization_id for name, organization_id in rows if name in names}
    ids: dict[str, str] = {}
    for organization in ORGANIZATIONS:
        ids[organization.code] = _add_organization(session, keys, organization, ids)
    password_hash = passwords.hash(DEMO_PASSWORD)
    for person in PEOPLE:
        _add_person(session, person, ids[person.organization], password_hash)
    return ids


def _add_organization(session: Session, keys: KeyStore, demo: DemoOrganization, known: Mapping[str, str]) -> str:
    """Both practices keep Zürich's hours and are read by the one group; Limmat asks for a second signature."""
    new = NewOrganization(
        kind=demo.kind,
        name=demo.name,
        time_zone=ZONE,
        jurisdiction=JURISDICTION,
        address=demo.address,
        phone=demo.phone,
        accent_colour=demo.accent,
    )
    if demo.kind is not OrganizationKind.PRACTICE:
        return add_organization(session, keys, new).id
    terms = Terms(group_id=known["alpine"], requires_approval=demo.code == "limmat", cases_per_month=200)
    return add_practice(session, keys, new, terms).id


def _add_person(session: Session, demo: DemoPerson, organization_id: str, password_hash: str) -> None:
    user_id = new_id("usr")
    session.add(
        User(
            id=user_id,
            email=f"{demo.account}@demo.test",
            name=demo.name,
            password_hash=password_hash,
            time_zone=ZONE,
            created_at=now(),
        )
    )
    session.flush()
    session.add(
        Membership(
            id=new_id("mem"),
            user_id=user_id,
            organization_id=organization_id,
            role=demo.role,
            is_owner=demo.is_owner,
            is_approver=demo.is_approver,
            created_at=now(),
        )
    )
    if demo.registration:
        session.add(
            Registration(id=new_id("mem"), user_id=user_id, jurisdiction=JURISDICTION, number=demo.registration)
        )
