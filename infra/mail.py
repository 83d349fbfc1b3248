"""Mail. Over SMTP a mail cannot be sent exactly once: a stable Message-ID lets every receiver drop a repeat (DECISIONS 10)."""

import hashlib
import smtplib
import ssl
from contextlib import suppress
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
"""Of each step of a conversation."""
_PARTING_S = 2


class MailRefused(Exception):
    """The relay will never take this mail: its address or its content was refused for good (a 5xx answer)."""


class MailDeferred(Exception):
    """The relay does not take this mail now (a 4xx answer); it may take others."""


def stable_message_id(*parts: str) -> str:
    """Of the same cause and recipient, the same: 40 hexadecimal digits."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]


@dataclass(frozen=True)
class Mail:
    """``message_id`` without angle brackets; the same mail has the same one at every attempt."""

    message_id: str
    to: str
    subject: str
    text: str


class Mailer(Protocol):
    def send(self, mail: Mail) -> None:
        """Hands the mail over. Blocking; raises MailRefused, MailDeferred, or anything else when no mail can be sent now."""
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
        try:
            message = self._written(mail)
        except ValueError:
            raise MailRefused("this address or subject cannot be written in a mail") from None
        connection = self._connect()
        try:
            connection.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            (code, _), *_ = error.recipients.values()
            raise _refusal(code) from None  # the error's text names the recipient
        except smtplib.SMTPDataError as error:
            raise _refusal(error.smtp_code) from None
        except (smtplib.SMTPNotSupportedError, UnicodeError):
            raise MailRefused("the relay cannot carry this address") from None
        finally:
            _part(connection)

    def _written(self, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        message["Message-ID"] = f"<{mail.message_id}@odontoflow.invalid>"
        message["From"] = self._sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(now())
        message.set_content(mail.text)
        return message

    def _connect(self) -> smtplib.SMTP:
        host = self._url.hostname or "localhost"
        if self._url.scheme == "smtps":
            context = ssl.create_default_context()
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                host, self._url.port or 465, timeout=_SMTP_TIMEOUT_S, context=context
            )
        else:
            connection = smtplib.SMTP(host, self._url.port or 587, timeout=_SMTP_TIMEOUT_S)
        try:
            if self._url.scheme != "smtps":
                connection.ehlo()
                if connection.has_extn("starttls"):
                    connection.starttls(context=ssl.create_default_context())
            if self._url.username:
                connection.login(unquote(self._url.username), unquote(self._url.password or ""))
        except BaseException:
            connection.close()
            raise
        return connection


def _refusal(code: int) -> Exception:
    return MailRefused(f"SMTP {code}") if code >= 500 else MailDeferred(f"SMTP {code}")


def _part(connection: smtplib.SMTP) -> None:
    """Says goodbye. A relay that has taken the mail and hangs now must not make it look as if it had not."""
    with suppress(OSError, smtplib.SMTPException):
        if connection.sock is not None:
            connection.sock.settimeout(_PARTING_S)
            connection.quit()
    connection.close()


def make_mailer(settings: Settings, database: Database, keys: KeyStore) -> Mailer:
    """Raises ValueError in production mode without a relay: a mail that nobody receives is not sent."""
    if settings.smtp_url is not None:
        return SmtpMailer(settings.smtp_url.get_secret_value(), settings.mail_from)
    if settings.mode == "production":
        raise ValueError("ODONTOFLOW_SMTP_URL is needed in production mode")
    return MailboxMailer(database, keys)
