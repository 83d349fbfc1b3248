"""What mails say. They are written when they are sent, so that neither address nor secret is stored with what is owed.

No mail holds PHI: it says that something waits and where, never what or about whom. It is in the language of the practice
or group that it comes from.
"""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from sqlmodel import Session, col, select

from activities.records.opening import demographics_of
from activities.records.projection import state_of
from infra.invitation_tokens import invitation_token
from infra.keystore import KeyStore
from infra.mail import Mail, stable_message_id
from infra.release_tokens import release_token
from infra.translation import translations
from schemas.lifecycle import Action
from schemas.mail import INVITATION_LIFE, MailKind
from schemas.notices import SUBJECTS
from schemas.tables.case import Case
from schemas.tables.mail import OutgoingMail
from schemas.tables.people import Membership, Organization, Patient, User
from schemas.tables.release import ReleaseGrant
from schemas.translation import N_

_NOTICE: Final = N_("%(what)s.\n\nCase %(number)s: %(address)s\n")
_LOCKED: Final = N_(
    "A patient's link is locked. Somebody gave a wrong date of birth or a wrong code too often. Nothing was shown. Ask the "
    "patient whether it was them, and release the report again for a new link.\n\nCase %(number)s: %(address)s\n"
)
_LINK: Final = N_(
    "%(practice)s has released a report for you.\n\nOpen it here until %(day)s:\n%(address)s\n\nYou will be asked for your "
    "date of birth and for a code that we send to this address.\n"
)
_LATE_IMAGES: Final = N_(
    "Images were added after the report was signed. The radiologist is checking whether the report changes; its page shows "
    "what came of it.\n"
)
_QUESTIONS: Final = N_("Questions? Ask your practice.\n")
_QUESTIONS_BY_TELEPHONE: Final = N_("Questions? Ask your practice: %(telephone)s.\n")
_INVITATION: Final = N_(
    "%(organization)s has opened an account for you at OdontoFlow.\n\nChoose your password here until %(until)s:\n"
    "%(address)s\n\nYou sign in with this address: %(email)s\n"
)


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
        home = _home_of(session, user)
        _ = translations(home.locale if home else "en").gettext
        case = session.get_one(Case, owed.case_id)
        locked = owed.kind == MailKind.LINK_LOCKED
        subject = _(N_("A patient's link is locked") if locked else SUBJECTS[Action(owed.notice or Action.REMIND)])
        text = _(_LOCKED if locked else _NOTICE) % {
            "what": subject,
            "number": case.number,
            "address": f"{self._base_url}/cases/{case.id}",
        }
        return Mail(owed.message_id, user.email, subject, text)

    def _link(self, session: Session, owed: OutgoingMail) -> Mail | None:
        """Without an address nothing is sent: the practice hands the link over itself."""
        grant = session.get_one(ReleaseGrant, owed.grant_id)
        practice = session.get_one(Organization, grant.practice_id)
        address = demographics_of(self._keys, session.get_one(Patient, grant.patient_id)).email
        if address is None or grant.state != "live":
            return None
        link = f"{self._base_url}/r/{release_token(self._keys, grant.id)}"
        _ = translations(practice.locale).gettext
        text = _(_LINK) % {
            "practice": practice.name,
            "day": _moment(grant.expires_at, practice, "d MMMM y"),
            "address": link,
        }
        if state_of(session.get_one(Case, grant.case_id)).late is not None:
            text += _(_LATE_IMAGES)
        if practice.phone:
            text += _(_QUESTIONS_BY_TELEPHONE) % {"telephone": practice.phone}
        else:
            text += _(_QUESTIONS)
        subject = _(N_("Your report from %(practice)s")) % {"practice": practice.name}
        return Mail(owed.message_id, address, subject, text)

    def _invitation(self, session: Session, owed: OutgoingMail, user: User) -> Mail | None:
        """None when a newer invitation replaced it, or the person has chosen a password."""
        if owed.message_id != invitation_message_id(user):
            return None
        home = _home_of(session, user)
        _ = translations(home.locale if home else "en").gettext
        until = owed.created_at + INVITATION_LIFE
        link = f"{self._base_url}/welcome/{invitation_token(self._keys, user, until)}"
        text = _(_INVITATION) % {
            "organization": home.name if home else "OdontoFlow",
            "until": _moment(until, home, "d MMMM y, HH:mm zzz"),
            "address": link,
            "email": user.email,
        }
        return Mail(owed.message_id, user.email, _(N_("Your account at OdontoFlow")), text)


def _home_of(session: Session, user: User) -> Organization | None:
    """The organization that somebody belonged to first."""
    return session.exec(
        select(Organization)
        .join(Membership, col(Membership.organization_id) == Organization.id)
        .where(Membership.user_id == user.id)
        .order_by(col(Membership.created_at))
    ).first()


def _moment(moment: datetime, home: Organization | None, pattern: str) -> str:
    zone, locale = (home.time_zone, home.locale) if home else ("UTC", "en")
    return format_datetime(moment, pattern, tzinfo=ZoneInfo(zone), locale=locale.replace("-", "_"))


def invitation_message_id(user: User) -> str:
    """One an invitation: it changes with the password's hash, as the link does."""
    return stable_message_id("invitation", user.id, user.password_hash)
