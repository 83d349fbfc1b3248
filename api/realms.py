"""Whose people somebody manages: an administrator everybody, a practice's owner those of the practice.

Nobody changes their own account, role or registration.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, select

from infra.audit import PLATFORM_SCOPE, write_audit
from infra.database import now
from schemas.access import Person
from schemas.errors import Forbidden, NotFound
from schemas.lifecycle import Role
from schemas.messages import Actor
from schemas.tables.people import Membership, User
from schemas.translation import N_


class NotYourself(Forbidden):
    code = "not_yourself"
    title = N_("Nobody changes their own account or role. Ask another administrator or owner.")


@dataclass(frozen=True)
class Realm:
    """Whose people somebody manages: everybody (``organization_id`` None), or one practice's."""

    person: Person
    organization_id: str | None = None

    @property
    def actor(self) -> Actor:
        role, relation = (Role.ADMIN, "platform") if self.organization_id is None else (Role.DENTIST, "own")
        return Actor(user_id=self.person.user_id, role=role, relation=relation, session_id=self.person.session_id)

    @property
    def scope(self) -> str:
        """Whose audit trail the acts are part of."""
        return self.organization_id or PLATFORM_SCOPE


def memberships_of(session: Session, realm: Realm, user_id: str) -> Sequence[Membership]:
    """Those that the realm is about."""
    statement = select(Membership).where(Membership.user_id == user_id)
    if realm.organization_id is not None:
        statement = statement.where(Membership.organization_id == realm.organization_id)
    return session.exec(statement).all()


def need_user(session: Session, realm: Realm, user_id: str) -> User:
    """The person's row, locked. Raises NotFound outside the realm."""
    user = session.get(User, user_id, with_for_update=True)
    if user is None or (realm.organization_id is not None and not memberships_of(session, realm, user_id)):
        raise NotFound()
    return user


def need_other(session: Session, realm: Realm, user_id: str) -> User:
    """As ``need_user``. Raises NotYourself, too."""
    if user_id == realm.person.user_id:
        raise NotYourself()
    return need_user(session, realm, user_id)


def audit(session: Session, realm: Realm, act: str, user_id: str, **detail: str | bool) -> None:
    write_audit(session, scope=realm.scope, act=act, actor=realm.actor, at=now(), subject_id=user_id, detail=detail)
