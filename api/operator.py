"""The operator: who has an installation's command line, and with it its keys. Acts without an account.

The first administrator, the organizations and lost passwords are the operator's; everything later is an administrator's.
"""

from typing import Final

from sqlmodel import Session, col, select

from api.invitations import Invitations
from api.organizations import add_organization, add_practice, organizations
from api.realms import Realm
from api.users import invite
from infra.audit import write_audit
from infra.database import now, take_numbers
from infra.keystore import KeyStore
from infra.sessions import Sessions
from schemas.access import OrganizationKind, Person
from schemas.errors import NotFound, StateConflict
from schemas.lifecycle import Role
from schemas.organization_forms import FirstMember, NewOrganization, Terms
from schemas.people_forms import NewUser
from schemas.tables.people import Membership, Organization, User
from schemas.tables.people import Session as SessionRow
from schemas.translation import N_

OPERATOR: Final = Realm(Person(user_id="operator", session_id="command-line", members=()))


class AdministratorExists(StateConflict):
    code = "administrator_exists"
    title = N_("There is an administrator already.")


class AccountUnknown(NotFound):
    code = "account_unknown"
    title = N_("Nobody has an account with this address.")


class AccountDisabled(StateConflict):
    code = "account_disabled"
    title = N_("The account with this address is disabled. An administrator can enable it.")


def _one_at_a_time(session: Session) -> None:
    """Holds other operators' commands back until the commit: each looks first and then adds."""
    take_numbers(session, "operator", 0)


def _note(session: Session, act: str, subject_id: str, **detail: str | bool) -> None:
    """The audit row of what the operator did. Last in the transaction."""
    write_audit(
        session, scope=OPERATOR.scope, act=act, actor=OPERATOR.actor, at=now(), subject_id=subject_id, detail=detail
    )


def add_first_admin(
    session: Session, keys: KeyStore, invitations: Invitations, person: FirstMember, platform: NewOrganization
) -> str:
    """The platform's organization, where it is missing, and its administrator with an invitation; returns their id.

    Again for the same address: a new invitation for as long as the person has never signed in. Who has an account
    already needs none. Raises AdministratorExists, AccountDisabled.
    """
    _one_at_a_time(session)
    known = {user.email: user for user in _administrators(session)}
    if person.email in known:
        user = known[person.email]
        if session.exec(select(SessionRow.id).where(SessionRow.user_id == user.id)).first() is not None:
            raise AdministratorExists(
                f"{user.email} is an administrator already and has signed in. "
                f"For a lost password: odontoflow new-password {user.email}"
            )
        return renew_password(session, invitations, user.email)
    if known:
        raise AdministratorExists(
            f"There is an administrator already: {', '.join(known)}. They add others on their page “Users”."
        )
    there = organizations(session, OrganizationKind.PLATFORM)
    organization = there[0] if there else add_organization(session, keys, platform)
    user_id = _first_member(session, invitations, person, organization, Role.ADMIN)
    if not there:
        _note_new(session, organization)
    return user_id


def open_group(
    session: Session, keys: KeyStore, invitations: Invitations, person: FirstMember, new: NewOrganization
) -> str:
    """A reading group and its scheduler; returns the scheduler's id. Raises OrganizationExists, AccountDisabled."""
    _one_at_a_time(session)
    group = add_organization(session, keys, new)
    user_id = _first_member(session, invitations, person, group, Role.SCHEDULER)
    _note_new(session, group)
    return user_id


def open_practice(
    session: Session,
    keys: KeyStore,
    invitations: Invitations,
    person: FirstMember,
    *,
    new: NewOrganization,
    terms: Terms,
) -> str:
    """A practice with its contract and plan, and its owner, a dentist; returns the owner's id.

    Raises OrganizationExists, GroupUnknown, AccountDisabled.
    """
    _one_at_a_time(session)
    practice = add_practice(session, keys, new, terms)
    user_id = _first_member(session, invitations, person, practice, Role.DENTIST)
    _note_new(session, practice)
    return user_id


def _note_new(session: Session, organization: Organization) -> None:
    _note(session, "organization.add", organization.id, organization_id=organization.id, kind=organization.kind)


def _first_member(
    session: Session, invitations: Invitations, person: FirstMember, organization: Organization, role: Role
) -> str:
    known = session.exec(select(User).where(User.email == person.email)).one_or_none()
    if known is not None and not known.is_active:
        raise AccountDisabled(f"The account of {person.email} is disabled. Enable it first, or give another address.")
    new = NewUser(
        name=person.name,
        email=person.email,
        organization_id=organization.id,
        role=role,
        owner=role is Role.DENTIST,
    )
    return invite(session, OPERATOR, invitations, new)


def renew_password(session: Session, invitations: Invitations, email: str) -> str:
    """Ends a person's password and sessions, and invites them to choose a new one; returns their id.

    Raises AccountUnknown, AccountDisabled.
    """
    user = session.exec(select(User).where(User.email == email).with_for_update()).one_or_none()
    if user is None:
        raise AccountUnknown()
    if not user.is_active:
        raise AccountDisabled()
    user.password_hash = invitations.unusable_password()
    invitations.owe(session, user)
    Sessions.end_all_of(session, user.id)
    session.flush()
    _note(session, "user.new_password", user.id)
    return user.id


def _administrators(session: Session) -> list[User]:
    """Those who can sign in, the one who was there first in front."""
    statement = (
        select(User)
        .join(Membership, col(Membership.user_id) == User.id)
        .join(Organization, col(Organization.id) == Membership.organization_id)
        .where(
            Organization.kind == OrganizationKind.PLATFORM,
            Membership.role == Role.ADMIN,
            col(Membership.is_active),
            col(User.is_active),
        )
        .order_by(col(Membership.created_at))
    )
    return list(session.exec(statement).all())
