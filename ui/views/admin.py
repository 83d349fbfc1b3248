"""Administration: people, the audit trail, a case's trace, and the embedded mode's mailbox."""

from dataclasses import dataclass, field
from datetime import date, datetime

from ui.views.forms import FormState, Option
from ui.views.shell import Person
from ui.views.status import Chip


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """``toggle_url`` disables or enables the account; empty for one's own. ``url`` is the person's page."""

    id: str
    person: Person
    email: str
    organization: str
    roles: str
    chip: Chip
    last_seen: datetime | None
    url: str = ""
    toggle_url: str = ""
    toggle_word: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersView:
    """``url`` is the list's address. ``organizations`` is empty for an owner, who has one practice."""

    url: str
    rows: tuple[UserRow, ...]
    invite: FormState = field(default_factory=FormState)
    roles: tuple[Option, ...] = ()
    organizations: tuple[Option, ...] = ()
    search: FormState = field(default_factory=FormState)
    next_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleForm:
    """One role of a person in one organization, as a form; ``url`` is empty where it cannot be changed."""

    organization: str
    url: str
    form: FormState
    roles: tuple[Option, ...]
    can_own: bool = False
    can_approve: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationRow:
    """One registration, and its form; ``url`` is empty where it cannot be changed, and ends in ``/remove`` for its removal."""

    id: str
    jurisdiction: str
    number: str
    valid_until: date | None
    chip: Chip
    form: FormState
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationsView:
    """``add_url`` is empty where none can be added."""

    rows: tuple[RegistrationRow, ...]
    add: FormState = field(default_factory=FormState)
    add_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPageView:
    """``registrations``: of a radiologist, for administrators."""

    row: UserRow
    list_url: str
    created: datetime
    memberships: tuple[RoleForm, ...]
    registrations: RegistrationsView | None = None
    invite_url: str = ""
    is_self: bool = False
    mail_fails: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WelcomeView:
    """The page behind an invitation; ``email`` is empty where the invitation is over."""

    url: str
    email: str
    form: FormState = field(default_factory=FormState)


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
    """``chain`` says how far the chain reaches, or after a verification whether it is whole; ``anchored`` when its head was
    last written outside the database. ``filter`` says in words what is shown where not everything is.
    """

    rows: tuple[AuditRow, ...]
    chain: Chip
    anchored: datetime | None
    breaks: tuple[tuple[str, str], ...] = ()
    search: FormState = field(default_factory=FormState)
    next_url: str = ""
    case_number: str = ""
    filter: str = ""
    trace_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceStepView:
    seq: int
    what: str
    who: str
    chip: Chip
    when: datetime
    facts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceCommandView:
    what: str
    who: str
    outcome: Chip
    received: datetime
    took: str = ""
    seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceEffectView:
    what: str
    whom: str
    fence: int
    outcome: Chip
    created: datetime
    took: str = ""
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceFactView:
    what: str
    attempts: int
    outcome: Chip
    created: datetime
    took: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceView:
    """Metadata of one case, without clinical content. ``temporal_url`` leads to Temporal's own page, where there is one."""

    number: str
    chip: Chip
    workflow_id: str
    steps: tuple[TraceStepView, ...]
    commands: tuple[TraceCommandView, ...]
    effects: tuple[TraceEffectView, ...]
    facts: tuple[TraceFactView, ...]
    audit_url: str
    temporal_url: str = ""
    decode_url: str = ""


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
