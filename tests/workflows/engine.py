"""A reading practice on the real engine: a worker, the gateway as the API uses it, and people who act."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from sqlmodel import col, select, update
from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.converter import DataConverter
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker, WorkflowRunner

from activities.assignment import AssignmentActivities
from activities.billing import BillingActivities
from activities.effects import EffectActivities
from activities.notifications import Notifier
from activities.post import Post
from activities.records.apply import RecordActivities
from activities.records.commands import NewCommand
from activities.records.signing import draft_hash
from infra.codec import data_converter
from infra.mail import MailboxMailer
from infra.sealing import column_aad, seal_json
from schemas.deadlines import next_deadline
from schemas.decisions import next_work
from schemas.forms import ACTION_FORMS, ReportDraftBody, SignForm
from schemas.ids import case_workflow_id
from schemas.lifecycle import Action, State, WaitReason
from schemas.messages import ProcessInput, ProcessOutcome
from schemas.sla import DEFAULT_POLICY, Priority, SlaPolicy
from schemas.state import CaseState, Effect, EffectKind, IdentityStanding
from schemas.tables.case import CaseCommand, CaseTransition
from schemas.tables.people import Contract
from schemas.tables.report import ReportDraft
from schemas.tables.wires import AuditRow, EffectRow, Notification
from tests.schemas.test_report import complete_report
from tests.world import World
from workflows import policies
from workflows.case import CaseWorkflow
from workflows.gateway import ENVELOPE_PURPOSE, Gateway, Wish
from workflows.keyring import use_envelope_ring
from workflows.runner import sandboxed

CLEAN: Final = ProcessOutcome(readable=1, identity=IdentityStanding.MATCHED)
FOREIGN: Final = ProcessOutcome(readable=1, identity=IdentityStanding.MISMATCHED)
UNREADABLE: Final = ProcessOutcome(readable=0, identity=IdentityStanding.UNCHECKED)
VOLATILE: Final = {"facts", "effects", "files_arrived", "late_files_arrived", "reader_sought"}
"""What a case knows of its own work, and the record does not keep step by step."""


@dataclass
class Imaging:
    """Imaging as the test wants it to turn out, for all cases or for one image set of a case."""

    outcome: ProcessOutcome = CLEAN
    by_set: dict[tuple[str, int], ProcessOutcome] = field(default_factory=dict)
    ingested: list[str] = field(default_factory=list)

    @activity.defn(name="imaging.ingest")
    def ingest(self, wanted: ProcessInput) -> None:
        self.ingested.append(wanted.case_id)

    @activity.defn(name="imaging.process")
    def process(self, wanted: ProcessInput) -> ProcessOutcome:
        return self.of(wanted.case_id, wanted.image_set)

    def of(self, case_id: str, image_set: int) -> ProcessOutcome:
        return self.by_set.get((case_id, image_set), self.outcome)


@dataclass
class Documents:
    """Counts what would be rendered."""

    rendered: list[tuple[str, int | None]] = field(default_factory=list)

    def render(self, effect: Effect, case_id: str) -> None:
        self.rendered.append((case_id, effect.version))


class Clock:
    """The engine's time, and with it the time of everything on the API's side.

    Waiting for an update's result skips no time on the time-skipping server: time passes in :meth:`advance` alone.
    """

    _READERS = (
        "workflows.gateway.now",
        "activities.records.commands.now",
        "activities.assignment.now",
        "activities.billing.now",
    )

    def __init__(self, environment: WorkflowEnvironment, patch: pytest.MonkeyPatch) -> None:
        self._environment = environment
        self._ahead = timedelta()
        for reader in self._READERS:
            patch.setattr(reader, self.now)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    async def synchronize(self) -> None:
        self._ahead = await self._environment.get_current_time() - datetime.now(UTC)

    async def advance(self, duration: timedelta) -> None:
        await self._environment.sleep(duration)
        await self.synchronize()


def client_of(client: Client, world: World, converter: DataConverter | None = None) -> Client:
    """The client with the world's own codec, or another one."""
    config = client.config()
    config["data_converter"] = converter or data_converter(world.keys)
    return Client(**config)


