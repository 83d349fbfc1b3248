"""The effects ``notify`` and ``mail_link``: first the application knows it, then mails go out, one a recipient.

Everybody whom a step concerns has a notice in the page before the first mail is tried, whatever the relay does.
"""

from typing import Final

from sqlmodel import Session, select
from temporalio.exceptions import ApplicationError

from activities.people import people_of, with_deputies
from activities.post import Post, owe
from activities.relay_gate import RelayAway
from infra.database import Database, now
from infra.feed import publish
from infra.mail import stable_message_id
from schemas.ids import new_id
from schemas.lifecycle import Action
from schemas.mail import MailKind
from schemas.state import Audience, Effect
from schemas.tables.case import Case
from schemas.tables.mail import OutgoingMail
from schemas.tables.people import User
from schemas.tables.wires import EffectRow, Notification

_ABOUT_A_WAIT: Final = frozenset({Action.REMIND, Action.ESCALATE})


class Notifier:
    """Performs the effects. Blocking."""

    def __init__(self, database: Database, post: Post) -> None:
        self._database = database
        self._post = post

    def notify(self, effect: Effect, case_id: str) -> None:
        with self._database.write() as session:
            if _is_first_try(session, effect):
                _tell(session, effect, case_id)
        self._send(effect)

    def mail_link(self, effect: Effect, case_id: str) -> None:
        with self._database.write() as session:
            if effect.grant_id is not None and _is_first_try(session, effect):
                owe(
                    session,
                    MailKind.LINK,
                    stable_message_id(effect.key),
                    at=now(),
                    grant_id=effect.grant_id,
                    case_id=case_id,
                    effect_key=effect.key,
                )
        self._send(effect)

    def _send(self, effect: Effect) -> None:
        """Fails while a mail waits, so that the engine tries again; for those recipients alone."""
        try:
            left = self._post.send_of(effect.key)
        except RelayAway:
            raise ApplicationError("The mail relay is away", type="RelayAway") from None
        if left:
            raise ApplicationError(f"{left} mails have to wait", type="MailDeferred")


def _is_first_try(session: Session, effect: Effect) -> bool:
    """Under the lock of the effect's row: whom it concerns is settled once, however often it is tried."""
    session.get_one(EffectRow, effect.key, with_for_update=True)
    owed = select(OutgoingMail.id).where(OutgoingMail.effect_key == effect.key)
    return session.exec(owed.limit(1)).first() is None


def _tell(session: Session, effect: Effect, case_id: str) -> None:
    moment, notice = now(), effect.notice or ""
    people = _concerned(session, effect, case_id)
    for person in people:
        session.add(
            Notification(
                id=new_id("ntf"),
                user_id=person.id,
                case_id=case_id,
                effect_key=effect.key,
                notice=notice,
                created_at=moment,
            )
        )
        owe(
            session,
            MailKind.NOTICE,
            stable_message_id(effect.key, person.id),
            at=moment,
            user_id=person.id,
            case_id=case_id,
            effect_key=effect.key,
            notice=notice,
        )
    session.flush()
    for person in people:
        publish(session, "notification", at=moment, user_id=person.id, case_id=case_id)


def _concerned(session: Session, effect: Effect, case_id: str) -> list[User]:
    """The audience. A wait whose owner is not there any more is told to who stands in for them, at once."""
    row = session.get_one(Case, case_id)
    wanted = effect.audience or Audience.SCHEDULERS
    if effect.notice not in _ABOUT_A_WAIT:
        return people_of(session, row, wanted)
    for audience in with_deputies(wanted):
        key = f"{case_id}:notify-{audience}:{effect.seq}"
        if audience is not wanted and session.get(EffectRow, key) is not None:
            return []  # the same step tells them by itself
        people = people_of(session, row, audience)
        if people:
            return people
    return []
