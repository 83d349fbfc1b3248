"""Mails that are owed to somebody: their kinds, and how each ends."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from schemas.translation import N_


class MailKind(StrEnum):
    NOTICE = "notice"
    """What a person's notice in the application says, with the case's number."""
    LINK = "link"
    """A patient's link to a released report."""
    LINK_LOCKED = "link_locked"
    INVITATION = "invitation"


class MailOutcome(StrEnum):
    SENT = "sent"
    """The relay has taken it."""
    UNDELIVERABLE = "undeliverable"
    """The relay refused it for good, or did not take it in time. Somebody who can mend it is told in the application."""
    DROPPED = "dropped"
    """It was no longer wanted when it could have been sent: a link that was revoked, an invitation that was replaced."""


MAIL_LIFE: Final = timedelta(days=4)
"""How long a relay that is away is tried (RFC 5321 §4.5.4.1: four to five days). Then the mail is undeliverable."""
INVITATION_LIFE: Final = timedelta(days=3)
"""How long an invitation's link works, and so how long its mail is worth sending."""

LOCKED_NOTICE: Final = "grant_locked"
UNDELIVERABLE_NOTICES: Final[dict[MailKind, str]] = {
    MailKind.NOTICE: "mail_undeliverable",
    MailKind.LINK: "link_undeliverable",
    MailKind.LINK_LOCKED: "mail_undeliverable",
}
"""The notice that says so. An undeliverable invitation belongs to no case: the person's page shows it."""

NOTICE_WORDS: Final[dict[str, str]] = {
    LOCKED_NOTICE: N_("A patient's link is locked after too many wrong tries"),
    "link_undeliverable": N_(
        "The mail to the patient could not be delivered: check the address, or hand the link over"
    ),
    "mail_undeliverable": N_("A colleague's mail address does not work: see Users"),
}
"""Notices that are no step of a case, in words."""
