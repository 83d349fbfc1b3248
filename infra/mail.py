"""Mail. Over SMTP a mail cannot be sent exactly once: a stable Message-ID lets every receiver drop a repeat (DECISIONS 10)."""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Protocol
from urllib.parse import unquote, urlsplit

from pydantic import JsonValue
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from infra.codec import SYSTEM_KEY
from infra.database import Database, now
from infra.keystore import KeyStore
from infra.sealing import column_aad, seal_json
from infra.settings import Settings
from schemas.ids import new_id
from schemas.tables.release import MailboxMessage

_SMTP_TIMEOUT_S = 20


@dataclass(frozen=True)
class Mail:
    """``message_id`` without angle brackets; the same mail has the same one at every attempt."""

    message_id: str
    to: str
    subject: str
    text: str


class Mailer(Protocol):
    def send(self, mail: Mail) -> None:
        """Hands the mail over. Blocking; raises when it could not."""
        ...


class MailboxMailer:
    """The embedded mode's mail: kept in the database and read at ``/dev/mailbox``. Drops repeats as a receiver would."""

    def __init__(self, database: Database, keys: KeyStore) -> None:
        self._database = database
        self._keys = keys

    def send(self, mail: Mail) -> None:
        mail_id = new_id("mail")
        content: dict[str, JsonValue] = {"to": mail.to, "subject": mail.subject, "text": mail.text}
        sealed = seal_json(self._keys.data_key(SYSTEM_KEY), content, column_aad("mailbox_message", mail_id, "content"))
        message = MailboxMessage(id=mail_id, message_id=mail.message_id, content=sealed, created_at=now())
        try:
            with self._database.write() as session:
                known = select(MailboxMessage.id).where(MailboxMessage.message_id == mail.message_id)
                if session.exec(known).first() is None:
                    session.add(message)
        except IntegrityError:
            return  # another attempt stored the same message between the look and the insert


class SmtpMailer:
    """Mail through a relay: ``smtp://`` (STARTTLS where it is offered) or ``smtps://``."""

    def __init__(self, url: str, sender: str) -> None:
        self._url = urlsplit(url)
        self._sender = sender

    def send(self, mail: Mail) -> None:
        message = EmailMessage()
        message["Message-ID"] = f"<{mail.message_id}@odontoflow.invalid>"
        message["From"] = self._sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(now())
        message.set_content(mail.text)
        with self._connect() as connection:
            connection.send_message(message)

    def _connect(self) -> smtplib.SMTP:
        host = self._url.hostname or "localhost"
        if self._url.scheme == "smtps":
            context = ssl.create_default_context()
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                host, self._url.port or 465, timeout=_SMTP_TIMEOUT_S, context=context
            )
        else:
            connection = smtplib.SMTP(host, self._url.port or 587, timeout=_SMTP_TIMEOUT_S)
            connection.ehlo()
            if connection.has_extn("starttls"):
                connection.starttls(context=ssl.create_default_context())
        if self._url.username:
            connection.login(unquote(self._url.username), unquote(self._url.password or ""))
        return connection


def make_mailer(settings: Settings, database: Database, keys: KeyStore) -> Mailer:
    """Raises ValueError in production mode without a relay: a mail that nobody receives is not sent."""
    if settings.smtp_url is not None:
        return SmtpMailer(settings.smtp_url.get_secret_value(), settings.mail_from)
    if settings.mode == "production":
        raise ValueError("ODONTOFLOW_SMTP_URL is needed in production mode")
    return MailboxMailer(database, keys)
