"""One's own account."""

from dataclasses import dataclass, field
from datetime import datetime

from ui.views.forms import FormState, Option


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """``end_url`` ends it; empty for the one that looks, which signs out instead."""

    word: str
    begun: datetime
    seen: datetime
    end_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """An access token; ``opens`` says in words for what it is. ``seen`` is None while it was never used."""

    label: str
    opens: tuple[str, ...]
    expires: datetime
    seen: datetime | None
    end_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensView:
    """``made`` is the secret of one that was made just now, shown this once."""

    rows: tuple[TokenRow, ...] = ()
    scopes: tuple[Option, ...] = ()
    lives: tuple[Option, ...] = ()
    form: FormState = field(default_factory=FormState)
    made: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    name: str
    email: str
    roles: tuple[str, ...]
    sessions: tuple[SessionRow, ...]
    tokens: TokensView
    password: FormState = field(default_factory=FormState)
