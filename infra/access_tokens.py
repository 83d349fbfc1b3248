"""Personal access tokens: sessions of a kind of their own, with scopes, an end, and a name that their person gave them."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from infra.audit import PLATFORM_SCOPE, write_audit
from infra.database import now
from infra.sessions import PERSONAL, hash_token
from schemas.access import Person
from schemas.errors import NotFound, StateConflict
from schemas.ids import new_id
from schemas.messages import Actor
from schemas.tables.people import Session
from schemas.token_forms import NewToken, Scope, TokenView
from schemas.translation import N_

MOST_TOKENS: Final = 20
"""Of one person at a time."""


class TooManyTokens(StateConflict):
    code = "too_many_tokens"
    title = N_("You have twenty access tokens. Revoke one that is not used any more, then make the new one.")


def make_token(session: DbSession, person: Person, label: str, scopes: Iterable[Scope], days: int) -> NewToken:
    """In the caller's transaction. Raises TooManyTokens."""
    if len(tokens_of(session, person)) >= MOST_TOKENS:
        raise TooManyTokens()
    moment, token = now(), secrets.token_urlsafe(32)
    row = Session(
        id=new_id("ses"),
        token_hash=hash_token(token),
        user_id=person.user_id,
        kind=PERSONAL,
        scope=" ".join(sorted(set(scopes))),
        label=label,
        created_at=moment,
        last_seen_at=moment,
        expires_at=moment + timedelta(days=days),
    )
    session.add(row)
    _audit(session, person, "auth.make_token", row.id)
    return NewToken(**_view(row).model_dump(), token=token)


def tokens_of(session: DbSession, person: Person) -> Sequence[TokenView]:
    """Those that still open something, the newest first."""
    rows = session.exec(
        select(Session)
        .where(
            Session.user_id == person.user_id,
            Session.kind == PERSONAL,
            col(Session.revoked_at).is_(None),
            col(Session.expires_at) > now(),
        )
        .order_by(col(Session.created_at).desc(), Session.id)
    ).all()
    return [_view(row) for row in rows]


def revoke_token(session: DbSession, person: Person, token_id: str) -> None:
    """In the caller's transaction. Raises NotFound for what is no token of this person."""
    row = session.get(Session, token_id, with_for_update=True)
    if row is None or row.user_id != person.user_id or row.kind != PERSONAL:
        raise NotFound()
    row.revoked_at = row.revoked_at or now()
    _audit(session, person, "auth.revoke_token", row.id)


def _view(row: Session) -> TokenView:
    return TokenView(
        id=row.id,
        label=row.label or "",
        scopes=[Scope(scope) for scope in row.scope.split()],
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        expires_at=row.expires_at,
    )


def _audit(session: DbSession, person: Person, act: str, subject_id: str) -> None:
    actor = Actor(user_id=person.user_id, role="none", relation="none", session_id=person.session_id)
    write_audit(session, scope=PLATFORM_SCOPE, act=act, actor=actor, at=now(), subject_id=subject_id)
