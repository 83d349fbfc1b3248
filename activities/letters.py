"""What mails say. They are written when they are sent, so that neither address nor secret is stored with what is owed.

No mail holds PHI: it says that something waits and where, never what or about whom.
"""

from sqlmodel import Session, col, select

from activities.records.opening import demographics_of
from infra.invitation_tokens import invitation_token
from infra.keystore import KeyStore
from infra.mail import Mail, stable_message_id
from infra.release_tokens import release_token
from schemas.lifecycle import Action
from schemas.mail import INVITATION_LIFE, MailKind
from schemas.notices import SUBJECTS
from schemas.tables.case import Case
from schemas.tables.mail import OutgoingMail
from schemas.tables.people import Membership, Organization, Patient, User
from schemas.tables.release import ReleaseGrant


class Letters:
    """Writes what is owed, or says with None that it is not wanted any more."""

    def __init__(self, keys: KeyStore, base_url: str) -> None:
        self._keys = keys
        self._base_url = base_url

    def write(self, session: Session, owed: OutgoingMail) -> Mail | None:
        """Raises KeyDestroyed for a patient who was erased."""
        if owed.kind == MailKind.LINK:
            return self._link(session, owed)
        user = session.get(User, owed.user_id)
        if user is None or not user.is_active:
            return None
        if owed.kind == MailKind.INVITATION:
            return self._invitation(session, owed, user)
        case = session.get_one(Case, owed.case_id)
        subject, more = self._said(owed)
        text = f"{subject}.{more}\n\nCase {case.number}: {self._base_url}/cases/{case.id}\n"
        return Mail(owed.message_id, user.email, subject, text)

    @staticmethod
    def _said(owed: OutgoingMail) -> tuple[str, str]:
        if owed.kind == MailKind.LINK_LOCKED:
            more = (
                " Somebody gave a wrong date of birth or a wrong code too often. Nothing was shown. Ask the patient "
                "whether it was them, and release the report again for a new link."
            )
            return "A patient's link is locked", more
        return SUBJECTS[Action(owed.notice or Action.REMIND)], ""

    def _link(self, session: Session, owed: OutgoingMail) -> Mail | None:
        """Without an address nothing is sent: the practice hands the link over itself."""
        grant = session.get_one(ReleaseGrant, owed.grant_id)
        practice = session.get_one(Organization, grant.practice_id)
        address = demographics_of(self._keys, session.get_one(Patient, grant.patient_id)).email
        if address is None or grant.state != "live":
            return None
        link = f"{self._base_url}/r/{release_token(self._keys, grant.id)}"
        text = (
            f"{practice.name} has released a report for you.\n\n"
            f"Open it here until {grant.expires_at:%d %B %Y}:\n{link}\n\n"
            "You will be asked for your date of birth and for a code that we send to this address.\n"
            f"Questions? Ask your practice{': ' + practice.phone if practice.phone else ''}.\n"
        )
        return Mail(owed.message_id, address, f"Your report from {practice.name}", text)

    def _invitation(self, session: Session, owed: OutgoingMail, user: User) -> Mail | None:
        """None when a newer invitation replaced it, or the person has chosen a password."""
        if owed.message_id != invitation_message_id(user):
            return None
        organization = session.exec(
            select(Organization.name)
            .join(Membership, col(Membership.organization_id) == Organization.id)
            .where(Membership.user_id == user.id)
            .order_by(col(Membership.created_at))
        ).first()
        until = owed.created_at + INVITATION_LIFE
        link = f"{self._base_url}/welcome/{invitation_token(self._keys, user, until)}"
        text = (
            f"{organization or 'OdontoFlow'} has opened an account for you at OdontoFlow.\n\n"
            f"Choose your password here until {until:%d %B %Y, %H:%M} UTC:\n{link}\n\n"
            f"You sign in with this address: {user.email}\n"
        )
        return Mail(owed.message_id, user.email, "Your account at OdontoFlow", text)


def invitation_message_id(user: User) -> str:
    """One an invitation: it changes with the password's hash, as the link does."""
    return stable_message_id("invitation", user.id, user.password_hash)
