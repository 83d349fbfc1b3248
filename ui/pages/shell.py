"""The shell around every page of a signed-in person: who they are, where they can go, what waits for them there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, get_args

from fastapi import Depends, Request
from sqlmodel import func, select

from api.deps import PersonDep, ServicesDep
from api.notices import count_unread
from api.waiting import count_waiting
from infra.database import now
from schemas.access import OrganizationKind
from schemas.access import Person as Actor
from schemas.lifecycle import Role
from schemas.tables.people import Organization, User
from schemas.tables.wires import FeedEvent
from schemas.teeth import Notation
from schemas.translation import N_
from ui.assemble.looker import Looker
from ui.assemble.people import ROLE_WORDS
from ui.assemble.toasts import DONE
from ui.pages.answers import DONE_COOKIE
from ui.templating import Reader
from ui.views import NavItem, Page, Person, Toast
from ui.views.shell import Density, Theme

HOMES: Final[Mapping[Role, str]] = {Role.SCHEDULER: "/board", Role.ADMIN: "/admin/users"}
"""Where a role lands; the others land on ``/`` itself."""

_CASES: Final = ("cases", N_("Cases"), "/", "worklist")
_PATIENTS: Final = ("patients", N_("Patients"), "/patients", "patients")
_BOARD: Final = ("board", N_("Board"), "/board", "board")
_NAV: Final[Mapping[Role, tuple[tuple[str, str, str, str], ...]]] = {
    Role.DENTIST: (_CASES, _PATIENTS),
    Role.STAFF: (_CASES, _PATIENTS),
    Role.RADIOLOGIST: (
        ("reading", N_("Reading list"), "/", "reading"),
        ("pool", N_("Pool"), "/?tab=pool", "inbox"),
    ),
    Role.SCHEDULER: (_BOARD,),
    Role.ADMIN: (
        ("users", N_("Users"), "/admin/users", "users"),
        ("audit", N_("Audit trail"), "/admin/audit", "audit"),
    ),
}
_PRACTICE_USERS: Final = ("practice_users", N_("Users"), "/practice/users", "users")
_MAILBOX: Final = ("mailbox", N_("Mailbox"), "/dev/mailbox", "mail")
_COUNTED: Final = frozenset({"cases", "reading", "board"})
_COMPACT: Final = frozenset({Role.RADIOLOGIST, Role.SCHEDULER, Role.ADMIN})


def theme_of(stored: str) -> Theme:
    return next((theme for theme in get_args(Theme) if theme == stored), "auto")


@dataclass(frozen=True, slots=True)
class Shell:
    """``events_since`` was read before anything that the page shows: live updates begin there and miss nothing."""

    looker: Looker
    person: Person
    organization: str
    nav: tuple[NavItem, ...]
    theme: Theme
    notices: int
    events_since: int
    toast: Toast | None
    user: User

    def page(
        self,
        title: str,
        current: str = "",
        *,
        live: bool = False,
        density: Density | None = None,
        toast: Toast | None = None,
    ) -> Page:
        return Page(
            title=title,
            person=self.person,
            organization=self.organization,
            nav=self.nav,
            current=current,
            density=density or ("compact" if self.looker.role in _COMPACT else "comfortable"),
            theme=self.theme,
            live=live,
            events_since=str(self.events_since),
            notices=self.notices,
            toast=toast or self.toast,
            reader=self.looker.reader,
        )


def main_role(person: Actor) -> Role:
    """The role whose pages a person lands on: of their first membership."""
    return person.members[0].role if person.members else Role.STAFF


def shell_of(request: Request, person: PersonDep, services: ServicesDep) -> Shell:
    with services.database.read() as session:
        since = session.exec(select(func.max(FeedEvent.id))).one() or 0
        user = session.get_one(User, person.user_id)
        home = session.get(Organization, person.members[0].organization_id) if person.members else None
        waiting = count_waiting(session, person)
        notices = count_unread(session, person.user_id)
    role = main_role(person)
    reader = Reader(zone=user.time_zone, locale=home.locale if home else "en", now=now())
    looker = Looker(person, reader, role, Notation(home.tooth_notation) if home else Notation.FDI)
    done = DONE.get(request.cookies.get(DONE_COOKIE, ""))
    return Shell(
        looker=looker,
        person=_shown(looker, user, home),
        organization=home.name if home else "",
        nav=_nav(looker, waiting, embedded=services.settings.mode == "embedded"),
        theme=theme_of(user.theme),
        notices=notices,
        events_since=since,
        toast=Toast(text=looker.say(done)) if done else None,
        user=user,
    )


ShellDep = Annotated[Shell, Depends(shell_of)]


def _shown(looker: Looker, user: User, home: Organization | None) -> Person:
    title = looker.say(ROLE_WORDS.get(looker.role, ""))
    kind = home.kind if home else ""
    return Person(
        name=user.name,
        title=f"{title}, {home.name}" if home else title,
        side="practice"
        if kind == OrganizationKind.PRACTICE
        else "reader"
        if kind == OrganizationKind.READING_GROUP
        else "other",
    )


def _nav(looker: Looker, waiting: int, *, embedded: bool) -> tuple[NavItem, ...]:
    """The places of every role that the person has, each once; the first counted one says how much waits."""
    places = [place for member in looker.person.members for place in _NAV.get(member.role, ())]
    if any(
        member.role is Role.SCHEDULER and member.kind is OrganizationKind.PRACTICE for member in looker.person.members
    ):
        places.append(_PATIENTS)
    if any(member.is_owner for member in looker.person.members):
        places.append(_PRACTICE_USERS)
    if embedded and looker.role is Role.ADMIN:
        places.append(_MAILBOX)
    counted = next((key for key, *_ in places if key in _COUNTED), "")
    return tuple(
        NavItem(key=key, word=word, url=url, icon=icon, due=waiting if key == counted else 0)
        for key, word, url, icon in dict.fromkeys(places)
    )
