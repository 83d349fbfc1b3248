"""Who may read for a practice: active radiologists of its reading groups, registered where the practice is."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, col, func, select

from schemas.errors import StateConflict
from schemas.lifecycle import Role
from schemas.tables.case import Case
from schemas.tables.people import Contract, Membership, Organization, Registration, User
from schemas.translation import N_


class ReaderNotEligible(StateConflict):
    code = "reader_not_eligible"
    title = N_(
        "This radiologist cannot read for the practice: not active in its reading group, or not registered there. Choose another one."
    )


class ApproverNotEligible(StateConflict):
    code = "approver_not_eligible"
    title = N_("This person cannot approve for the practice. Choose an approver of its reading group.")


class Reader(NamedTuple):
    user: User
    registration: Registration
    is_approver: bool


def eligible_readers(session: Session, practice_id: str, at: datetime) -> Sequence[Reader]:
    """In the order of their ids, so that everybody who asks gets the same order."""
    rows = session.exec(
        select(User, Registration, Membership.is_approver)
        .join(Membership, col(Membership.user_id) == User.id)
        .join(Contract, col(Contract.group_id) == Membership.organization_id)
        .join(Organization, col(Organization.id) == Contract.practice_id)
        .join(
            Registration,
            (col(Registration.user_id) == User.id) & (col(Registration.jurisdiction) == Organization.jurisdiction),
        )
        .where(
            Contract.practice_id == practice_id,
            col(Contract.is_active),
            col(Membership.is_active),
            Membership.role == Role.RADIOLOGIST,
            col(User.is_active),
            col(Registration.valid_until).is_(None) | (col(Registration.valid_until) > at),
        )
        .order_by(User.id)
    ).all()
    return [Reader(*row) for row in rows]


def need_reader(session: Session, practice_id: str, user_id: str | None, at: datetime) -> Reader:
    for reader in eligible_readers(session, practice_id, at):
        if reader.user.id == user_id:
            return reader
    raise ReaderNotEligible()


def need_approver(session: Session, practice_id: str, user_id: str | None, at: datetime) -> Reader:
    for reader in eligible_readers(session, practice_id, at):
        if reader.user.id == user_id and reader.is_approver:
            return reader
    raise ApproverNotEligible()


def choose_reader(
    session: Session, row: Case, passed_over: Sequence[str], at: datetime, preferred: str | None = None
) -> str | None:
    """Who gets the case: who had the offer already, the reader who knows the patient, or the one with the fewest cases.

    Earlier work with the same patient goes first because comparing with what one has read is quicker and safer.
    """
    candidates = [reader.user.id for reader in eligible_readers(session, row.practice_id, at)]
    candidates = [user_id for user_id in candidates if user_id not in passed_over]
    if not candidates:
        return None
    if preferred in candidates:
        return preferred
    known = session.exec(
        select(Case.assignee_id)
        .where(Case.patient_id == row.patient_id, Case.id != row.id, col(Case.assignee_id).in_(candidates))
        .order_by(col(Case.created_at).desc())
        .limit(1)
    ).first()
    if known is not None:
        return known
    load: dict[str | None, int] = dict(
        session.exec(
            select(Case.assignee_id, func.count())
            .where(col(Case.assignee_id).in_(candidates), col(Case.is_open), Case.version == 0)
            .group_by(col(Case.assignee_id))
        ).all()
    )
    return min(candidates, key=lambda user_id: (load.get(user_id, 0), user_id))
