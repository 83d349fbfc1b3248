"""What waits for a person: the same rule for one row and for a count in SQL."""

from typing import Final

from sqlalchemy import ColumnElement, and_, false, not_, or_
from sqlmodel import Session, col, func, select

from api.listing import contracted_practices
from schemas.access import Member, OrganizationKind, Person
from schemas.lifecycle import Relation, Role, Taker, WaitOwner, WaitReason
from schemas.tables.case import Case

_DENTIST: Final = Taker(Role.DENTIST, Relation.OWN)
_STAFF: Final = Taker(Role.STAFF, Relation.OWN)
_ASSIGNED: Final = Taker(Role.RADIOLOGIST, Relation.ASSIGNED)
_POOL: Final = Taker(Role.RADIOLOGIST, Relation.POOL)

_TAKERS: Final[dict[str, frozenset[Taker]]] = {
    WaitOwner.PRACTICE: frozenset({_DENTIST, _STAFF}),
    WaitOwner.BILLING_OWNER: frozenset({_DENTIST}),
    WaitOwner.RADIOLOGIST: frozenset({_ASSIGNED}),
    WaitOwner.APPROVER: frozenset({Taker(Role.RADIOLOGIST, Relation.SECOND)}),
    WaitOwner.SECOND_PERSON: frozenset({_POOL, _ASSIGNED}),
    WaitOwner.SCHEDULER: frozenset({Taker(Role.SCHEDULER, Relation.OWN), Taker(Role.SCHEDULER, Relation.GROUP)}),
}
_RELEASES: Final = (WaitReason.TO_RELEASE, WaitReason.LINK_LOCKED)
"""Waits for a release, which staff do not do."""


def waits_for(row: Case, held: frozenset[Taker], *, is_owner: bool) -> bool:
    """Whether somebody who stands so to the case has the next move. Staff do not release; the plan is the owner's."""
    takers = _TAKERS.get(row.wait_owner, frozenset())
    if row.wait_reason in _RELEASES:
        takers &= {_DENTIST}
    if row.wait_owner == WaitOwner.BILLING_OWNER and not is_owner:
        return False
    return bool(takers & held)


def waiting_for(session: Session, person: Person) -> ColumnElement[bool]:
    """Submitted cases whose next move is this person's. A draft is their own unfinished work and is not counted."""
    contracted = contracted_practices(session, person)
    theirs = [_of_member(person, member, contracted) for member in person.members]
    return and_(col(Case.is_open), col(Case.wait_reason) != WaitReason.INTAKE, or_(false(), *theirs))


def not_waiting_for(session: Session, person: Person) -> ColumnElement[bool]:
    """The others; where nobody is assigned the comparison is unknown, and that is no yes."""
    return not_(func.coalesce(waiting_for(session, person), false()))


def count_waiting(session: Session, person: Person) -> int:
    return session.exec(select(func.count()).select_from(Case).where(waiting_for(session, person))).one()


def _of_member(person: Person, member: Member, contracted: frozenset[str]) -> ColumnElement[bool]:
    if member.kind is OrganizationKind.PRACTICE:
        return and_(col(Case.practice_id) == member.organization_id, _of_practice(member))
    if member.kind is OrganizationKind.READING_GROUP:
        return and_(col(Case.practice_id).in_(contracted), _of_group(person, member))
    return false()


def _of_practice(member: Member) -> ColumnElement[bool]:
    owner = col(Case.wait_owner)
    if member.role is Role.SCHEDULER:
        return owner == WaitOwner.SCHEDULER
    if member.role is Role.STAFF:
        return and_(owner == WaitOwner.PRACTICE, col(Case.wait_reason).not_in(_RELEASES))
    return owner.in_([WaitOwner.PRACTICE, *([WaitOwner.BILLING_OWNER] if member.is_owner else [])])


def _of_group(person: Person, member: Member) -> ColumnElement[bool]:
    owner = col(Case.wait_owner)
    if member.role is Role.SCHEDULER:
        return owner == WaitOwner.SCHEDULER
    me = col(Case.assignee_id) == person.user_id
    return or_(
        and_(owner == WaitOwner.RADIOLOGIST, me),
        and_(owner == WaitOwner.APPROVER, col(Case.approver_id) == person.user_id),
        and_(owner == WaitOwner.SECOND_PERSON, or_(me, col(Case.assignee_id).is_(None))),
    )
