"""The patient's portal: a release link, its two factors, and the visit behind them (invariants 9 and 10).

The first factor is the date of birth, the second a one-time code. The answer to a date says nothing about it: the code is
asked for either way, and whether the date was right travels in a sealed word that only this server can read. Wrong tries
of both factors are counted together, in the transaction that checks them; the fifth locks the link.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

from sqlmodel import Session, col, delete, func, select, update

from activities.people import people_of
from activities.post import owe
from activities.records.opening import demographics_of
from api.portal_facts import (
    Asked,
    CodeUsed,
    Entered,
    GrantNotLive,
    StepMissing,
    Visit,
    VisitOver,
    WrongCode,
    patient_actor,
)
from api.release_links import Link, LinkLocked, LinkOver, find_link, need_live
from infra.audit import write_audit
from infra.codec import SYSTEM_KEY
from infra.database import Database, now
from infra.feed import publish
from infra.keys import derive_key
from infra.keystore import KeyStore
from infra.mail import Mail, stable_message_id
from infra.outbox import enqueue
from infra.release_tokens import release_token
from infra.sealing import SealedValueRefused, column_aad, open_json, seal_json
from infra.sessions import hash_token
from infra.translation import translations
from schemas.errors import NotFound, OdontoError
from schemas.forms import HandedCode
from schemas.ids import new_id
from schemas.mail import LOCKED_NOTICE, MailKind
from schemas.messages import Actor, FactKind
from schemas.state import Audience
from schemas.tables.case import Case
from schemas.tables.people import Organization, Patient
from schemas.tables.release import GrantCode, PortalSession, ReleaseGrant
from schemas.tables.wires import Notification
from schemas.translation import N_

MAX_TRIES: Final = 5
CODE_DIGITS: Final = 6
CODE_LIFE: Final = timedelta(minutes=10)
VISIT_IDLE: Final = timedelta(minutes=30)
VISIT_LIFE: Final = timedelta(hours=8)
_MAX_CODES: Final = 5
"""Codes mailed within a quarter of an hour: whoever knows a birth date must not be able to flood a mailbox."""
_CODES_WINDOW: Final = timedelta(minutes=15)
_CODE_MAIL: Final = N_(
    "Your code: %(code)s\n\nIt opens the report that %(practice)s has released, once, within 10 minutes.\n"
    "If you did not ask for it, do nothing and tell your practice.\n"
)


class Portal:
    """The rules of release links. Blocking; mails with a code are returned, to be handed over after the commit."""

    def __init__(self, database: Database, keys: KeyStore, base_url: str) -> None:
        self._database = database
        self._keys = keys
        self._base_url = base_url

    def link(self, token: str) -> Link:
        with self._database.read() as session:
            return find_link(session, token)

    def ask(self, token: str, born: date | None) -> Asked:
        """The date of birth. A right one causes a code; the answer is the same either way. Raises LinkOver."""
        link = self.link(token)
        with self._database.read() as session:
            person = demographics_of(self._keys, session.get_one(Patient, link.grant.patient_id))
        right = born is not None and hmac.compare_digest(born.isoformat(), person.birth_date.isoformat())
        with self._database.write() as session:
            grant, case, moment = self._locked(session, link)
            if right:
                mails = self._mail_code(session, grant, person.email, link.practice, moment)
            else:
                self._count(session, grant, case, act="release.birth_date", moment=moment)
                mails = ()
        return Asked(self._step(grant.id, right, moment), mails)

    def ask_again(self, token: str, step: str) -> Asked:
        """Another code for a browser that gave the date. Raises StepMissing, LinkOver."""
        link = self.link(token)
        right = self._was_right(step, link.grant.id)
        with self._database.read() as session:
            person = demographics_of(self._keys, session.get_one(Patient, link.grant.patient_id))
        mails: tuple[Mail, ...] = ()
        with self._database.write() as session:
            grant, _, moment = self._locked(session, link)
            if right:
                mails = self._mail_code(session, grant, person.email, link.practice, moment)
        return Asked(self._step(grant.id, right, moment), mails)

    def enter(self, token: str, step: str, code: str) -> Entered:
        """The code. Raises StepMissing, LinkOver; a refused code is in the answer, because its try is committed."""
        link = self.link(token)
        was_right = self._was_right(step, link.grant.id)
        digits = "".join(sign for sign in code if sign.isdecimal())
        visit_token = secrets.token_urlsafe(32)
        with self._database.write() as session:
            grant, case, moment = self._locked(session, link)
            alive = session.exec(
                select(GrantCode).where(GrantCode.grant_id == grant.id, col(GrantCode.expires_at) > moment)
            ).all()
            given = [row for row in alive if hmac.compare_digest(row.code_hash, self._code_hash(row.id, digits))]
            if not (was_right and given):
                locked = self._count(session, grant, case, act="release.code", moment=moment)
                return Entered(None, LinkLocked() if locked else WrongCode())
            if given[0].used_at is not None:
                return Entered(None, CodeUsed())
            # A code that was read out and one that was mailed meanwhile open the same door once.
            for row in alive:
                row.used_at = row.used_at or moment
            self._open(session, grant, visit_token, moment)
        return Entered(visit_token)

    def visit(self, token: str, visit_token: str | None) -> Visit:
        """Who stands behind the cookie now. Raises LinkOver, or VisitOver for no, an idle or another link's session."""
        moment = now()
        with self._database.read() as session:
            link = find_link(session, token)
            row = session.exec(
                select(PortalSession).where(
                    PortalSession.token_hash == hash_token(visit_token or ""), PortalSession.grant_id == link.grant.id
                )
            ).one_or_none()
        if row is None or row.expires_at <= moment:
            raise VisitOver()
        until = min(moment + VISIT_IDLE, row.created_at + VISIT_LIFE)
        if until - row.expires_at > timedelta(minutes=1):
            with self._database.write() as session:
                session.exec(update(PortalSession).where(col(PortalSession.id) == row.id).values(expires_at=until))
        return Visit(link, row.id, self._keys.data_key(link.case.key_id))

    def close(self, visit: Visit) -> None:
        with self._database.write() as session:
            session.exec(delete(PortalSession).where(col(PortalSession.id) == visit.session_id))
            self._audit(session, visit.link.grant, visit.session_id, "release.close")

    def record(self, visit: Visit, act: str, detail: Mapping[str, str | int] | None = None) -> None:
        """An act of the patient in the audit trail, such as ``release.download``."""
        with self._database.write() as session:
            self._audit(session, visit.link.grant, visit.session_id, act, detail=detail)

    def hand_over(self, case: Case, grant_id: str, actor: Actor) -> HandedCode:
        """The link and a code, for the practice to give to a patient who has no e-mail. The code is shown once.

        Raises NotFound for another case's link, GrantNotLive for one that is over.
        """
        with self._database.write() as session:
            grant = session.get(ReleaseGrant, grant_id, with_for_update=True)
            if grant is None or grant.case_id != case.id:
                raise NotFound()
            moment = now()
            try:
                need_live(grant, case, moment)
            except LinkOver:
                raise GrantNotLive() from None
            row, code = self._add_code(session, grant, moment)
            write_audit(
                session, scope=case.id, act="release.hand_over_code", actor=actor, at=moment, subject_id=grant.id
            )
        link = f"{self._base_url}/r/{release_token(self._keys, grant_id)}"
        return HandedCode(link=link, code=code, expires_at=row.expires_at)

    def _locked(self, session: Session, link: Link) -> tuple[ReleaseGrant, Case, datetime]:
        """The grant's row under its lock, checked again: whoever waited for the lock sees what was done meanwhile."""
        grant = session.get_one(ReleaseGrant, link.grant.id, with_for_update=True)
        case = session.get_one(Case, grant.case_id)
        moment = now()
        need_live(grant, case, moment)
        return grant, case, moment

    def _add_code(self, session: Session, grant: ReleaseGrant, moment: datetime) -> tuple[GrantCode, str]:
        code = "".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS))
        code_id = new_id("tok")
        row = GrantCode(
            id=code_id,
            grant_id=grant.id,
            code_hash=self._code_hash(code_id, code),
            created_at=moment,
            expires_at=moment + CODE_LIFE,
        )
        session.add(row)
        session.flush()
        return row, code

    def _mail_code(
        self, session: Session, grant: ReleaseGrant, address: str | None, practice: Organization, moment: datetime
    ) -> tuple[Mail, ...]:
        recent = session.exec(
            select(func.count()).where(GrantCode.grant_id == grant.id, GrantCode.created_at > moment - _CODES_WINDOW)
        ).one()
        if address is None or recent >= _MAX_CODES:
            reason = "limit" if address else "no_address"
            self._audit(session, grant, "none", "release.code_not_sent", detail={"reason": reason})
            return ()
        row, code = self._add_code(session, grant, moment)
        self._audit(session, grant, "none", "release.code_sent")
        _ = translations(practice.locale).gettext
        text = _(_CODE_MAIL) % {"code": code, "practice": practice.name}
        subject = _(N_("Your code from %(practice)s")) % {"practice": practice.name}
        return (Mail(stable_message_id("code", row.id), address, subject, text),)

    def _count(self, session: Session, grant: ReleaseGrant, case: Case, *, act: str, moment: datetime) -> bool:
        """A wrong try of either factor; the fifth locks the link and tells the practice. Whether it did."""
        grant.failures += 1
        if grant.failures < MAX_TRIES:
            session.flush()
            self._audit(session, grant, "none", act, outcome="denied", detail={"tries": grant.failures})
            return False
        grant.state = "locked"
        grant.ended_at = moment
        people = people_of(session, case, Audience.PRACTICE)
        effect_key = f"{case.id}:{LOCKED_NOTICE}:{grant.id}"
        for person in people:
            session.add(
                Notification(
                    id=new_id("ntf"),
                    user_id=person.id,
                    case_id=case.id,
                    effect_key=effect_key,
                    notice=LOCKED_NOTICE,
                    created_at=moment,
                )
            )
            message_id = stable_message_id(effect_key, person.id)
            owe(session, MailKind.LINK_LOCKED, message_id, at=moment, user_id=person.id, case_id=case.id)
        session.flush()
        self._audit(session, grant, "none", act, outcome="denied", detail={"tries": grant.failures})
        self._audit(session, grant, "none", "release.lock")
        enqueue(session, FactKind.LINK_LOCKED, case.id, grant.id)
        publish(session, "release.locked", at=moment, practice_id=case.practice_id, case_id=case.id)
        for person in people:
            publish(session, "notification", at=moment, user_id=person.id, case_id=case.id)
        return True

    def _open(self, session: Session, grant: ReleaseGrant, visit_token: str, moment: datetime) -> None:
        row = PortalSession(
            id=new_id("ses"),
            grant_id=grant.id,
            token_hash=hash_token(visit_token),
            created_at=moment,
            expires_at=moment + VISIT_IDLE,
        )
        session.add(row)
        grant.first_opened_at = grant.first_opened_at or moment
        session.flush()
        self._audit(session, grant, row.id, "release.open")
        publish(session, "release.opened", at=moment, practice_id=grant.practice_id, case_id=grant.case_id)

    @staticmethod
    def _audit(
        session: Session,
        grant: ReleaseGrant,
        session_id: str,
        act: str,
        *,
        outcome: str = "done",
        detail: Mapping[str, str | int] | None = None,
    ) -> None:
        write_audit(
            session,
            scope=grant.case_id,
            act=act,
            actor=patient_actor(grant, session_id),
            at=now(),
            outcome=outcome,
            subject_id=grant.id,
            detail=detail,
        )

    def _code_hash(self, code_id: str, code: str) -> str:
        secret = derive_key(self._keys.key(SYSTEM_KEY), "grant code")
        return hmac.new(secret, f"{code_id}:{code}".encode(), hashlib.sha256).hexdigest()

    def _step(self, grant_id: str, right: bool, moment: datetime) -> str:
        """Sealed, and of one length whatever it says."""
        until = int((moment + _CODES_WINDOW).timestamp())
        word = seal_json(self._keys.data_key(SYSTEM_KEY), [int(right), until], _step_place(grant_id))
        return base64.urlsafe_b64encode(word).decode().rstrip("=")

    def _was_right(self, step: str, grant_id: str) -> bool:
        """What the date's answer was. Raises StepMissing for no, an old, another link's or an invented word."""
        try:
            sealed = base64.urlsafe_b64decode(step + "=" * (-len(step) % 4))
            content = open_json(self._keys.data_key(SYSTEM_KEY), sealed, _step_place(grant_id))
        except (ValueError, SealedValueRefused, OdontoError):
            raise StepMissing() from None
        if not isinstance(content, list) or int(str(content[1])) < now().timestamp():
            raise StepMissing()
        return content[0] == 1


def _step_place(grant_id: str) -> str:
    return column_aad("release_grant", grant_id, "step")
