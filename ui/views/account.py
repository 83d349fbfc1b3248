"""One's own account."""

from dataclasses import dataclass, field
from datetime import datetime

from ui.views.forms import FormState


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """``end_url`` ends it; empty for the one that looks, which signs out instead."""

    word: str
    begun: datetime
    seen: datetime
    end_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    name: str
    email: str
    roles: tuple[str, ...]
    sessions: tuple[SessionRow, ...]
    password: FormState = field(default_factory=FormState)
