"""New organizations: the row with its key and its place in the audit trail; for a practice also contract and plan."""

from sqlmodel import Session, col, select

from infra.database import now
from infra.keystore import KeyStore
from schemas.access import OrganizationKind
from schemas.errors import NotFound, StateConflict
from schemas.ids import new_id
from schemas.organization_forms import NewOrganization, Terms
from schemas.tables.people import Contract, Organization, Plan
from schemas.tables.wires import Head
from schemas.translation import N_


class OrganizationExists(StateConflict):
    code = "organization_exists"
    title = N_("An organization of this kind and name is there already.")


class GroupUnknown(NotFound):
    code = "group_unknown"
    title = N_("There is no reading group of this name or id.")


def add_organization(session: Session, keys: KeyStore, new: NewOrganization) -> Organization:
    """In the caller's transaction. Raises OrganizationExists for another one of the same kind and name."""
    if new.name.casefold() in {each.name.casefold() for each in organizations(session, new.kind)}:
        raise OrganizationExists()
    organization_id = new_id("org")
    key = keys.create(session, "practice", organization_id)
    organization = Organization(id=organization_id, key_id=key.id, created_at=now(), **new.model_dump())
    session.add(organization)
    session.add(Head(name=f"audit:{organization_id}"))
    session.flush()
    return organization


def add_practice(session: Session, keys: KeyStore, new: NewOrganization, terms: Terms) -> Organization:
    """A practice that may submit at once: its contract with a reading group and its plan come with it.

    Raises OrganizationExists, and GroupUnknown where ``terms`` name no reading group.
    """
    group = session.get(Organization, terms.group_id)
    if group is None or group.kind != OrganizationKind.READING_GROUP:
        raise GroupUnknown()
    practice = add_organization(session, keys, new)
    policy = terms.policy(practice.id, practice.time_zone)
    session.add(
        Contract(
            id=new_id("con"),
            practice_id=practice.id,
            group_id=group.id,
            policy=policy.model_dump_json(),
            created_at=practice.created_at,
        )
    )
    session.add(
        Plan(
            practice_id=practice.id,
            code="practice",
            cases_per_month=terms.cases_per_month,
            renewed_at=practice.created_at,
        )
    )
    session.flush()
    return practice


def organizations(session: Session, kind: OrganizationKind) -> list[Organization]:
    """All of one kind, the oldest first."""
    statement = select(Organization).where(Organization.kind == kind).order_by(col(Organization.created_at))
    return list(session.exec(statement).all())


def find_group(session: Session, text: str) -> Organization:
    """A reading group by its id or its name. Raises GroupUnknown."""
    groups = organizations(session, OrganizationKind.READING_GROUP)
    for group in groups:
        if text == group.id or text.strip().casefold() == group.name.casefold():
            return group
    known = f"There are: {', '.join(group.name for group in groups)}." if groups else "None was added yet."
    raise GroupUnknown(f"There is no reading group “{text}”. {known}")
