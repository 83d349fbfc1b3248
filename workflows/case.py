"""CaseWorkflow: one report case, from its draft until it is over.

The rules are pure and live in ``schemas.decisions``; this file gives them durability. Every act, a person's or the
case's own, goes the same way under one lock: decide, apply in the database, adopt (DECISIONS 3).
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from infra.envelopes import EnvelopeForged, verify_envelope
    from schemas.deadlines import next_deadline
    from schemas.decisions import (
        Decision,
        Work,
        after_processing,
        after_verification,
        decide,
        decide_step,
        next_work,
        on_deadline,
    )
    from schemas.errors import OdontoError
    from schemas.lifecycle import Action
    from schemas.messages import (
        ApplyResult,
        BillingInput,
        BillingOutcome,
        CaseStart,
        Command,
        CommandFacts,
        CommandResult,
        EffectInput,
        Fact,
        FactInput,
        FactKind,
        FindReaderInput,
        FoundReader,
        ProcessInput,
        ProcessOutcome,
        SystemStep,
    )
    from schemas.refusals import ActionNotPossible
    from schemas.state import CaseState, Effect, Identity
    from workflows import policies, trace
    from workflows.keyring import envelope_ring


class Subject(NamedTuple):
    """What a piece of own work is about. When the case is about something else by its end, its result is dropped."""

    work: Work
    image_set: int
    identity: Identity
    passed_over: tuple[str, ...]


class OwnWork(NamedTuple):
    subject: Subject
    task: asyncio.Task[None]


@workflow.defn(name="Case")
class CaseWorkflow:
    """Its whole state is one value, ``state``; everything else here is machinery that a new run makes again."""

    @workflow.init
    def __init__(self, start: CaseStart) -> None:
        self.state = start.state
        self._lock = asyncio.Lock()
        self._work: OwnWork | None = None
        self._effects_under_way: dict[str, asyncio.Task[None]] = {}
        self._arrivals = 0

    @workflow.run
    async def run(self, start: CaseStart) -> None:
        """The case does the work that is its own, wakes at its deadlines, and listens in between until it is over."""
        trace.show(self.state)
        if start.reopening:
            await self._wait_for_reopening()
        while not self._is_over:
            await self._read_facts()
            self._take_back_what_ended()
            if self._should_run_again():
                await self._run_again()
            self._start_effects()
            self._start_own_work()
            await self._wait()
        self._drop_own_work()
        await workflow.wait_condition(workflow.all_handlers_finished)

    @property
    def _is_over(self) -> bool:
        return not self.state.is_open and not self.state.effects

    async def _wait_for_reopening(self) -> None:
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self.state.is_open,
                timeout=policies.REOPENING_PATIENCE,
                timeout_summary="a closed case is being reopened",
            )

    # People's commands: one handler, because the table decides which names exist and what each does.

    @workflow.update(dynamic=True)
    async def act(self, name: str, arguments: Sequence[RawValue]) -> CommandResult:
        command = _command(arguments)
        async with self._lock:
            try:
                decision = decide(self.state, command, workflow.now())
            except OdontoError as fact:
                raise _failure(fact) from fact
            await self._apply(decision)
        return CommandResult(seq=self.state.seq, state=self.state.state)

    @act.validator
    def check(self, name: str, arguments: Sequence[RawValue]) -> None:
        """Refuses before anything is written to history: a forged envelope, or a step that the table does not have.

        Validators do not run on replay, so keys may be rotated (DECISIONS 5).
        """
        try:
            command = _command(arguments)
            info = workflow.current_update_info()
            verify_envelope(
                command.envelope,
                envelope_ring(),
                case_id=self.state.case_id,
                now=workflow.now(),
                action=name,
                command_id=info.id if info else None,
            )
            if command.envelope.facts_hash != command.facts.digest:
                raise EnvelopeForged
            # While a step is being written, pages may show its outcome before it is adopted here: the handler, which
            # waits its turn, decides then.
            if not self._lock.locked():
                decide(self.state, command, workflow.now())
        except OdontoError as fact:
            raise _failure(fact) from fact

    @workflow.signal
    async def fact(self, *named: object) -> None:
        """Something happened in the world; the fact itself is read from the outbox (DECISIONS 5).

        ``named`` is its id. Whatever else is sent is no fact: a handler that does not take it would fail the workflow's
        task for ever, and the case with it.
        """
        if len(named) == 1 and isinstance(named[0], str) and self.state.is_open:
            self.state = self.state.with_fact(named[0])

    @workflow.query
    def get_state(self) -> CaseState:
        return self.state

    # The case's own part.

    def _start_own_work(self) -> None:
        """Work runs beside the timers: a check of images that hangs must not silence the reminders about it."""
        subject = _subject_of_work(self.state)
        if self._work is not None and self._work.subject != subject:
            self._drop_own_work()
        if self._work is None and subject is not None:
            self._work = OwnWork(subject, asyncio.create_task(self._do_own_work(subject)))

    def _drop_own_work(self) -> None:
        if self._work is not None:
            self._work.task.cancel()
            self._work = None

    def _take_back_what_ended(self) -> None:
        """Work and effects that have ended are no longer under way, however they ended.

        A surprise comes out here, in the workflow's own task: Temporal then fails that task, says so with the case's id,
        and tries it again until the code is mended. A pause that the surprise itself put into the history could not be
        replayed by the mended code.
        """
        if self._work is not None and self._work.task.done():
            ended, self._work = self._work.task, None
            ended.result()
        for key, task in list(self._effects_under_way.items()):
            if task.done():
                del self._effects_under_way[key]
                task.result()

    def _something_ended(self) -> bool:
        tasks = list(self._effects_under_way.values()) + ([self._work.task] if self._work else [])
        return any(task.done() for task in tasks)

    async def _do_own_work(self, subject: Subject) -> None:
        try:
            if subject.work is Work.INGEST:
                await self._ingest()
            elif subject.work is Work.PROCESS:
                await self._process(subject)
            elif subject.work is Work.VERIFY:
                await self._verify(subject)
            else:
                await self._find_reader(subject)
        except FailureError as error:
            if is_cancelled_exception(error):
                return
            workflow.logger.error("%s did not succeed: %s", subject.work, type(error.cause).__name__)
            await workflow.sleep(policies.ALARM_PAUSE)

    async def _read_facts(self) -> None:
        while self.state.facts:
            fact_id = self.state.facts[0]
            fact = await workflow.execute_activity(
                "records.load_fact",
                FactInput(case_id=self.state.case_id, fact_id=fact_id),
                result_type=Fact,
                summary="Read a fact from the outbox",
                **policies.QUICK,
            )
            async with self._lock:
                noted = await self._note(fact)
                if noted:
                    self.state = self.state.without_fact(fact_id)
            if not noted:
                await workflow.sleep(policies.ALARM_PAUSE)

    async def _note(self, fact: Fact) -> bool:
        """What a fact means to the case. False when its record refused it for now."""
        if fact.kind is FactKind.FILES_SETTLED:
            self._arrivals += 1
            self.state = self.state.model_copy(update={"files_arrived": True})
        elif fact.kind is FactKind.LATE_FILES_SETTLED:
            # Both: an answer to a question may have been asked for meanwhile, or taken back.
            self._arrivals += 1
            self.state = self.state.model_copy(update={"files_arrived": True, "late_files_arrived": True})
        elif fact.kind is FactKind.LINK_LOCKED and fact.subject_id in {grant.grant_id for grant in self.state.grants}:
            locked = SystemStep(action=Action.LOCK_GRANT, facts=CommandFacts(grant_id=fact.subject_id))
            return await self._apply_own(decide_step(self.state, locked, workflow.now()))
        return True

    async def _ingest(self) -> None:
        """Checks files as they arrive, so that the practice hears of a bad one while it can still mend it."""
        seen = self._arrivals
        await workflow.execute_activity(
            "imaging.ingest",
            ProcessInput(case_id=self.state.case_id, image_set=self.state.image_set),
            summary="Check the files that have arrived",
            heartbeat_timeout=policies.IMAGING_HEARTBEAT,
            **policies.IMAGING,
        )
        async with self._lock:
            if self._arrivals == seen:  # otherwise more came while these were checked
                self.state = self.state.model_copy(update={"files_arrived": False, "late_files_arrived": False})

    async def _process(self, subject: Subject) -> None:
        outcome = await workflow.execute_activity(
            "imaging.process",
            ProcessInput(case_id=self.state.case_id, image_set=self.state.image_set),
            result_type=ProcessOutcome,
            summary=f"Check image set {self.state.image_set}",
            heartbeat_timeout=policies.IMAGING_HEARTBEAT,
            **policies.IMAGING,
        )
        billing = await workflow.execute_activity(
            "billing.check",
            BillingInput(case_id=self.state.case_id),
            result_type=BillingOutcome,
            summary="Check the practice's plan",
            **policies.QUICK,
        )
        async with self._lock:
            # Somebody may have cancelled the case, or agreed to its identity, while its images were checked.
            outdated = _subject_of_work(self.state) != subject
            step = after_processing(self.state, outcome, covered=billing.covered)
            recorded = outdated or await self._apply_own(decide_step(self.state, step, workflow.now()))
        if not recorded:
            await workflow.sleep(policies.ALARM_PAUSE)

    async def _verify(self, subject: Subject) -> None:
        """Images that came after the signature are checked like any; the signed state stays while they are."""
        outcome = await workflow.execute_activity(
            "imaging.process",
            ProcessInput(case_id=self.state.case_id, image_set=self.state.image_set, beyond=self.state.readable_up_to),
            result_type=ProcessOutcome,
            summary=f"Check image set {self.state.image_set}, added after the signature",
            heartbeat_timeout=policies.IMAGING_HEARTBEAT,
            **policies.IMAGING,
        )
        async with self._lock:
            outdated = _subject_of_work(self.state) != subject
            step = after_verification(outcome)
            recorded = outdated or await self._apply_own(decide_step(self.state, step, workflow.now()))
        if not recorded:
            await workflow.sleep(policies.ALARM_PAUSE)

    async def _find_reader(self, subject: Subject) -> None:
        found = await workflow.execute_activity(
            "assignment.find_reader",
            FindReaderInput(
                case_id=self.state.case_id, passed_over=self.state.passed_over, preferred=self.state.was_offered_to
            ),
            result_type=FoundReader,
            summary="Find a reader",
            **policies.QUICK,
        )
        async with self._lock:
            if _subject_of_work(self.state) != subject:
                return
            facts = CommandFacts(radiologist_id=found.radiologist_id)
            offer = SystemStep(action=Action.OFFER, facts=facts)
            if found.radiologist_id is None or not await self._apply_own(
                decide_step(self.state, offer, workflow.now())
            ):
                self.state = self.state.model_copy(update={"reader_sought": True})

    async def _wait(self) -> None:
        """Sleeps until the next deadline, or until a command, a fact, or finished work changes the case."""
        if self._is_over:  # somebody ended it while a fact was being read
            return
        seen = self.state
        deadline = next_deadline(seen, workflow.now())
        timeout = None if deadline is None else max(deadline.at - workflow.now(), timedelta())
        try:
            await workflow.wait_condition(
                lambda: self.state is not seen or self._something_ended(),
                timeout=timeout,
                timeout_summary=deadline.due if deadline else None,
            )
        except TimeoutError:
            await self._meet_deadline()

    async def _meet_deadline(self) -> None:
        recorded = True
        async with self._lock:
            deadline = next_deadline(self.state, workflow.now())
            if deadline is not None and deadline.at <= workflow.now():
                recorded = await self._apply_own(on_deadline(self.state, deadline, workflow.now()))
        if not recorded:
            await workflow.sleep(policies.ALARM_PAUSE)

    # Machinery.

    async def _apply(self, decision: Decision) -> None:
        """Writes the decision to the database and adopts it; a fact that the database knew refuses it."""
        result = await workflow.execute_activity(
            "records.apply",
            decision.record,
            result_type=ApplyResult,
            summary=f"Record step {decision.record.seq}: {decision.record.action}",
            **policies.QUICK,
        )
        if not result.applied:
            raise ApplicationError(result.detail or "", result.status, type=result.code, non_retryable=True)
        written = decision.as_written(new_images=result.new_images).state
        self.state = written.model_copy(
            update={"facts": self.state.facts if written.is_open else (), "effects": self._effects_after(written)}
        )
        trace.show(self.state)

    def _effects_after(self, adopted: CaseState) -> tuple[Effect, ...]:
        """Effects that were finished while the decision was being written stay finished."""
        known = {effect.key for effect in self.state.effects}
        return tuple(effect for effect in adopted.effects if effect.key in known or effect.seq == adopted.seq)

    async def _apply_own(self, decision: Decision) -> bool:
        """As :meth:`_apply`, for a step that nobody waits for: a refusal or an alarm must not end the case."""
        try:
            await self._apply(decision)
        except (ActivityError, ApplicationError) as error:
            workflow.logger.error("%s was not recorded: %s", decision.record.action, type(error).__name__)
            return False
        return True

    def _start_effects(self) -> None:
        for effect in self.state.effects:
            if effect.key not in self._effects_under_way:
                self._effects_under_way[effect.key] = asyncio.create_task(self._perform(effect))

    async def _perform(self, effect: Effect) -> None:
        try:
            await workflow.execute_activity(
                "effects.perform",
                EffectInput(case_id=self.state.case_id, key=effect.key),
                summary=f"{effect.kind} {effect.notice or ''}".strip(),
                heartbeat_timeout=policies.EFFECT_HEARTBEAT,
                **policies.EFFECTS[effect.kind],
            )
        except FailureError as error:
            # What was never recorded is never done (invariant 13). The case must still be able to end.
            workflow.logger.error("%s was given up: %s", effect.key, type(error.cause).__name__)
        self.state = self.state.without_effect(effect.key)

    def _should_run_again(self) -> bool:
        """Long, and a good moment; or so long that it cannot wait for one, for a mail relay may be away for days."""
        info = workflow.info()
        length = info.get_current_history_length()
        if info.is_continue_as_new_suggested() or length > 2 * policies.RUN_AGAIN_AFTER_EVENTS:
            return True
        return length > policies.RUN_AGAIN_AFTER_EVENTS and not self._effects_under_way and self._work is None

    async def _run_again(self) -> None:
        """Goes on in a new run with the state carried over, once no handler runs and no record is being written.

        Effects and own work that are still under way begin again there; the fence keeps their result single.
        """
        await workflow.wait_condition(lambda: workflow.all_handlers_finished() and not self._lock.locked())
        workflow.continue_as_new(CaseStart(state=self.state))


def _command(arguments: Sequence[RawValue]) -> Command:
    """The command, or a refusal: what cannot be read, an erased case's payload for one, is dropped (DECISIONS 8)."""
    try:
        (argument,) = arguments
        return workflow.payload_converter().from_payload(argument.payload, Command)
    except ValueError as error:
        raise ActionNotPossible() from error


def _subject_of_work(state: CaseState) -> Subject | None:
    work = next_work(state)
    return None if work is None else Subject(work, state.image_set, state.identity, state.passed_over)


def _failure(fact: OdontoError) -> ApplicationError:
    return ApplicationError(fact.detail, fact.status, type=fact.code, non_retryable=True)
