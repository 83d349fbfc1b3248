"""One's own account: where one is signed in, one's password, and access tokens for one's programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session as DbSession
from sqlmodel import col, select, update

from infra.access_tokens import make_token
from infra.audit import PLATFORM_SCOPE, write_audit
from infra.database import Database, now
from infra.passwords import Passwords
from infra.sessions import PERSONAL, Sessions
from schemas.access import Person
from schemas.errors import NotFound, OdontoError
from schemas.messages import Actor
from schemas.tables.people import Session, User
from schemas.token_forms import NewToken, NewTokenForm
from schemas.translation import N_


class WrongOwnPassword(OdontoError):
    code = "wrong_password"
    status = 403
    title = N_("The password is not right. Nothing was changed; type it again.")


@dataclass(frozen=True, slots=True)
class OpenSession:
    """``kind`` is ``browser`` or ``token``."""

    id: str
    kind: str
    begun_at: datetime
    seen_at: datetime
    is_this: bool


def open_sessions(session: DbSession, person: Person) -> Sequence[OpenSession]:
    """The person's sign-ins that could still be used, this one first, then the last used."""
    rows = session.exec(
        select(Session)
        .where(
            Session.user_id == person.user_id,
            Session.kind != PERSONAL,
            col(Session.revoked_at).is_(None),
            col(Session.expires_at) > now(),
        )
        .order_by(col(Session.last_seen_at).desc(), Session.id)
        .limit(50)
    ).all()
    found = [
        OpenSession(row.id, row.kind, row.created_at, row.last_seen_at, row.id == person.session_id) for row in rows
    ]
    return sorted(found, key=lambda one: not one.is_this)


def end_session(session: DbSession, person: Person, session_id: str) -> None:
    """Ends one of the person's own sign-ins, in the caller's transaction. Raises NotFound for anybody else's."""
    row = session.get(Session, session_id, with_for_update=True)
    if row is None or row.user_id != person.user_id:
        raise NotFound()
    row.revoked_at = row.revoked_at or now()
    _audit(session, person, "auth.end_session", session_id)


def change_password(
    database: Database, sessions: Sessions, passwords: Passwords, person: Person, *, current: str, new: str
) -> None:
    """Sets a new password and ends every other sign-in. Blocking. Raises WrongOwnPassword, TooManyTries."""
    if not sessions.prove(person, current):
        raise WrongOwnPassword()
    chosen = passwords.hash(new)
    with database.write() as session:
        session.get_one(User, person.user_id, with_for_update=True).password_hash = chosen
        session.exec(
            update(Session)
            .where(
                col(Session.user_id) == person.user_id,
                col(Session.id) != person.session_id,
                col(Session.revoked_at).is_(None),
            )
            .values(revoked_at=now())
        )
        _audit(session, person, "user.change_password", person.user_id)


def grant_token(database: Database, sessions: Sessions, person: Person, form: NewTokenForm) -> NewToken:
    """Makes an access token for whoever proves the password once more. Blocking. Raises WrongOwnPassword, TooManyTries,
    TooManyTokens."""
    if not sessions.prove(person, form.password.get_secret_value()):
        raise WrongOwnPassword()
    with database.write() as session:
        return make_token(session, person, form.label, form.scopes, form.days)


def _audit(session: DbSession, person: Person, act: str, subject_id: str) -> None:
    actor = Actor(user_id=person.user_id, role="none", relation="none", session_id=person.session_id)
    write_audit(session, scope=PLATFORM_SCOPE, act=act, actor=actor, at=now(), subject_id=subject_id)
