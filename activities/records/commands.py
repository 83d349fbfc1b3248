"""A person's commands from receipt to outcome: what makes a repeat harmless and an unknown outcome findable.

An outcome is one of ``received`` (not known yet), ``applied``, ``refused``, ``lapsed``. A command that was not applied
before its envelope ended never will be: the workflow refuses the envelope, and ``apply`` refuses the row.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import bindparam, insert
from sqlalchemy import select as rows_of
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from infra.audit import write_audit
from infra.database import Database, now
from infra.keystore import KeyStore
from infra.sealing import column_aad, open_json, seal_json
from schemas.errors import InvalidInput, OdontoError
from schemas.forms import CommandView
from schemas.lifecycle import Action
from schemas.messages import Actor
from schemas.tables.case import CaseCommand
from schemas.translation import N_

ENVELOPE_LIFE: Final = timedelta(minutes=2)
LAPSE_GRACE: Final = timedelta(minutes=1)
RECEIVED, APPLIED, REFUSED, LAPSED = "received", "applied", "refused", "lapsed"
_COMMANDS: Final = CaseCommand.metadata.tables["case_command"]
_RECEIVE: Final = insert(_COMMANDS)
_KNOWN: Final = rows_of(_COMMANDS.c.id).where(_COMMANDS.c.id == bindparam("command_id"))


class KeyReused(InvalidInput):
    """The same Idempotency-Key with another body, action or person."""

    code = "idempotency_key_reused"
    title = N_("This request's key was used for something else. Reload the page and repeat the step.")


class Refused(OdontoError):
    """A stored refusal, given again as it was."""

    def __init__(self, code: str, status: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.status = status
        self.title = detail


def id_of_command(case_id: str, idempotency_key: str) -> str:
    """One id a case and key: the same click, however often it arrives."""
    digest = hashlib.sha256(f"{case_id}\n{idempotency_key}".encode()).hexdigest()
    return f"cmd_{digest[:48]}"


def fingerprint(user_id: str, action: str, form: Mapping[str, Any]) -> str:
    """Of who wants what: the same key for anything else is refused."""
    content = json.dumps([user_id, action, dict(form)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True)
class NewCommand:
    """What the API knows of a command before the case has seen it."""

    case_id: str
    key_id: str
    action: Action
    user_id: str
    idempotency_key: str
    form: Mapping[str, Any]

    @property
    def id(self) -> str:
        return id_of_command(self.case_id, self.idempotency_key)

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.user_id, self.action, self.form)


class CommandDesk:
    """Commands in the database. Blocking."""

    def __init__(self, database: Database, keys: KeyStore) -> None:
        self._database = database
        self._keys = keys

    def find(self, command: NewCommand) -> CaseCommand | None:
        """The same command received before. Raises KeyReused when the key stands for something else."""
        with self._database.read() as session:
            if session.connection().execute(_KNOWN, {"command_id": command.id}).first() is None:
                return None
            row = session.get(CaseCommand, command.id)
        if row is not None and row.fingerprint != command.fingerprint:
            raise KeyReused()
        return row

    def receive(self, command: NewCommand) -> CaseCommand:
        """Stores the command, or finds it where a double click has just stored it."""
        moment = now()
        place = column_aad("case_command", command.id, "form")
        row = CaseCommand(
            id=command.id,
            case_id=command.case_id,
            user_id=command.user_id,
            action=command.action,
            fingerprint=command.fingerprint,
            form=seal_json(self._keys.data_key(command.key_id), dict(command.form), place),
            outcome=RECEIVED,
            received_at=moment,
            expires_at=moment + ENVELOPE_LIFE,
        )
        try:
            with self._database.write() as session:
                session.connection().execute(_RECEIVE, row.model_dump())
        except IntegrityError:
            found = self.find(command)
            if found is None:
                raise
            return found
        return row

    def outcome(self, command_id: str) -> CaseCommand | None:
        with self._database.read() as session:
            return session.get(CaseCommand, command_id)

    def refuse(self, command_id: str, actor: Actor, fact: OdontoError) -> None:
        """Records a refusal that the workflow gave, and its one denial (invariant 4). A settled command stays as it is."""
        with self._database.write() as session:
            settle_refused(session, command_id, actor, fact)

    def lapse_stale(self) -> int:
        """Settles commands whose envelope ended unanswered; returns how many."""
        moment = now()
        with self._database.write() as session:
            rows = session.exec(
                select(CaseCommand)
                .where(CaseCommand.outcome == RECEIVED, col(CaseCommand.expires_at) < moment - LAPSE_GRACE)
                .limit(200)
                .with_for_update()
            ).all()
            for row in rows:
                row.outcome = LAPSED
                row.refusal_code = "lapsed"
                row.refusal_status = 409
                row.refusal_detail = "The case did not take this step in time. Nothing was done; please repeat it."
                row.settled_at = moment
            return len(rows)


def settle_refused(session: Session, command_id: str, actor: Actor, fact: OdontoError) -> None:
    row = session.exec(select(CaseCommand).where(CaseCommand.id == command_id).with_for_update()).one_or_none()
    if row is None or row.outcome != RECEIVED:
        return
    moment = now()
    row.outcome = REFUSED
    row.refusal_code = fact.code
    row.refusal_status = fact.status
    row.refusal_detail = fact.detail[:500]
    row.settled_at = moment
    write_audit(
        session,
        scope=row.case_id,
        act=f"case.{row.action}",
        actor=actor,
        at=moment,
        outcome="denied",
        command_id=command_id,
        detail={"code": fact.code},
    )


def stored_form(session: Session, keys: KeyStore, command_id: str) -> dict[str, Any]:
    """What the person typed with a command; empty for the case's own steps."""
    row = session.get(CaseCommand, command_id)
    return {} if row is None else opened_form(keys, row)


def opened_form(keys: KeyStore, row: CaseCommand) -> dict[str, Any]:
    if not row.form:
        return {}
    form = open_json(keys, row.form, column_aad("case_command", row.id, "form"))
    return form if isinstance(form, dict) else {}


def view_of(row: CaseCommand) -> CommandView:
    return CommandView(
        command_id=row.id,
        case_id=row.case_id,
        action=row.action,
        outcome=row.outcome,
        seq=row.seq,
        code=row.refusal_code,
        detail=row.refusal_detail,
    )


def raise_refusal(row: CaseCommand) -> None:
    """Gives a stored refusal again; returns when there is none."""
    if row.outcome in {REFUSED, LAPSED}:
        raise Refused(row.refusal_code or "refused", row.refusal_status or 409, row.refusal_detail or "")
