"""Sign-in: sessions live in the database, so that ending one ends it at once, everywhere."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, bindparam
from sqlalchemy import select as rows_of
from sqlmodel import Session as DbSession
from sqlmodel import col, delete, select, update

from infra.audit import PLATFORM_SCOPE, write_audit
from infra.database import Database, now
from infra.passwords import Passwords
from infra.settings import Settings
from schemas.access import Member, OrganizationKind, Person
from schemas.errors import Forbidden, NotSignedIn, OdontoError
from schemas.ids import new_id
from schemas.lifecycle import Role
from schemas.messages import Actor
from schemas.tables.people import Session, SignInAttempt, User
from schemas.token_forms import Scope
from schemas.translation import N_

_SEEN_EVERY: Final = timedelta(minutes=1)
_WINDOW: Final = timedelta(minutes=15)
_FREE_TRIES: Final = 10
"""For one account from one address."""
_FREE_TRIES_OF_ACCOUNT: Final = 100
"""From everywhere: many addresses together guess no more than this."""
BROWSER, TOKEN, PERSONAL = "browser", "token", "personal"

_tables = User.metadata.tables
_SESSION, _USER = _tables["session"].c, _tables["user"].c
_MEMBERSHIP, _ORGANIZATION = _tables["membership"].c, _tables["organization"].c
_MEMBER = (
    _MEMBERSHIP.organization_id,
    _ORGANIZATION.kind.label("organization_kind"),
    _MEMBERSHIP.role,
    _MEMBERSHIP.is_owner,
    _MEMBERSHIP.is_approver,
)
# Asked with every request, so it is one statement, made once: a row for each active membership, one without any.
_WHO_HOLDS: Final = (
    rows_of(
        _SESSION.id,
        _SESSION.user_id,
        _SESSION.kind,
        _SESSION.scope,
        _SESSION.last_seen_at,
        _SESSION.expires_at,
        _SESSION.revoked_at,
        _USER.is_active,
        *_MEMBER,
    )
    .select_from(_tables["session"])
    .join(_tables["user"], _USER.id == _SESSION.user_id)
    .outerjoin(_tables["membership"], (_MEMBERSHIP.user_id == _USER.id) & _MEMBERSHIP.is_active)
    .outerjoin(_tables["organization"], _ORGANIZATION.id == _MEMBERSHIP.organization_id)
    .where(_SESSION.token_hash == bindparam("token_hash"))
    .order_by(_MEMBERSHIP.created_at)
)


class WrongCredentials(OdontoError):
    """The same words and status for an unknown account, a wrong password and a disabled person."""

    code = "wrong_credentials"
    status = 401
    title = N_("This e-mail address and password do not belong together. Check both and try again.")


class TooManyTries(OdontoError):
    code = "too_many_tries"
    status = 429
    title = N_("Too many tries. Wait fifteen minutes and try again, or ask your administrator.")


class TokenTooNarrow(Forbidden):
    """An access token for less than this."""

    code = "token_too_narrow"
    title = N_("This access token was not made for that. Make one with a wider scope on the account page.")


@dataclass(frozen=True)
class SignedIn:
    """A session's token is shown once, to the one who signed in; only its hash is stored."""

    token: str
    session_id: str
    user_id: str


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Sessions:
    """Blocking."""

    def __init__(self, database: Database, passwords: Passwords, settings: Settings) -> None:
        self._database = database
        self._passwords = passwords
        self._life = timedelta(hours=settings.session_hours)
        self._idle = timedelta(minutes=settings.session_idle_minutes)

    def sign_in(self, email: str, password: str, kind: str, address: str) -> SignedIn:
        """Raises WrongCredentials or TooManyTries. A new session has a new id: nothing is taken over from before."""
        folded = email.strip().lower()
        subject = hashlib.sha256(f"{folded}\n{address}".encode()).hexdigest()
        self._count_try(subject)
        account = hashlib.sha256(f"account\n{folded}".encode()).hexdigest()
        self._count_try(account, _FREE_TRIES_OF_ACCOUNT)
        with self._database.read() as session:
            user = session.exec(select(User).where(User.email == folded)).one_or_none()
        right = self._passwords.verify(password, user.password_hash if user and user.is_active else None)
        if not right or user is None:
            with self._database.write() as session:
                self._audit(session, "auth.sign_in", "unknown", "none", "denied")
            raise WrongCredentials()
        return self._open(user, kind, (subject, account), password)

    def _open(self, user: User, kind: str, subjects: Sequence[str], password: str) -> SignedIn:
        moment = now()
        token = secrets.token_urlsafe(32)
        row = Session(
            id=new_id("ses"),
            token_hash=hash_token(token),
            user_id=user.id,
            kind=kind,
            created_at=moment,
            last_seen_at=moment,
            expires_at=moment + self._life,
        )
        rehashed = self._passwords.hash(password) if self._passwords.needs_rehash(user.password_hash) else None
        with self._database.write() as session:
            # Checking a password takes its time: meanwhile the account may have been disabled or given a new password.
            fresh = session.get_one(User, user.id, with_for_update=True)
            if not fresh.is_active or fresh.password_hash != user.password_hash:
                raise WrongCredentials()
            session.add(row)
            session.exec(delete(SignInAttempt).where(col(SignInAttempt.subject_hash).in_(subjects)))
            if rehashed is not None:
                fresh.password_hash = rehashed
            self._audit(session, "auth.sign_in", user.id, row.id, "done")
        return SignedIn(token, row.id, user.id)

    def _count_try(self, subject: str, free: int = _FREE_TRIES) -> None:
        """Counts before the password is looked at, so that a hundred tries at once count as a hundred."""
        moment = now()

        def count(session: DbSession) -> None:
            row = session.get(SignInAttempt, subject, with_for_update=True)
            if row is None:
                row = SignInAttempt(subject_hash=subject, failures=0, window_started_at=moment)
                session.add(row)
            elif row.window_started_at + _WINDOW < moment:
                row.failures, row.window_started_at = 0, moment
            row.failures += 1
            if row.failures > free:
                raise TooManyTries()

        self._database.transact(count)

    def prove(self, person: Person, password: str) -> bool:
        """Whether the password is the signed-in person's: a fresh proof for one step. Counted like a sign-in."""
        subject = hashlib.sha256(f"prove\n{person.user_id}".encode()).hexdigest()
        self._count_try(subject)
        with self._database.read() as session:
            user = session.get_one(User, person.user_id)
        if not self._passwords.verify(password, user.password_hash if user.is_active else None):
            with self._database.write() as session:
                self._audit(session, "auth.prove", person.user_id, person.session_id, "denied")
            return False
        with self._database.write() as session:
            session.exec(delete(SignInAttempt).where(col(SignInAttempt.subject_hash) == subject))
        return True

    def person(self, token: str, *, admits: frozenset[Scope] = frozenset()) -> Person:
        """Who stands behind a token now. ``admits``: the scopes of a narrow token that are enough for what is done.

        Raises NotSignedIn for an unknown, ended, idle or disabled one, TokenTooNarrow for one without such a scope.
        """
        moment = now()
        with self._database.read() as session:
            rows = session.connection().execute(_WHO_HOLDS, {"token_hash": hash_token(token)}).all()
        if not rows or not self._is_alive(rows[0], moment):
            raise NotSignedIn()
        row = rows[0]
        if not (admits | {Scope.ALL}) & set(row.scope.split()):
            raise TokenTooNarrow()
        if moment - row.last_seen_at > _SEEN_EVERY:
            with self._database.write() as session:
                session.exec(update(Session).where(col(Session.id) == row.id).values(last_seen_at=moment))
        members = tuple(_member(each) for each in rows if each.organization_id is not None)
        return Person(user_id=row.user_id, session_id=row.id, members=members)

    def _is_alive(self, row: Row[*tuple[Any, ...]], moment: datetime) -> bool:
        if row.revoked_at is not None or not row.is_active or moment >= row.expires_at:
            return False
        return bool(row.kind != BROWSER or moment - row.last_seen_at <= self._idle)

    def owner(self, token: str) -> str:
        """A word for whose session it was, ended or not; empty for a token that never was one. It names nobody."""
        with self._database.read() as session:
            user_id = session.exec(select(Session.user_id).where(Session.token_hash == hash_token(token))).one_or_none()
        return hash_token(user_id) if user_id else ""

    def end(self, person: Person) -> None:
        with self._database.write() as session:
            row = session.get_one(Session, person.session_id)
            row.revoked_at = row.revoked_at or now()
            self._audit(session, "auth.sign_out", person.user_id, row.id, "done")

    @staticmethod
    def end_all_of(session: DbSession, user_id: str) -> None:
        """Ends every session of a person, in the caller's transaction."""
        session.exec(
            update(Session)
            .where(col(Session.user_id) == user_id, col(Session.revoked_at).is_(None))
            .values(revoked_at=now())
        )

    @staticmethod
    def _audit(session: DbSession, act: str, user_id: str, session_id: str, outcome: str) -> None:
        actor = Actor(user_id=user_id, role="none", relation="none", session_id=session_id)
        write_audit(session, scope=PLATFORM_SCOPE, act=act, actor=actor, at=now(), outcome=outcome)


