"""Notices: a row in the page and a mail for everybody whom a step concerns; and the mail with a patient's link.

No mail holds PHI: it says that something waits and where, never what or about whom.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from activities.effects import Finish
from activities.records.opening import demographics_of
from infra.database import Database, now
from infra.feed import publish
from infra.keystore import KeyStore
from infra.mail import Mail, Mailer
from infra.release_tokens import release_token
from schemas.ids import new_id
from schemas.lifecycle import Action, Role, State
from schemas.notices import SUBJECTS
from schemas.state import Audience, Effect
from schemas.tables.case import Case
from schemas.tables.people import Contract, Membership, Organization, Patient, User
from schemas.tables.release import ReleaseGrant
from schemas.tables.wires import Notification


def _members(session: Session, organization_ids: Sequence[str], *roles: Role, owner: bool = False) -> list[User]:
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


def people_of(session: Session, row: Case, audience: Audience) -> list[User]:
    """Who an audience is at this moment."""
    groups = session.exec(
        select(Contract.group_id).where(Contract.practice_id == row.practice_id, col(Contract.is_active))
    ).all()
    practice = [row.practice_id]
    # A draft does not exist for a reading group yet (schemas.access), so its people are told nothing of it.
    knowing = practice if row.state == State.DRAFT else [*practice, *groups]
    if audience in {Audience.ASSIGNEE, Audience.APPROVER}:
        user_id = row.assignee_id if audience is Audience.ASSIGNEE else row.approver_id
        user = session.get(User, user_id) if user_id else None
        return [user] if user is not None and user.is_active else []
    if audience is Audience.ADMINS:
        platforms = session.exec(select(Organization.id).where(Organization.kind == "platform")).all()
        return _members(session, platforms, Role.ADMIN)
    organizations, roles = {
        Audience.PRACTICE: (practice, (Role.DENTIST, Role.STAFF)),
        Audience.BILLING_OWNER: (practice, (Role.DENTIST,)),
        Audience.SCHEDULERS: (knowing, (Role.SCHEDULER,)),
        Audience.POOL: (list(groups), (Role.RADIOLOGIST,)),
    }[audience]
    return _members(session, organizations, *roles, owner=audience is Audience.BILLING_OWNER)


def stable_message_id(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]


class Notifier:
    """Performs the effects ``notify`` and ``mail_link``. Blocking."""

    def __init__(self, database: Database, keys: KeyStore, mailer: Mailer, base_url: str) -> None:
        self._database = database
        self._keys = keys
        self._mailer = mailer
        self._base_url = base_url

    def notify(self, effect: Effect, case_id: str) -> Finish:
        with self._database.read() as session:
            row = session.get_one(Case, case_id)
            people = people_of(session, row, effect.audience or Audience.SCHEDULERS)
        subject = SUBJECTS[Action(effect.notice or Action.REMIND)]
        text = f"{subject}.\n\nCase {row.number}: {self._base_url}/cases/{case_id}\n"
        for person in people:
            message_id = stable_message_id(effect.key, person.id)
            self._mailer.send(Mail(message_id=message_id, to=person.email, subject=subject, text=text))

        def finish(session: Session) -> None:
            moment = now()
            for person in people:
                session.add(_notification(effect, case_id, person.id, moment))
            session.flush()
            for person in people:
                publish(session, "notification", at=moment, user_id=person.id, case_id=case_id)

        return finish

    def mail_link(self, effect: Effect, case_id: str) -> None:
        """Sends the patient the link. Without an address nothing is sent: the practice hands the link over itself."""
        if effect.grant_id is None:
            return
        with self._database.read() as session:
            grant = session.get_one(ReleaseGrant, effect.grant_id)
            patient = session.get_one(Patient, grant.patient_id)
            practice = session.get_one(Organization, grant.practice_id)
        address = demographics_of(self._keys, patient).email
        if address is None or grant.state != "live":
            return
        link = f"{self._base_url}/r/{release_token(self._keys, grant.id)}"
        text = (
            f"{practice.name} has released a report for you.\n\n"
            f"Open it here until {grant.expires_at:%d %B %Y}:\n{link}\n\n"
            "You will be asked for your date of birth and for a code that we send to this address.\n"
            f"Questions? Ask your practice{': ' + practice.phone if practice.phone else ''}.\n"
        )
        subject = f"Your report from {practice.name}"
        self._mailer.send(Mail(message_id=stable_message_id(effect.key), to=address, subject=subject, text=text))


def _notification(effect: Effect, case_id: str, user_id: str, at: datetime) -> Notification:
    return Notification(
        id=new_id("ntf"),
        user_id=user_id,
        case_id=case_id,
        effect_key=effect.key,
        notice=effect.notice or "",
        created_at=at,
    )
