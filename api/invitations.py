"""First passwords: a one-time link by mail, with which the invited person chooses one.

The link is derived, not stored: it is signed over the account's present password hash, so that choosing a password
ends every link that was sent before. Looking at it (GET, HEAD) consumes nothing.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from activities.notifications import stable_message_id
from infra.audit import PLATFORM_SCOPE, write_audit
from infra.codec import SYSTEM_KEY
from infra.database import Database, now
from infra.keys import derive_key
from infra.keystore import KeyStore
from infra.mail import Mail
from infra.passwords import Passwords
from infra.sessions import Sessions
from schemas.clinical import N_
from schemas.errors import OdontoError
from schemas.messages import Actor
from schemas.tables.people import User

LIFE: Final = timedelta(days=3)


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
    base_url: str

    def unusable_password(self) -> str:
        """The hash of a password that nobody knows: signing in takes as long as for everybody, and fails."""
        return self.passwords.hash(secrets.token_urlsafe(32))

    def mail(self, user: User, organization: str) -> Mail:
        """The invitation. Refresh ``user.password_hash`` before, and earlier links are dead."""
        until = now() + LIFE
        link = f"{self.base_url}/welcome/{self._token(user, until)}"
        text = (
            f"{organization} has opened an account for you at OdontoFlow.\n\n"
            f"Choose your password here until {until:%d %B %Y, %H:%M} UTC:\n{link}\n\n"
            f"You sign in with this address: {user.email}\n"
        )
        message_id = stable_message_id("invitation", user.id, user.password_hash)
        return Mail(message_id, user.email, "Your account at OdontoFlow", text)

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
        if moment < now() or not hmac.compare_digest(token.encode(), self._token(user, moment).encode()):
            raise InvitationOver()
        return user

    def _token(self, user: User, until: datetime) -> str:
        secret = derive_key(self.keys.key(SYSTEM_KEY), "invitation")
        said = f"{user.id}.{int(until.timestamp())}"
        mac = hmac.new(secret, f"{said}\n{user.password_hash}".encode(), hashlib.sha256).hexdigest()
        return f"{said}.{mac[:48]}"
