"""Administration: people, the audit trail, and the embedded mode's mailbox."""

from dataclasses import dataclass, field
from datetime import datetime

from ui.views.forms import FormState, Option
from ui.views.shell import Person
from ui.views.status import Chip


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """``toggle_url`` disables or enables the account; empty for one's own."""

    id: str
    person: Person
    email: str
    organization: str
    roles: str
    chip: Chip
    last_seen: datetime | None
    second_factor: str
    toggle_url: str = ""
    toggle_word: str = ""
    nonce: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersView:
    rows: tuple[UserRow, ...]
    invite: FormState = field(default_factory=FormState)
    roles: tuple[Option, ...] = ()
    organizations: tuple[Option, ...] = ()
    search: FormState = field(default_factory=FormState)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    seq: int
    when: datetime
    who: str
    role: str
    act: str
    outcome: Chip
    case_number: str = ""
    case_url: str = ""
    detail: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """``chain`` says whether the chain is whole; ``anchored`` when its head was last written outside the database."""

    rows: tuple[AuditRow, ...]
    chain: Chip
    anchored: datetime | None
    search: FormState = field(default_factory=FormState)
    next_url: str = ""
    case_number: str = ""
    trace_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailView:
    id: str
    url: str
    to: str
    subject: str
    when: datetime
    body: str = ""
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxView:
    """The embedded mode's mail: nothing leaves the machine."""

    mails: tuple[MailView, ...]
    open: MailView | None = None
