"""Who looks at the sample pages, and when."""

from datetime import UTC, datetime, timedelta
from typing import Final

from ui.templating import Reader
from ui.views import Clock, NavItem, Page, Person
from ui.views.shell import Density

NOW: Final = datetime(2026, 11, 24, 9, 42, tzinfo=UTC)
READER: Final = Reader(zone="Europe/London", locale="en_GB", now=NOW)

MARSH: Final = Person(name="Dr Helen Marsh", title="Dentist, Harbour Lane Dental", side="practice")
OBI: Final = Person(name="Chidi Obi", title="Practice staff, Harbour Lane Dental", side="practice")
WEBER: Final = Person(name="Dr Jonas Weber", title="Radiologist, Meridian Oral Radiology", side="reader")
RAMAN: Final = Person(name="Dr Priya Raman", title="Radiologist and approver", side="reader")
COSTA: Final = Person(name="Nadia Costa", title="Scheduler, Meridian Oral Radiology", side="reader")
LIND: Final = Person(name="Erik Lind", title="Platform admin")


def before(**length: float) -> datetime:
    return NOW - timedelta(**length)


def after(**length: float) -> datetime:
    return NOW + timedelta(**length)


def running(left: timedelta, target: timedelta, owner: str = "", target_word: str = "") -> Clock:
    """A clock that has ``left`` of ``target``; amber at 80 %, red at the target."""
    due = NOW + left
    started = due - target
    return Clock(
        state="running",
        left=left,
        used=1 - left / target,
        due=due,
        started=started,
        amber_at=started + 0.8 * target,
        red_at=due,
        owner=owner,
        target=target_word or f"{int(target.total_seconds() // 3600)} h",
    )


def paused(left: timedelta, owner: str) -> Clock:
    return Clock(state="paused", left=left, used=0.4, owner=owner, target="48 h")


STOPPED: Final = Clock(state="stopped", owner="reported in 6 h 20 min", target="8 h")
NOT_STARTED: Final = Clock(state="not_started", target="48 h")

NAV: Final[dict[str, tuple[NavItem, ...]]] = {
    "dentist": (
        NavItem(key="cases", word="Cases", url="/", icon="worklist", due=3),
        NavItem(key="patients", word="Patients", url="/patients", icon="patients"),
    ),
    "radiologist": (
        NavItem(key="reading", word="Reading list", url="/", icon="reading", due=5),
        NavItem(key="pool", word="Pool", url="/?tab=pool", icon="inbox"),
    ),
    "scheduler": (NavItem(key="board", word="Board", url="/board", icon="board", due=4),),
    "admin": (
        NavItem(key="users", word="Users", url="/admin/users", icon="users"),
        NavItem(key="audit", word="Audit trail", url="/admin/audit", icon="audit"),
        NavItem(key="mailbox", word="Mailbox", url="/dev/mailbox", icon="mail"),
    ),
}

_WHO: Final[dict[str, tuple[Person, str, Density]]] = {
    "dentist": (MARSH, "Harbour Lane Dental", "comfortable"),
    "radiologist": (WEBER, "Meridian Oral Radiology", "compact"),
    "scheduler": (COSTA, "Meridian Oral Radiology", "compact"),
    "admin": (LIND, "Platform", "compact"),
}


def page(title: str, role: str, current: str = "") -> Page:
    """The shell of a signed-in person of ``role``."""
    person, organization, density = _WHO[role]
    return Page(
        title=title,
        person=person,
        organization=organization,
        nav=NAV[role],
        current=current,
        density=density,
        reader=READER,
    )


def plain_page(title: str, density: Density = "comfortable") -> Page:
    """The page of somebody who is not signed in."""
    return Page(title=title, density=density, reader=READER)
