"""What the operator's commands work on: the settings, the database and the keys of an installation that exists.

No command: it is imported by those that need it.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from sqlmodel import select

from activities.letters import Letters, invitation_message_id
from activities.post import Post
from api.invitations import Invitations
from infra.database import Database
from infra.key_file import load_master_keys
from infra.keystore import KeyStore
from infra.mail import make_mailer
from infra.passwords import Passwords
from infra.settings import Settings, get_settings
from schemas.errors import InvalidInput
from schemas.mail import MailOutcome
from schemas.tables.mail import OutgoingMail
from schemas.tables.people import User
from worker.commands.readiness import NotReady, open_database

Model = TypeVar("Model", bound=BaseModel)

_TICK_S: Final = 0.1
_PATIENCE_TICKS: Final = 50


@dataclass(frozen=True)
class Installation:
    settings: Settings
    database: Database
    keys: KeyStore

    @property
    def invitations(self) -> Invitations:
        return Invitations(self.database, self.keys, Passwords(self.settings))

    def hand_over(self, user_id: str) -> None:
        """Mails the invitation that was committed, and says so; prints it where it was not mailed. Without one, says that.

        The worker goes on trying where the relay was away: what is printed and what is mailed is one and the same link.
        """
        with self.database.read() as session:
            user = session.get_one(User, user_id)
        if self._owed(user) is None:
            print(f"{user.email} has an account already and signs in as before.")
            return
        problem = self._try_to_send(user)
        if problem is None:
            page = "." if self.settings.smtp_url else f": {self.settings.base_url}/dev/mailbox"
            print(f"The invitation was mailed to {user.email}{page}")
            return
        with self.database.read() as session:
            owed = self._owed(user)
            letter = owed and Letters(self.keys, self.settings.base_url).write(session, owed)
        assert letter
        print(f"No mail was sent: {problem}. Hand this to {user.email} yourself:\n\n{letter.text}")

    def _try_to_send(self, user: User) -> str | None:
        """Why it was not mailed, or None when it was."""
        if self.settings.mode == "production" and self.settings.smtp_url is None:
            return "ODONTOFLOW_SMTP_URL is empty"
        post = Post(
            self.database,
            self.keys,
            make_mailer(self.settings, self.database, self.keys),
            self.settings.base_url,
        )
        post.sweep()
        for _ in range(_PATIENCE_TICKS):
            owed = self._owed(user)
            if owed is not None and owed.outcome == MailOutcome.SENT:
                return None
            if owed is None or owed.outcome or owed.attempts:
                break
            time.sleep(_TICK_S)  # a worker was quicker, and is sending it
        return "the relay in ODONTOFLOW_SMTP_URL did not take it"

    def _owed(self, user: User) -> OutgoingMail | None:
        with self.database.read() as session:
            return session.exec(
                select(OutgoingMail).where(OutgoingMail.message_id == invitation_message_id(user))
            ).one_or_none()


@contextmanager
def installation() -> Iterator[Installation]:
    """Opens it. Raises NotReady, MasterKeyMissing, MasterKeyFileRefused."""
    settings = get_settings()
    if settings.mode == "production" and not settings.public_url:
        raise NotReady("ODONTOFLOW_PUBLIC_URL is empty. Invitations lead there: set the address that people reach.")
    database = open_database(settings)
    try:
        keys = KeyStore(database, load_master_keys(settings))
        keys.need_own_master_key()
        yield Installation(settings, database, keys)
    finally:
        database.close()


def checked(model: type[Model], options: Mapping[str, str], **values: Any) -> Model:
    """``values`` as a model, or InvalidInput with one line that names the wrong option. ``options``: its name by field."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = str(first["loc"][0]) if first["loc"] else ""
        said = first["msg"].removeprefix("Value error, ")
        if "pattern" in first["type"] and field == "email":
            said = "this is not an address such as name@practice.example"
        raise InvalidInput(f"{options.get(field, field)}: {said}") from None
