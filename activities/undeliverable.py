"""Who hears of a mail that could not be delivered: in the application, those who can mend its address."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from activities.people import members, platform_admins
from infra.feed import publish
from schemas.ids import new_id
from schemas.lifecycle import Role
from schemas.mail import UNDELIVERABLE_NOTICES, MailKind
from schemas.tables.mail import OutgoingMail
from schemas.tables.people import Membership, User
from schemas.tables.release import ReleaseGrant
from schemas.tables.wires import Notification


def tell_undeliverable(session: Session, mail: OutgoingMail, at: datetime) -> None:
    """A notice, one a recipient and reader: it is unread again when a further mail meets the same fate.

    An invitation belongs to no case, so it has none: the invited person's page shows it. Call it last in a transaction.
    """
    notice = UNDELIVERABLE_NOTICES.get(MailKind(mail.kind))
    if notice is None or mail.case_id is None:
        return
    told = _keepers(session, mail)
    cause = f"undeliverable:{mail.grant_id or mail.user_id}"
    for user in told:
        known = session.exec(
            select(Notification).where(Notification.effect_key == cause, Notification.user_id == user.id)
        ).one_or_none()
        row = known or Notification(
            id=new_id("ntf"), user_id=user.id, case_id=mail.case_id, effect_key=cause, notice=notice, created_at=at
        )
        row.case_id, row.created_at, row.read_at = mail.case_id, at, None
        session.add(row)
    session.flush()
    for user in told:
        publish(session, "notification", at=at, user_id=user.id, case_id=mail.case_id)


def _keepers(session: Session, mail: OutgoingMail) -> Sequence[User]:
    """The practice for its patient; for a colleague the owners of their practice, or else the administrators."""
    if mail.grant_id is not None:
        practice_id = session.get_one(ReleaseGrant, mail.grant_id).practice_id
        return members(session, [practice_id], Role.DENTIST, Role.STAFF)
    organizations = session.exec(
        select(Membership.organization_id).where(Membership.user_id == mail.user_id, col(Membership.is_active))
    ).all()
    keepers = members(session, organizations, Role.DENTIST, owner=True) or platform_admins(session)
    return [user for user in keepers if user.id != mail.user_id] or [
        user for user in platform_admins(session) if user.id != mail.user_id
    ]
