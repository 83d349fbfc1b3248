"""What every page has around its content."""

from dataclasses import dataclass, field
from typing import Literal

from ui.templating import Reader
from ui.views.forms import FormState

Density = Literal["comfortable", "compact", "patient"]
Theme = Literal["auto", "light", "dark"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody as shown to others. ``side`` colours the avatar; ``title`` is the role in words."""

    name: str
    title: str = ""
    side: Literal["practice", "reader", "other"] = "other"

    @property
    def initials(self) -> str:
        words = [word for word in self.name.split() if word.rstrip(".") not in ("Dr", "Prof", "Mr", "Ms", "Mrs")]
        return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class NavItem:
    """A link of the side navigation. ``due`` is how many things wait for this person there."""

    key: str
    word: str
    url: str
    icon: str
    due: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Toast:
    """A message about what was just done. ``undo_url`` takes a POST and makes it not so."""

    text: str
    tone: Literal["ok", "bad"] = "ok"
    undo_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The shell: who looks, where they are, how it is drawn.

    ``live`` pages listen to the event stream from ``events_since``, the feed id they were rendered at. ``notices`` is how
    many notices are unread. ``person`` is None for a page outside a session.
    """

    title: str
    person: Person | None = None
    organization: str = ""
    nav: tuple[NavItem, ...] = ()
    current: str = ""
    density: Density = "comfortable"
    theme: Theme = "auto"
    live: bool = False
    events_since: str = ""
    notices: int = 0
    toast: Toast | None = None
    reader: Reader = field(default_factory=Reader)

    @property
    def language(self) -> str:
        return self.reader.locale.replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInView:
    """The sign-in page. ``notice`` says why one is here again; ``demo`` lists accounts in the embedded mode only.

    ``kept`` is what was typed into a form whose session had ended, to be sent on to ``resume_url`` afterwards, by the one
    who typed it (``resume_owner``).
    """

    form: FormState
    next_url: str = ""
    notice: str = ""
    ask_code: bool = False
    demo: tuple[Person, ...] = ()
    demo_emails: tuple[str, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()
    resume_url: str = ""
    resume_owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeView:
    """Somebody has signed in again: ``kept`` waits to be sent to ``url``, or to be left at ``back_url``."""

    url: str
    back_url: str
    kept: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage:
    """A page for a request that went nowhere: what happened, what was kept, what to do next.

    ``kept`` waits to be sent to ``again_url`` once more, where that may help; secrets are not kept.
    """

    status: int
    icon: str
    title: str
    text: str
    actions: tuple[tuple[str, str], ...] = ()
    again_url: str = ""
    kept: tuple[tuple[str, str], ...] = ()
    asks_secret: bool = False
    code: str = ""