@dataclass
class Practice:
    """The people of a world and their engine."""

    client: Client
    world: World
    gateway: Gateway
    imaging: Imaging
    documents: Documents
    clock: Clock | None = None
    opened: list["LiveCase"] = field(default_factory=list)

    def now(self) -> datetime:
        return self.clock.now() if self.clock else datetime.now(UTC)

    def use_policy(self, **changes: Any) -> SlaPolicy:
        """For cases that are opened from now on."""
        policy = DEFAULT_POLICY.model_copy(update=changes)
        with self.world.database.write() as session:
            session.exec(update(Contract).values(policy=policy.model_dump_json()))
        return policy

    async def open(self, priority: Priority = Priority.ROUTINE) -> "LiveCase":
        """A draft with its workflow."""
        case = LiveCase(self, self.world.add_case(priority=priority, at=self.now()).id)
        await self.gateway.announce(case.id)
        self.opened.append(case)
        return case

    async def close(self) -> None:
        """Ends what is still open, so that the next practice's worker does not meet cases that it cannot read."""
        for case in self.opened:
            with suppress(RPCError):  # it has ended by itself
                await case.handle.terminate()

    async def in_review(self, priority: Priority = Priority.ROUTINE) -> "LiveCase":
        """A case that its reader has accepted; ``reader`` says who."""
        case = await self.open(priority)
        await case.act("dentist", Action.SUBMIT)
        await case.until(State.ASSIGNED)
        await case.act(case.reader, Action.ACCEPT)
        return case

    async def signed(self, priority: Priority = Priority.ROUTINE) -> "LiveCase":
        case = await self.in_review(priority)
        case.write_report()
        await case.act(case.reader, Action.SIGN, password="secret")
        return case


@dataclass
class LiveCase:
    practice: Practice
    id: str

    @property
    def world(self) -> World:
        return self.practice.world

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.practice.client.get_workflow_handle(case_workflow_id(self.id))

    @property
    def recorded(self) -> CaseState:
        """The case as the database knows it."""
        return self.world.state(self.id)

    def stands(self) -> State:
        return self.recorded.state

    @property
    def reader(self) -> str:
        return self.name_of(self.recorded.assignee_id)

    def name_of(self, user_id: str | None) -> str:
        return next(name for name, person in self.world.people.items() if person.user_id == user_id)

    async def state(self) -> CaseState:
        """The case as its workflow knows it."""
        return await self.handle.query(CaseWorkflow.get_state)

    def wish(self, name: str, action: Action, *, key: str | None = None, **form: Any) -> Wish:
        row = self.world.case(self.id)
        if issubclass(ACTION_FORMS[action], SignForm):
            form = {"draft_hash": self.draft_on_the_page(), **form}
        return Wish(
            person=self.world.person(name),
            case=row,
            held=self.world.held(name, row),
            is_owner=True,
            action=action,
            form=ACTION_FORMS[action].model_validate(form),
            idempotency_key=key or secrets.token_hex(8),
            fresh="password" in form,
        )

    def command_id(self, key: str) -> str:
        """Under which the gateway keeps a command with this Idempotency-Key."""
        command = NewCommand(case_id=self.id, key_id="", action=Action.SUBMIT, user_id="", idempotency_key=key, form={})
        return command.id

    async def act(self, name: str, action: Action, *, key: str | None = None, **form: Any) -> CaseCommand:
        return await self.practice.gateway.act(self.wish(name, action, key=key, **form))

    def draft_on_the_page(self) -> str:
        """Hash of the draft that a signer reads; of none where there is none."""
        with self.world.database.read() as session:
            draft = session.get(ReportDraft, self.id)
        return draft.content_hash if draft else "0" * 64

    def write_report(self) -> None:
        """A complete draft, as the editor's autosave leaves it."""
        content = complete_report().model_copy(update={"key_images": ()})
        body = ReportDraftBody(content=content, addendum="An addendum.")
        key = self.world.keys.data_key(self.world.case(self.id).key_id)
        with self.world.database.write() as session:
            draft = session.get(ReportDraft, self.id)
            if draft is None:
                draft = ReportDraft(
                    case_id=self.id, content=b"", content_hash="", updated_by="", updated_at=_real_now()
                )
            draft.content = seal_json(key, body.model_dump(mode="json"), column_aad("report_draft", self.id, "content"))
            draft.content_hash = draft_hash(body)
            draft.updated_by = self.world.user_id("radiologist")
            session.add(draft)

    async def until(self, *states: State) -> None:
        await eventually(lambda: self.recorded.state in states, lambda: f"{self.id} stands at {self.recorded.state}")

    async def waits_for(self, reason: WaitReason) -> None:
        await eventually(lambda: self.recorded.wait.reason is reason, lambda: f"{self.id}: {self.recorded.wait}")

    async def settle(self) -> CaseState:
        """Waits until nothing is under way and no deadline is overdue; what is then known everywhere is the same."""
        for _ in range(400):
            state = await self.state()
            deadline = next_deadline(state, self.practice.now())
            idle = next_work(state) is None and not state.effects and not state.facts
            # The engine's timers are exact to the millisecond, this clock is read a moment later.
            if idle and (deadline is None or deadline.at > self.practice.now() - timedelta(milliseconds=1)):
                assert quiet(state) == quiet(self.recorded), (
                    "the projection equals the workflow when quiet (invariant 2)"
                )
                return state
            await asyncio.sleep(0.025)
        pytest.fail(f"{self.id} does not settle: {state}")

    async def ended(self) -> None:
        # Asked raw: the time-skipping server describes an unset date in a way that the client cannot read.
        execution = WorkflowExecution(workflow_id=case_workflow_id(self.id))
        request = DescribeWorkflowExecutionRequest(namespace="default", execution=execution)

        async def is_over() -> bool:
            answer = await self.practice.client.workflow_service.describe_workflow_execution(request)
            return WorkflowExecutionStatus(answer.workflow_execution_info.status) is WorkflowExecutionStatus.COMPLETED

        for _ in range(200):
            if await is_over():
                return
            await asyncio.sleep(0.05)
        pytest.fail(f"the workflow of {self.id} does not end; {self.recorded.state}")

    def timeline(self) -> list[CaseTransition]:
        with self.world.database.read() as session:
            return list(
                session.exec(
                    select(CaseTransition).where(CaseTransition.case_id == self.id).order_by(col(CaseTransition.seq))
                ).all()
            )

    def actions(self) -> list[Action]:
        return [Action(step.action) for step in self.timeline()]

    def audit(self, outcome: str) -> list[AuditRow]:
        with self.world.database.read() as session:
            rows = session.exec(select(AuditRow).where(AuditRow.scope == self.id, AuditRow.outcome == outcome))
            return list(rows.all())

    def effects(self) -> list[EffectRow]:
        with self.world.database.read() as session:
            return list(session.exec(select(EffectRow).where(EffectRow.case_id == self.id)).all())

    def notices(self, notice: Action) -> set[str]:
        """Who has been told so, each time."""
        with self.world.database.read() as session:
            rows = session.exec(
                select(Notification).where(Notification.case_id == self.id, Notification.notice == notice)
            ).all()
        return {f"{self.name_of(row.user_id)} {row.effect_key.rsplit(':', 1)[1]}" for row in rows}


