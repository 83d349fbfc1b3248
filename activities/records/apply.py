"""``records.apply``: one transition, one transaction (DECISIONS 2 and 3).

Projection, timeline, audit row, effect intents and feed events are committed together or not at all. The activity is
idempotent on (case, seq) and on the command: a retry after a lost answer finds its own work and says "applied".
"""

import logging
from typing import Final

from sqlalchemy import bindparam, insert, select
from sqlmodel import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.records.commands import APPLIED, LAPSED, REFUSED, settle_refused, stored_form
from activities.records.projection import project
from activities.records.standing import need_standing
from activities.records.submission import brings_images
from activities.records.writers import WRITERS
from activities.records.writing import Writing
from infra.audit import write_audit
from infra.database import Database
from infra.feed import publish
from infra.keystore import KeyStore
from infra.outbox import START_CASE
from schemas.errors import OdontoError, StateConflict
from schemas.messages import ApplyResult, CommandFacts, Fact, FactInput, FactKind, Record
from schemas.tables.case import Case, CaseCommand, CaseTransition
from schemas.tables.wires import EffectRow, OutboxItem
from schemas.translation import N_

_log = logging.getLogger(__name__)

# Made once: building a statement costs more than running it.
_STEPS: Final = CaseTransition.metadata.tables["case_transition"]
_ADD: Final = insert(_STEPS)
_EARLIER: Final = select(_STEPS.c.seq, _STEPS.c.action, _STEPS.c.facts).where(
    _STEPS.c.command_id == bindparam("command_id")
)

SEQ_TAKEN: Final = "SeqTaken"
"""Another command stands at the record's place: the workflow and the database disagree. An alarm, never a success."""


class CommandRepeated(StateConflict):
    code = "command_repeated"
    title = N_("This step has been taken already.")


class RecordActivities:
    """Activities that write a case's record. Blocking; they run on the worker's threads."""

    def __init__(self, database: Database, keys: KeyStore) -> None:
        self._database = database
        self._keys = keys

    @activity.defn(name="records.apply")
    def apply(self, record: Record) -> ApplyResult:
        """Writes the transition, or refuses it with the fact that only the database knew."""
        try:
            with self._database.write() as session:
                row = _locked_case(session, record)
                earlier = _already_applied(session, row, record)
                if earlier is not None:
                    return earlier
                need_standing(session, row.practice_id, record.actor)
                if record.if_new_images is not None and brings_images(session, record):
                    record = record.if_new_images
                self._write(session, row, record)
        except OdontoError as fact:
            with self._database.write() as session:
                settle_refused(session, record.command_id, record.actor, fact)
            return ApplyResult(applied=False, code=fact.code, detail=fact.detail, status=fact.status)
        return ApplyResult(applied=True, new_images=record.facts.new_images)

    def _write(self, session: Session, row: Case, record: Record) -> None:
        writer = WRITERS.get(record.action)
        noted: dict[str, str | int] = {}
        if writer is not None:
            form = stored_form(session, self._keys, record.command_id)
            writer(Writing(session=session, keys=self._keys, row=row, record=record, form=form, noted=noted))
        project(row, record.state, record.at)
        session.connection().execute(_ADD, _transition(record))
        command = session.get(CaseCommand, record.command_id)
        if command is not None:
            command.outcome, command.seq, command.settled_at = APPLIED, record.seq, record.at
        for effect in record.state.effects:
            if effect.seq == record.seq:
                session.add(
                    EffectRow(
                        key=effect.key,
                        case_id=record.case_id,
                        seq=record.seq,
                        kind=effect.kind,
                        intent=effect.model_dump_json(),
                        created_at=record.at,
                    )
                )
        session.flush()
        write_audit(
            session,
            scope=record.case_id,
            act=f"case.{record.action}",
            actor=record.actor,
            at=record.at,
            command_id=record.command_id,
            detail={"seq": record.seq, "from": record.from_state, "to": record.state.state, **noted},
        )
        publish(session, f"case.{record.action}", at=record.at, practice_id=row.practice_id, case_id=record.case_id)

    @activity.defn(name="records.load_fact")
    def load_fact(self, wanted: FactInput) -> Fact:
        """The fact behind a signal. A signal that names no fact of this case does nothing (invariant 5)."""
        with self._database.read() as session:
            item = session.get(OutboxItem, wanted.fact_id)
        if item is None or item.case_id != wanted.case_id or item.kind == START_CASE:
            return Fact()
        return Fact(kind=FactKind(item.kind), subject_id=item.subject_id)


def _locked_case(session: Session, record: Record) -> Case:
    row = session.get(Case, record.case_id, with_for_update=True)
    if row is None or row.practice_id != record.state.practice_id:
        raise ApplicationError("The case of this record is not here", type="CaseMissing", non_retryable=True)
    return row


def _already_applied(session: Session, row: Case, record: Record) -> ApplyResult | None:
    """A retry's own work, or a settled refusal. Raises where the place is taken by something else."""
    earlier = session.connection().execute(_EARLIER, {"command_id": record.command_id}).one_or_none()
    if earlier is not None and (earlier.seq, earlier.action) == (record.seq, record.action):
        return ApplyResult(applied=True, new_images=CommandFacts.model_validate_json(earlier.facts).new_images)
    if earlier is not None and earlier.seq < record.seq:
        # A new run of the workflow does not know the ids of the last one's updates.
        fact = CommandRepeated()
        return ApplyResult(applied=False, code=fact.code, detail=fact.detail, status=fact.status)
    if row.seq != record.seq - 1:
        _log.critical("seq %d of %s is taken; the case stands at %d", record.seq, record.case_id, row.seq)
        raise ApplicationError("The case's record stands elsewhere", type=SEQ_TAKEN, non_retryable=True)
    # Locked, so that the command cannot lapse while it is being applied.
    command = session.get(CaseCommand, record.command_id, with_for_update=True)
    if command is not None and command.outcome in {REFUSED, LAPSED}:
        return ApplyResult(
            applied=False, code=command.refusal_code, detail=command.refusal_detail, status=command.refusal_status
        )
    return None


def _transition(record: Record) -> dict[str, object]:
    return {
        "case_id": record.case_id,
        "seq": record.seq,
        "command_id": record.command_id,
        "action": record.action,
        "from_state": record.from_state,
        "to_state": record.state.state,
        "actor_id": record.actor.user_id,
        "actor_role": record.actor.role,
        "actor_relation": record.actor.relation,
        "facts": record.facts.model_dump_json(exclude_defaults=True),
        "at": record.at,
    }
