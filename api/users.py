"""People and their roles: an administrator's for everybody, a practice's owner's for their own practice.

Nobody changes their own account or role. Whoever is disabled is signed out everywhere at once.
"""

from collections.abc import Sequence

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, or_, select

from api.invitations import Invitations
from api.realms import NotYourself, Realm, audit, memberships_of, need_other, need_user
from api.registrations import register, registrations_of
from infra.database import now
from infra.sessions import Sessions
from schemas.access import OrganizationKind
from schemas.errors import NotFound, StateConflict
from schemas.ids import new_id
from schemas.lifecycle import Role
from schemas.mail import MailOutcome
from schemas.people_forms import MembershipView, NewUser, Standing, UserSearch, UserView
from schemas.registration_forms import NewRegistration
from schemas.tables.mail import OutgoingMail
from schemas.tables.people import Membership, Organization, User
from schemas.tables.people import Session as SessionRow
from schemas.translation import N_


class UserExists(StateConflict):
    code = "user_exists"
    title = N_("Somebody with this address has an account. An administrator can add them to another organization.")


class MemberAlready(StateConflict):
    code = "member_already"
    title = N_("This person has that role in that organization already.")


def find_users(session: Session, realm: Realm, search: UserSearch) -> tuple[list[UserView], str | None]:
    """By name, address or organization, in the order of their creation; and the cursor of the next page."""
    statement = select(User).order_by(col(User.id)).limit(search.limit + 1)
    if realm.organization_id is not None:
        members = select(Membership.user_id).where(Membership.organization_id == realm.organization_id)
        statement = statement.where(col(User.id).in_(members))
    if search.text:
        like = f"%{search.text.lower().replace('%', '').replace('_', '')}%"
        of_organization = (
            select(Membership.user_id)
            .join(Organization, col(Organization.id) == Membership.organization_id)
            .where(func.lower(Organization.name).like(like))
        )
        if realm.organization_id is not None:
            # Where else their people work is not for an owner to find out.
            of_organization = of_organization.where(Membership.organization_id == realm.organization_id)
        statement = statement.where(
            or_(func.lower(User.name).like(like), col(User.email).like(like), col(User.id).in_(of_organization))
        )
    if search.cursor:
        statement = statement.where(col(User.id) > search.cursor)
    users = session.exec(statement).all()
    shown = users[: search.limit]
    return _views(session, realm, shown), (shown[-1].id if len(users) > search.limit else None)


def user_view(session: Session, realm: Realm, user_id: str) -> UserView:
    return _views(session, realm, [need_user(session, realm, user_id)])[0]


def _views(session: Session, realm: Realm, users: Sequence[User]) -> list[UserView]:
    ids = [user.id for user in users]
    statement = (
        select(Membership, Organization)
        .join(Organization, col(Organization.id) == Membership.organization_id)
        .where(col(Membership.user_id).in_(ids))
        .order_by(col(Membership.created_at))
    )
    if realm.organization_id is not None:
        statement = statement.where(Membership.organization_id == realm.organization_id)
    members: dict[str, list[MembershipView]] = {}
    for row, organization in session.exec(statement).all():
        members.setdefault(row.user_id, []).append(
            MembershipView(
                organization_id=organization.id,
                organization=organization.name,
                kind=organization.kind,
                role=row.role,
                owner=row.is_owner,
                approver=row.is_approver,
                active=row.is_active,
            )
        )
    seen = dict(
        session.exec(
            select(SessionRow.user_id, func.max(SessionRow.last_seen_at))
            .where(col(SessionRow.user_id).in_(ids))
            .group_by(col(SessionRow.user_id))
        ).all()
    )
    fails = _mail_fails(session, ids)
    # Where else their people may work is not for an owner to find out.
    registrations = registrations_of(session, ids) if realm.organization_id is None else {}
    return [
        UserView(
            id=user.id,
            name=user.name,
            email=user.email,
            is_active=user.is_active and _is_member(realm, members.get(user.id, [])),
            created_at=user.created_at,
            last_seen_at=seen.get(user.id),
            mail_fails=user.id in fails,
            memberships=members.get(user.id, []),
            registrations=registrations.get(user.id, []),
        )
        for user in users
    ]


def _mail_fails(session: Session, user_ids: Sequence[str]) -> set[str]:
    """Those to whom a mail could not be delivered, and none was since."""
    later = aliased(OutgoingMail)
    reached_since = select(later.id).where(
        later.user_id == OutgoingMail.user_id,
        later.outcome == MailOutcome.SENT,
        col(later.done_at) > col(OutgoingMail.done_at),
    )
    statement = select(OutgoingMail.user_id).where(
        col(OutgoingMail.user_id).in_(user_ids),
        OutgoingMail.outcome == MailOutcome.UNDELIVERABLE,
        ~reached_since.exists(),
    )
    return {user_id for user_id in session.exec(statement).all() if user_id}


