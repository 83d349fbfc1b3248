"""The one place where the API acts on a case, and where Temporal's errors become ours (DECISIONS 3 to 5).

A command has three outcomes: applied, refused with its reason, or unknown, when no worker answers in time. Whatever
happens to the connection, the same command sent again has the outcome of the first.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.records.commands import (
    APPLIED,
    CommandDesk,
    NewCommand,
    Refused,
    raise_refusal,
)
from infra.audit import write_audit
from infra.database import Database, now
from infra.envelopes import sign_envelope
from infra.keystore import KeyStore
from schemas.access import Person, Verdict, acting_as, verdict
from schemas.actors import ActorClaims, ActorEnvelope
from schemas.errors import EngineUnavailable, OdontoError
from schemas.forms import ActionForm
from schemas.ids import case_workflow_id, new_id
from schemas.lifecycle import STATE_WORDS, Action, State, Taker, transition
from schemas.messages import Actor, Command, CommandFacts, CommandResult
from schemas.refusals import ActionNotPossible, FreshSignInNeeded, NotYours
from schemas.tables.case import Case, CaseCommand
from workflows.dispatcher import Dispatcher

_log = logging.getLogger(__name__)
_ANSWER_SECONDS: Final = 8.0
ENVELOPE_PURPOSE: Final = "actor envelope"


@dataclass(frozen=True)
class Wish:
    """A person's wish to act on a case. ``fresh`` says that they have just proved who they are."""

    person: Person
    case: Case
    held: frozenset[Taker]
    is_owner: bool
    action: Action
    form: ActionForm
    idempotency_key: str
    fresh: bool


