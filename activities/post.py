"""The post: mails that are owed are sent, each to one recipient, and what became of it is kept.

What is owed is a row, committed with its cause. A recipient's refusal holds up nobody else, and nobody who got a mail gets
it again (DECISIONS 10: but for a process that dies between the relay's answer and the row, and then with the same id).
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select, update

from activities.letters import Letters
from activities.relay_gate import RelayAway, RelayGate
from activities.undeliverable import tell_undeliverable
from infra.database import Database, now
from infra.keystore import KeyStore
from infra.mail import Mail, MailDeferred, Mailer, MailRefused
from schemas.errors import OdontoError
from schemas.ids import new_id
from schemas.mail import INVITATION_LIFE, MAIL_LIFE, MailKind, MailOutcome
from schemas.tables.mail import OutgoingMail

_log = logging.getLogger(__name__)

_FIRST_PAUSE: Final = timedelta(seconds=30)
"""Also how long another worker leaves a mail to the one that sends it."""
_LONGEST_PAUSE: Final = timedelta(hours=1)
_BATCH: Final = 50


def owe(
    session: Session,
    kind: MailKind,
    message_id: str,
    *,
    at: datetime,
    user_id: str | None = None,
    grant_id: str | None = None,
    case_id: str | None = None,
    effect_key: str | None = None,
    notice: str | None = None,
) -> None:
    """Adds a mail to the caller's transaction. Without an effect the worker's sweep sends it, within a second or so."""
    life = INVITATION_LIFE if kind is MailKind.INVITATION else MAIL_LIFE
    session.add(
        OutgoingMail(
            id=new_id("mail"),
            message_id=message_id,
            kind=kind,
            user_id=user_id,
            grant_id=grant_id,
            case_id=case_id,
            effect_key=effect_key,
            notice=notice,
            created_at=at,
            give_up_at=at + life,
            due_at=at,
        )
    )


class Post:
    """Blocking."""

    def __init__(self, database: Database, keys: KeyStore, mailer: Mailer, base_url: str) -> None:
        self._database = database
        self._letters = Letters(keys, base_url)
        self._mailer = mailer
        self._gate = RelayGate()

    def send_of(self, effect_key: str) -> int:
        """Sends what an effect owes; returns how many mails wait still. Raises RelayAway."""
        with self._database.read() as session:
            owed = session.exec(
                select(OutgoingMail)
                .where(OutgoingMail.effect_key == effect_key, col(OutgoingMail.done_at).is_(None))
                .order_by(col(OutgoingMail.attempts), col(OutgoingMail.id))
            ).all()
        return sum(not self._send(mail) for mail in owed)

    def sweep(self) -> int:
        """Sends what no effect sends and is due; returns how many mails were settled.

        A relay that is away ends the sweep: the others would meet the same.
        """
        settled = 0
        for mail in () if self._gate.is_closed else self._due():
            if not self._take(mail):
                continue
            try:
                settled += self._send(mail)
            except RelayAway:
                break
        return settled

    def _due(self) -> Sequence[OutgoingMail]:
        statement = (
            select(OutgoingMail)
            .where(
                col(OutgoingMail.done_at).is_(None),
                col(OutgoingMail.effect_key).is_(None),
                col(OutgoingMail.due_at) <= now(),
            )
            .order_by(col(OutgoingMail.due_at))
            .limit(_BATCH)
        )
        with self._database.read() as session:
            return session.exec(statement).all()

    def _take(self, mail: OutgoingMail) -> bool:
        """Puts the mail off before it is tried: another worker, or this one after a crash, comes back to it then."""
        pause = min(_FIRST_PAUSE * 2 ** min(mail.attempts, 10), _LONGEST_PAUSE)
        with self._database.write() as session:
            taken = session.exec(
                update(OutgoingMail)
                .where(
                    col(OutgoingMail.id) == mail.id,
                    col(OutgoingMail.due_at) == mail.due_at,
                    col(OutgoingMail.done_at).is_(None),
                )
                .values(due_at=now() + pause)
            )
        return taken.rowcount == 1

    def _send(self, mail: OutgoingMail) -> bool:
        """Tries once, and says whether that settled it. Raises RelayAway."""
        outcome: MailOutcome | None = MailOutcome.SENT
        try:
            letter = self._letter(mail)
            if letter is None:
                outcome = MailOutcome.DROPPED
            elif mail.give_up_at <= now():
                outcome = MailOutcome.UNDELIVERABLE
            else:
                with self._gate.conversation(mail.message_id):
                    self._mailer.send(letter)
        except MailRefused as refusal:
            _log.warning("the mail %s cannot be delivered: %s", mail.message_id, refusal)
            outcome = MailOutcome.UNDELIVERABLE
        except MailDeferred as refusal:
            _log.warning("the mail %s has to wait: %s", mail.message_id, refusal)
            outcome = None
        except RelayAway as away:
            if away.tried:  # others come first the next time: it may be this very mail that the relay chokes on
                self._settle(mail, None)
            raise
        self._settle(mail, outcome)
        return outcome is not None

    def _letter(self, mail: OutgoingMail) -> Mail | None:
        try:
            with self._database.read() as session:
                return self._letters.write(session, mail)
        except OdontoError as fact:
            # The patient's key is gone: they were erased, and nobody is left to be written to.
            _log.warning("the mail %s is not written: %s", mail.message_id, fact.code)
            return None

    def _settle(self, mail: OutgoingMail, outcome: MailOutcome | None) -> None:
        moment = now()
        changes = {"outcome": outcome, "done_at": moment} if outcome else {}
        with self._database.write() as session:
            settled = session.exec(
                update(OutgoingMail)
                .where(col(OutgoingMail.id) == mail.id, col(OutgoingMail.done_at).is_(None))
                .values(attempts=OutgoingMail.attempts + 1, **changes)
            )
            if settled.rowcount and outcome is MailOutcome.UNDELIVERABLE:
                tell_undeliverable(session, mail, moment)