def _is_member(realm: Realm, members: Sequence[MembershipView]) -> bool:
    return realm.organization_id is None or any(member.active for member in members)


def invite(session: Session, realm: Realm, invitations: Invitations, new: NewUser) -> str:
    """Adds somebody and owes them an invitation, in the caller's transaction; returns the id.

    An administrator may give a further role to somebody who has an account; they need no invitation.
    """
    if realm.organization_id not in {None, new.organization_id}:
        raise NotFound()
    organization = session.get(Organization, new.organization_id)
    if organization is None:
        raise NotFound()
    new.check(OrganizationKind(organization.kind))
    user = session.exec(select(User).where(User.email == new.email)).one_or_none()
    if user is not None and realm.organization_id is not None:
        raise UserExists()
    if user is not None and user.id == realm.person.user_id:
        raise NotYourself()
    if user is None:
        user = User(
            id=new_id("usr"),
            email=new.email,
            name=new.name,
            password_hash=invitations.unusable_password(),
            time_zone=organization.time_zone,
            created_at=now(),
        )
        session.add(user)
        session.flush()
        invitations.owe(session, user)
    _add_membership(session, user, new)
    _register(session, user, new)
    session.flush()
    audit(session, realm, "user.invite", user.id, organization_id=organization.id, role=new.role)
    return user.id


def _add_membership(session: Session, user: User, new: NewUser) -> None:
    known = session.exec(
        select(Membership).where(
            Membership.user_id == user.id,
            Membership.organization_id == new.organization_id,
            Membership.role == new.role,
        )
    ).one_or_none()
    if known is not None:
        raise MemberAlready()
    session.add(
        Membership(
            id=new_id("mem"),
            user_id=user.id,
            organization_id=new.organization_id,
            role=new.role,
            is_owner=new.owner,
            is_approver=new.approver,
            created_at=now(),
        )
    )


def _register(session: Session, user: User, new: NewUser) -> None:
    if not new.registration_number or new.role is not Role.RADIOLOGIST:
        return
    wanted = (new.jurisdiction, new.registration_number)
    known = registrations_of(session, [user.id]).get(user.id, [])
    if wanted not in [(each.jurisdiction, each.number) for each in known]:
        register(session, user.id, NewRegistration(number=new.registration_number, jurisdiction=new.jurisdiction))


def invite_again(session: Session, realm: Realm, invitations: Invitations, user_id: str) -> None:
    """A new link for somebody who has never signed in; earlier ones are dead. Raises StateConflict afterwards."""
    user = need_other(session, realm, user_id)
    view = _views(session, realm, [user])[0]
    if view.last_seen_at is not None or not view.is_active:
        raise StateConflict(N_("An invitation is for an active account that has never been used."))
    user.password_hash = invitations.unusable_password()
    invitations.owe(session, user)
    session.flush()
    audit(session, realm, "user.invite_again", user.id)


def disable(session: Session, realm: Realm, user_id: str) -> None:
    """Ends the account, or for an owner the membership; and every session, at once."""
    user = need_other(session, realm, user_id)
    if realm.organization_id is None:
        user.is_active = False
    else:
        for row in memberships_of(session, realm, user_id):
            row.is_active = False
    Sessions.end_all_of(session, user_id)
    session.flush()
    audit(session, realm, "user.disable", user_id)


def enable(session: Session, realm: Realm, user_id: str) -> None:
    user = need_other(session, realm, user_id)
    if realm.organization_id is None:
        user.is_active = True
    else:
        for row in memberships_of(session, realm, user_id):
            row.is_active = True
    session.flush()
    audit(session, realm, "user.enable", user_id)


def change_role(session: Session, realm: Realm, user_id: str, organization_id: str, standing: Standing) -> None:
    """One role in one organization, in place of what it was there. Raises NotFound, RoleNotThere, FlagNotThere."""
    need_other(session, realm, user_id)
    if realm.organization_id not in {None, organization_id}:
        raise NotFound()
    organization = session.get(Organization, organization_id)
    rows = session.exec(
        select(Membership)
        .where(Membership.user_id == user_id, Membership.organization_id == organization_id)
        .order_by(col(Membership.created_at))
    ).all()
    if organization is None or not rows:
        raise NotFound()
    standing.check(OrganizationKind(organization.kind))
    kept = next((row for row in rows if row.role == standing.role), rows[0])
    for row in rows:
        if row is not kept:
            session.delete(row)
    session.flush()
    kept.role, kept.is_owner, kept.is_approver = standing.role, standing.owner, standing.approver
    session.flush()
    audit(
        session,
        realm,
        "user.change_role",
        user_id,
        organization_id=organization_id,
        role=standing.role,
        owner=standing.owner,
        approver=standing.approver,
    )