def quiet(state: CaseState) -> dict[str, Any]:
    """Everything of a state but what changes without a step."""
    return state.model_dump(exclude=VOLATILE)


def _real_now() -> datetime:
    return datetime.now(UTC)


async def eventually(check: Callable[[], bool], describe: Callable[[], str], seconds: float = 10.0) -> None:
    for _ in range(int(seconds / 0.025)):
        if check():
            return
        await asyncio.sleep(0.025)
    pytest.fail(describe())


def effect_activities(world: World, documents: Documents) -> EffectActivities:
    post = Post(world.database, world.keys, MailboxMailer(world.database, world.keys), "http://127.0.0.1:8000")
    notifier = Notifier(world.database, post)
    return EffectActivities(
        world.database,
        {
            EffectKind.NOTIFY: notifier.notify,
            EffectKind.MAIL_LINK: notifier.mail_link,
            EffectKind.RENDER_PDF: documents.render,
        },
    )


def workers(
    client: Client,
    world: World,
    threads: ThreadPoolExecutor,
    imaging: Imaging,
    documents: Documents,
    runner: WorkflowRunner | None = None,
) -> list[Worker]:
    """One worker a queue, as the embedded mode has."""
    records = RecordActivities(world.database, world.keys)
    effects = effect_activities(world, documents)
    queues: dict[str, list[Callable[..., Any]]] = {
        policies.CASE_QUEUE: [
            records.apply,
            records.load_fact,
            AssignmentActivities(world.database).find_reader,
            BillingActivities(world.database).check,
        ],
        policies.IMAGING_QUEUE: [imaging.ingest, imaging.process],
        policies.DOCUMENT_QUEUE: [effects.perform],
        policies.NOTICE_QUEUE: [effects.perform],
    }
    return [
        Worker(
            client,
            task_queue=queue,
            workflows=[CaseWorkflow] if queue == policies.CASE_QUEUE else [],
            activities=activities,
            activity_executor=threads,
            workflow_runner=runner or sandboxed(),
            max_concurrent_activities=8,
            graceful_shutdown_timeout=policies.TASK_TIMEOUT,
        )
        for queue, activities in queues.items()
    ]


@asynccontextmanager
async def running(
    client: Client,
    world: World,
    imaging: Imaging | None = None,
    *,
    runner: WorkflowRunner | None = None,
    clock: Clock | None = None,
    converter: DataConverter | None = None,
) -> AsyncIterator[Practice]:
    """A practice whose worker runs. ``client`` may have any converter; ``converter`` or the world's own is used."""
    client = client_of(client, world, converter)
    use_envelope_ring(world.keys.master.ring(ENVELOPE_PURPOSE))
    practice = Practice(
        client=client,
        world=world,
        gateway=Gateway(client, world.database, world.keys),
        imaging=imaging or Imaging(),
        documents=Documents(),
        clock=clock,
    )
    with ThreadPoolExecutor(8) as threads:
        async with AsyncExitStack() as stack:
            for worker in workers(client, world, threads, practice.imaging, practice.documents, runner):
                await stack.enter_async_context(worker)
            stack.push_async_callback(practice.close)
            yield practice
