"""First passwords: a one-time link by mail, with which the invited person chooses one.

Choosing a password ends every link that was sent before. Looking at a link (GET, HEAD) consumes nothing.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from activities.letters import invitation_message_id
from activities.post import owe
from infra.audit import PLATFORM_SCOPE, write_audit
from infra.database import Database, now
from infra.invitation_tokens import invitation_token
from infra.keystore import KeyStore
from infra.passwords import Passwords
from infra.sessions import Sessions
from schemas.errors import OdontoError
from schemas.mail import MailKind
from schemas.messages import Actor
from schemas.tables.people import User
from schemas.translation import N_


class InvitationOver(OdontoError):
    """The same for a used, an old, a replaced and an invented link."""

    code = "invitation_over"
    status = 410
    title = N_("This invitation was used, or it is too old. Ask whoever invited you to send it again.")


@dataclass(frozen=True)
class Invitations:
    """Blocking."""

    database: Database
    keys: KeyStore
    passwords: Passwords

    def unusable_password(self) -> str:
        """The hash of a password that nobody knows: signing in takes as long as for everybody, and fails."""
        return self.passwords.hash(secrets.token_urlsafe(32))

    def owe(self, session: Session, user: User) -> None:
        """An invitation, sent when the caller's transaction is there. Refresh the password's hash before, and earlier
        ones are dead, those included that were not sent yet."""
        owe(session, MailKind.INVITATION, invitation_message_id(user), at=now(), user_id=user.id)

    def read(self, token: str) -> User:
        """Whose invitation it is. Raises InvitationOver."""
        with self.database.read() as session:
            return self._need(session, token)

    def accept(self, token: str, password: str) -> str:
        """Sets the password, once, and returns the address to sign in with. Raises InvitationOver."""
        self.read(token)  # an invented link costs no hash
        chosen = self.passwords.hash(password)
        with self.database.write() as session:
            user = self._need(session, token, lock=True)
            user.password_hash = chosen
            Sessions.end_all_of(session, user.id)
            session.flush()
            actor = Actor(user_id=user.id, role="none", relation="none", session_id="none")
            write_audit(session, scope=PLATFORM_SCOPE, act="user.choose_password", actor=actor, at=now())
        return user.email

    def _need(self, session: Session, token: str, *, lock: bool = False) -> User:
        user_id, _, rest = token.partition(".")
        until, _, _ = rest.partition(".")
        user = session.get(User, user_id, with_for_update=lock or None)
        if user is None or not user.is_active or not until.isdecimal() or len(until) > 12:
            raise InvitationOver()
        try:
            moment = datetime.fromtimestamp(int(until), now().tzinfo)
        except (ValueError, OverflowError):
            raise InvitationOver() from None
        if moment < now() or not hmac.compare_digest(
            token.encode(), invitation_token(self.keys, user, moment).encode()
        ):
            raise InvitationOver()
        return user