def forget_tries(database: Database, batch: int = 1000) -> int:
    """Deletes the counts whose window is over: they hold nobody up any more. Up to ``batch``; returns how many. Blocking."""
    with database.write() as session:
        over = session.exec(
            select(SignInAttempt.subject_hash).where(SignInAttempt.window_started_at < now() - _WINDOW).limit(batch)
        ).all()
        # Asked again: a try meanwhile has begun another window.
        session.exec(
            delete(SignInAttempt).where(
                col(SignInAttempt.subject_hash).in_(over), col(SignInAttempt.window_started_at) < now() - _WINDOW
            )
        )
        return len(over)


def person_of_user(session: DbSession, user: User, *, session_id: str) -> Person:
    """The person with their active memberships."""
    return Person(user_id=user.id, session_id=session_id, members=_members(session, user.id))


def _members(session: DbSession, user_id: str) -> tuple[Member, ...]:
    statement = (
        rows_of(*_MEMBER)
        .join(_tables["organization"], _ORGANIZATION.id == _MEMBERSHIP.organization_id)
        .where(_MEMBERSHIP.user_id == user_id, _MEMBERSHIP.is_active)
        .order_by(_MEMBERSHIP.created_at)
    )
    return tuple(_member(row) for row in session.connection().execute(statement))


def _member(row: Row[*tuple[Any, ...]]) -> Member:
    return Member(
        organization_id=row.organization_id,
        kind=OrganizationKind(row.organization_kind),
        role=Role(row.role),
        is_owner=row.is_owner,
        is_approver=row.is_approver,
    )