class Gateway:
    def __init__(self, client: Client, database: Database, keys: KeyStore) -> None:
        self._client = client
        self._database = database
        self._keys = keys
        self._desk = CommandDesk(database, keys)
        self.dispatcher = Dispatcher(client, database)

    async def act(self, wish: Wish) -> CaseCommand:
        """The settled command, or the command still ``received`` when its outcome is not known yet.

        Raises the fact that refuses it; EngineUnavailable when it is sure that nothing was done.
        """
        command = NewCommand(
            case_id=wish.case.id,
            key_id=wish.case.key_id,
            action=wish.action,
            user_id=wish.person.user_id,
            idempotency_key=wish.idempotency_key,
            form=wish.form.stored(),
        )
        known, facts = await asyncio.to_thread(self._take_in, wish, command)
        return known if facts is None else await self._send(wish, known, facts)

    def _take_in(self, wish: Wish, command: NewCommand) -> tuple[CaseCommand, CommandFacts | None]:
        """The stored command, and its facts unless it was applied before. One visit to a thread. Blocking.

        Raises what refuses it, now or when it came first.
        """
        known = self._desk.find(command)
        if known is None:
            self._check(wish, command.id)
            known = self._desk.receive(command)
        raise_refusal(known)
        return known, None if known.outcome == APPLIED else self._facts(wish)

    async def announce(self, case_id: str) -> None:
        """Starts the workflow of a case that was just opened. When Temporal is away, a worker's sweep does it later."""
        try:
            await self.dispatcher.dispatch(case_id)
        except (RPCError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and not _was_not_sent(error):
                raise
            _log.warning("the start of %s waits for Temporal", case_id)

    def _check(self, wish: Wish, command_id: str) -> None:
        """The table's answer before anything is stored. A denial leaves one row in the audit trail (invariant 4)."""
        state = State(wish.case.state)
        row = transition(wish.action, state)
        answer = verdict(wish.action, wish.held, state, is_owner=wish.is_owner)
        fact: OdontoError | None = None
        if answer is Verdict.FORBIDDEN:
            fact = NotYours()
        elif answer is Verdict.NOT_NOW:
            fact = ActionNotPossible(f"This step is not possible now: the case is “{STATE_WORDS[state]}”.")
        elif row is not None and row.fresh and not wish.fresh:
            fact = FreshSignInNeeded()
        if fact is not None:
            with self._database.write() as session:
                write_audit(
                    session,
                    scope=wish.case.id,
                    act=f"case.{wish.action}",
                    actor=_actor(wish),
                    at=now(),
                    outcome="denied",
                    detail={"code": fact.code, "command": command_id},
                )
            raise fact

    async def _send(self, wish: Wish, command: CaseCommand, facts: CommandFacts) -> CaseCommand:
        update = Command(facts=facts, envelope=self._envelope(wish, command, facts))
        try:
            result = await self._update(wish, command, update)
        except WorkflowUpdateFailedError as failure:
            return await self._refused(wish, command, _fact_of(failure))
        except ActionNotPossible as fact:
            return await self._refused(wish, command, fact)
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
            return command
        except (RPCError, RuntimeError) as error:
            if _was_not_sent(error):
                raise EngineUnavailable() from error
            if isinstance(error, RuntimeError):
                raise
            return command
        # The case answers only after its record was written, so there is nothing to be read.
        command.outcome, command.seq = APPLIED, result.seq
        return command

    async def _refused(self, wish: Wish, command: CaseCommand, fact: OdontoError) -> CaseCommand:
        """Records and raises the refusal, unless the very command was applied: then this was a repeat of it."""
        await asyncio.to_thread(self._desk.refuse, command.id, _actor(wish), fact)
        settled = await asyncio.to_thread(self._desk.outcome, command.id)
        if settled is not None and settled.outcome == APPLIED:
            return settled
        raise fact

    async def _update(self, wish: Wish, command: CaseCommand, update: Command) -> CommandResult:
        handle = self._client.get_workflow_handle(case_workflow_id(wish.case.id))
        if wish.action is Action.REOPEN:
            await self.dispatcher.reopen(wish.case.id)
        try:
            return await self._answer(handle, command, update)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        # A case that was opened a moment ago: its start may still wait in the outbox. Otherwise it is over.
        await self.dispatcher.dispatch(wish.case.id)
        try:
            return await self._answer(handle, command, update)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            raise await asyncio.to_thread(self._why_not_there, wish.case.id) from error

    @staticmethod
    async def _answer(handle: WorkflowHandle[Any, Any], command: CaseCommand, update: Command) -> CommandResult:
        async with asyncio.timeout(_ANSWER_SECONDS):
            result: CommandResult = await handle.execute_update(
                command.action, update, id=command.id, result_type=CommandResult
            )
        return result

    def _why_not_there(self, case_id: str) -> OdontoError:
        with self._database.read() as session:
            is_open = session.get_one(Case, case_id).is_open
        return (
            EngineUnavailable() if is_open else ActionNotPossible("This case is over; nothing can be changed any more.")
        )

    def _envelope(self, wish: Wish, command: CaseCommand, facts: CommandFacts) -> ActorEnvelope:
        taker = acting_as(wish.action, wish.held, State(wish.case.state))
        claims = ActorClaims(
            user_id=wish.person.user_id,
            role=taker.role if taker else "none",
            relation=taker.relation if taker else "none",
            session_id=wish.person.session_id,
            case_id=wish.case.id,
            command_id=command.id,
            action=wish.action,
            issued_at=now(),
            expires_at=command.expires_at,
            facts_hash=facts.digest,
            fresh_auth=wish.fresh,
        )
        return sign_envelope(claims, self._keys.master.ring(ENVELOPE_PURPOSE))

    @staticmethod
    def _facts(wish: Wish) -> CommandFacts:
        """The form's facts; those of a release with a new link's id."""
        facts = wish.form.facts()
        if wish.action is Action.RELEASE:
            return facts.model_copy(update={"grant_id": new_id("grt")})
        return facts


def _actor(wish: Wish) -> Actor:
    taker = acting_as(wish.action, wish.held, State(wish.case.state)) or _any_of(sorted(wish.held, key=str))
    return Actor(
        user_id=wish.person.user_id,
        role=taker.role if taker else "none",
        relation=taker.relation if taker else "none",
        session_id=wish.person.session_id,
    )


def _any_of(takers: Sequence[Taker]) -> Taker | None:
    return takers[0] if takers else None


def _fact_of(failure: WorkflowUpdateFailedError) -> Refused:
    cause = failure.cause
    if not isinstance(cause, ApplicationError):
        return Refused("refused", 409, "The case did not take this step. Reload the page and try again.")
    status = cause.details[0] if cause.details and isinstance(cause.details[0], int) else 409
    return Refused(cause.type or "refused", status, cause.message)


def _was_not_sent(error: RPCError | RuntimeError) -> bool:
    """A refused connection: the request never left this machine.

    A process that started while Temporal was away connects with its first request; the SDK says so in a RuntimeError.
    """
    if isinstance(error, RPCError):
        return error.status is RPCStatusCode.UNAVAILABLE and "tcp connect error" in error.message.lower()
    return "client connect" in str(error)
