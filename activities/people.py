"""Who an audience is: the people whom a step concerns, and nobody for whom the case does not exist."""

from collections.abc import Iterator, Sequence
from typing import Final

from sqlmodel import Session, col, select

from schemas.lifecycle import Role, State
from schemas.state import Audience
from schemas.tables.case import Case
from schemas.tables.people import Contract, Membership, Organization, User

DEPUTIES: Final[dict[Audience, Audience]] = {
    Audience.BILLING_OWNER: Audience.PRACTICE,
    Audience.PRACTICE: Audience.SCHEDULERS,
    Audience.ASSIGNEE: Audience.SCHEDULERS,
    Audience.APPROVER: Audience.SCHEDULERS,
    Audience.POOL: Audience.SCHEDULERS,
    Audience.SCHEDULERS: Audience.ADMINS,
}
"""Who hears of a wait in place of an audience that has nobody left."""


def members(session: Session, organization_ids: Sequence[str], *roles: Role, owner: bool = False) -> list[User]:
    """Active people with an active membership, by id."""
    statement = (
        select(User)
        .join(Membership, col(Membership.user_id) == User.id)
        .where(
            col(Membership.organization_id).in_(organization_ids),
            col(Membership.role).in_(roles),
            col(Membership.is_active),
            col(User.is_active),
        )
        .order_by(User.id)
        .distinct()
    )
    if owner:
        statement = statement.where(col(Membership.is_owner))
    return list(session.exec(statement).all())


def platform_admins(session: Session) -> list[User]:
    platforms = session.exec(select(Organization.id).where(Organization.kind == "platform")).all()
    return members(session, platforms, Role.ADMIN)


def people_of(session: Session, row: Case, audience: Audience) -> list[User]:
    """Who an audience is at this moment."""
    if audience in {Audience.ASSIGNEE, Audience.APPROVER}:
        return _reader(session, row.assignee_id if audience is Audience.ASSIGNEE else row.approver_id)
    if audience is Audience.ADMINS:
        return platform_admins(session)
    groups = session.exec(
        select(Contract.group_id).where(Contract.practice_id == row.practice_id, col(Contract.is_active))
    ).all()
    practice = [row.practice_id]
    # A draft does not exist for a reading group yet (schemas.access), so its people are told nothing of it.
    knowing = practice if row.state == State.DRAFT else [*practice, *groups]
    organizations, roles = {
        Audience.PRACTICE: (practice, (Role.DENTIST, Role.STAFF)),
        Audience.BILLING_OWNER: (practice, (Role.DENTIST,)),
        Audience.SCHEDULERS: (knowing, (Role.SCHEDULER,)),
        Audience.POOL: (list(groups), (Role.RADIOLOGIST,)),
    }[audience]
    return members(session, organizations, *roles, owner=audience is Audience.BILLING_OWNER)


def _reader(session: Session, user_id: str | None) -> list[User]:
    """The person, unless they have left or read no cases any more."""
    statement = (
        select(User)
        .join(Membership, col(Membership.user_id) == User.id)
        .where(
            User.id == user_id,
            Membership.role == Role.RADIOLOGIST,
            col(Membership.is_active),
            col(User.is_active),
        )
        .distinct()
    )
    return list(session.exec(statement).all())


def with_deputies(audience: Audience) -> Iterator[Audience]:
    """The audience, then those who stand in for it, in their order."""
    yield audience
    while (deputy := DEPUTIES.get(audience)) is not None:
        yield deputy
        audience = deputy
