"""Access tokens for programs: what one may be good for, and the forms to make and list them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, Field, SecretStr, StringConstraints

from schemas.forms import Form

MOST_DAYS: Final = 90


class Scope(StrEnum):
    """What a token opens, of what its person may do. A narrow one opens what is listed for it and nothing else."""

    ALL = "all"
    IMAGES_READ = "images:read"
    """QIDO-RS, WADO-RS and WADO-URI, and the files of a case."""
    IMAGES_WRITE = "images:write"
    """STOW-RS into a case."""
    UPLOADS = "uploads"
    """Files by tus, to a case and to a patient's record."""


class NewTokenForm(Form):
    """``password`` is the person's own, typed anew: a token outlives the sign-in with which it is made."""

    label: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    days: int = Field(30, ge=1, le=MOST_DAYS)
    password: SecretStr = Field(max_length=1024)


class TokenView(BaseModel):
    id: str
    label: str
    scopes: list[Scope]
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


class NewToken(TokenView):
    """``token`` is shown this once."""

    token: str


class TokensView(BaseModel):
    """``next`` is always null: a person's tokens are one page."""

    items: list[TokenView]
    next: str | None = None
