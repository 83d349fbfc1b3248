"""The worker process: workflows, activities, and the sweeps that keep promises when nobody is looking."""

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Protocol

from temporalio.client import Client
from temporalio.worker import Worker, WorkflowRunner

from activities.assignment import AssignmentActivities
from activities.billing import BillingActivities
from activities.documents.assembly import PdfStore
from activities.documents.process import PdfRenderer
from activities.effects import EffectActivities
from activities.imaging.ingest import ImagingActivities
from activities.imaging.parser.pool import ParserPool
from activities.imaging.readers import open_readers
from activities.imaging.unchecked import tell_unchecked
from activities.notifications import Notifier
from activities.post import Post
from activities.records.apply import RecordActivities
from activities.records.commands import CommandDesk
from activities.treatment_documents import DocumentChecker
from infra.audit import AuditSealer
from infra.blobs.opening import open_blobs
from infra.blobs.store import BlobStore
from infra.codec import data_converter
from infra.database import Database, now
from infra.feed import prune, publish
from infra.key_file import load_master_keys
from infra.keystore import KeyStore
from infra.mail import make_mailer
from infra.sessions import forget_tries
from infra.settings import Settings, get_settings
from infra.uploads import UploadDesk
from infra.uploads.room import room_of
from schemas.messages import ProcessInput, ProcessOutcome
from schemas.state import EffectKind
from schemas.tables.case import Case
from schemas.tables.wires import Heartbeat
from workflows import policies
from workflows.case import CaseWorkflow
from workflows.dispatcher import Dispatcher
from workflows.gateway import ENVELOPE_PURPOSE
from workflows.keyring import use_envelope_ring
from workflows.runner import unsandboxed

_log = logging.getLogger(__name__)

STICKY_TIMEOUT: Final = timedelta(milliseconds=800)
"""How long a case's next task waits for the worker that knows it. The default of 10 s is what a case would wait for a
worker that was killed."""
DRAIN: Final = timedelta(seconds=8)
CONNECT_PATIENCE_S: Final = 60
_HEARTBEAT_S: Final = 5.0
_SEAL_S: Final = 1.0
_LAPSE_S: Final = 15.0
_UPLOADS_S: Final = 60.0
_DOCUMENTS_S: Final = 15.0
_FEED_S: Final = 600.0
_BLOBS_S: Final = 3600.0
_MAIL_S: Final = 1.0

SLOTS: Final = {
    policies.CASE_QUEUE: 16,
    policies.NOTICE_QUEUE: 16,
    policies.IMAGING_QUEUE: 2,
    policies.DOCUMENT_QUEUE: 2,
}
"""How many activities of a queue run at once. Each queue has threads of its own: a relay that hangs, or a row of documents
that wait for the one renderer, must leave every thread to the commands that wait for theirs."""


class Imaging(Protocol):
    """The activities that read images."""

    def ingest_activity(self, wanted: ProcessInput) -> None: ...

    def process_activity(self, wanted: ProcessInput) -> ProcessOutcome: ...


@dataclass(frozen=True)
class Wires:
    settings: Settings
    database: Database
    keys: KeyStore
    blobs: BlobStore
    renderer: PdfRenderer
    parsers: ParserPool
    imaging: Imaging
    uploads: UploadDesk
    documents: DocumentChecker
    post: Post


@dataclass(frozen=True)
class Style:
    """How workflows are run: what a benchmark compares. The defaults are the worker's."""

    runner: WorkflowRunner = field(default_factory=unsandboxed)
    sticky_timeout: timedelta = STICKY_TIMEOUT


def wire(settings: Settings) -> Wires:
    database = Database.from_settings(settings)
    keys = KeyStore(database, load_master_keys(settings))
    blobs = open_blobs(settings, database)

    def tell_progress(case_id: str, done: int, total: int) -> None:
        with database.write() as session:
            case = session.get_one(Case, case_id)
            publish(session, "file.checked", at=now(), practice_id=case.practice_id, case_id=case_id)

    parsers = open_readers(settings)
    return Wires(
        settings=settings,
        database=database,
        keys=keys,
        blobs=blobs,
        renderer=PdfRenderer(),
        parsers=parsers,
        imaging=ImagingActivities(
            database, blobs, keys, parsers, on_progress=tell_progress, need_room=room_of(settings, blobs)
        ),
        uploads=UploadDesk(database, blobs, keys),
        documents=DocumentChecker(database, blobs, keys, parsers),
        post=Post(database, keys, make_mailer(settings, database, keys), settings.base_url),
    )


@contextmanager
def threads_of_queues() -> Iterator[Mapping[str, Executor]]:
    """As many threads for each queue as it has slots."""
    with ExitStack() as stack:
        yield {
            queue: stack.enter_context(ThreadPoolExecutor(slots, thread_name_prefix=queue))
            for queue, slots in SLOTS.items()
        }


def make_workers(
    client: Client, wires: Wires, threads: Mapping[str, Executor], style: Style | None = None
) -> Sequence[Worker]:
    """One worker a queue. They may run in one process, as here, or be spread over several."""
    style = style or Style()
    database, keys = wires.database, wires.keys
    notifier = Notifier(database, wires.post)
    effects = EffectActivities(
        database,
        {
            EffectKind.NOTIFY: notifier.notify,
            EffectKind.MAIL_LINK: notifier.mail_link,
            EffectKind.RENDER_PDF: PdfStore(database, keys, wires.renderer).render,
        },
    )
    records = RecordActivities(database, keys)
    queues: dict[str, list[Callable[..., Any]]] = {
        policies.CASE_QUEUE: [
            records.apply,
            records.load_fact,
            AssignmentActivities(database).find_reader,
            BillingActivities(database).check,
        ],
        policies.IMAGING_QUEUE: [wires.imaging.ingest_activity, wires.imaging.process_activity],
        policies.DOCUMENT_QUEUE: [effects.perform],
        policies.NOTICE_QUEUE: [effects.perform],
    }
    return [
        Worker(
            client,
            task_queue=queue,
            workflows=[CaseWorkflow] if queue == policies.CASE_QUEUE else [],
            activities=activities,
            activity_executor=threads[queue],
            workflow_runner=style.runner,
            max_concurrent_activities=SLOTS[queue],
            sticky_queue_schedule_to_start_timeout=style.sticky_timeout,
            graceful_shutdown_timeout=DRAIN,
        )
        for queue, activities in queues.items()
    ]


async def every(seconds: float, what: Callable[[], object], name: str, threads: Executor | None = None) -> None:
    """Repeats a blocking chore. A failure is logged and the chore goes on: the database may only be away for a while."""
    while True:
        try:
            busy = await asyncio.get_running_loop().run_in_executor(threads, what)
        except Exception as error:
            _log.error("%s failed: %s", name, type(error).__name__)
            busy = None
        if not busy:
            await asyncio.sleep(seconds)


def _beat(database: Database) -> None:
    with database.write() as session:
        row = session.get(Heartbeat, "worker")
        if row is None:
            session.add(Heartbeat(process="worker", seen_at=now()))
        else:
            row.seen_at = now()


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Works until ``stop`` is set, then drains."""
    await work(wire(settings), stop)


async def work(wires: Wires, stop: asyncio.Event, style: Style | None = None) -> None:
    """As :func:`run`, on wires that are already made; closes them at the end."""
    settings = wires.settings
    use_envelope_ring(wires.keys.master.ring(ENVELOPE_PURPOSE))
    client = await _connect(settings, wires)
    desk = CommandDesk(wires.database, wires.keys)
    sealer = AuditSealer(wires.database, settings.anchor_file)
    try:
        with threads_of_queues() as threads:
            async with AsyncExitStack() as stack:
                for worker in make_workers(client, wires, threads, style):
                    await stack.enter_async_context(worker)
                chores = [
                    asyncio.create_task(Dispatcher(client, wires.database).run()),
                    asyncio.create_task(every(_HEARTBEAT_S, lambda: _beat(wires.database), "heartbeat")),
                    asyncio.create_task(every(_SEAL_S, sealer.seal, "audit sealer")),
                    asyncio.create_task(every(_LAPSE_S, desk.lapse_stale, "lapse of commands")),
                    asyncio.create_task(every(_UPLOADS_S, wires.uploads.sweep, "expired uploads")),
                    asyncio.create_task(every(_BLOBS_S, wires.blobs.sweep, "remains of uploads")),
                    asyncio.create_task(every(_DOCUMENTS_S, wires.documents.sweep, "unchecked documents")),
                    asyncio.create_task(
                        every(_UPLOADS_S, lambda: tell_unchecked(wires.database), "unchecked files of cases")
                    ),
                    asyncio.create_task(every(_FEED_S, lambda: prune(wires.database), "old events")),
                    asyncio.create_task(every(_FEED_S, lambda: forget_tries(wires.database), "old tries to sign in")),
                    # With the threads of mail, so that a relay that hangs holds up none of the chores above.
                    asyncio.create_task(every(_MAIL_S, wires.post.sweep, "mail", threads[policies.NOTICE_QUEUE])),
                ]
                _log.info("the worker is ready")
                await stop.wait()
                for chore in chores:
                    chore.cancel()
                await asyncio.gather(*chores, return_exceptions=True)
    finally:
        wires.parsers.close()
        wires.renderer.close()
        wires.database.close()


async def _connect(settings: Settings, wires: Wires) -> Client:
    """Waits for Temporal for a minute: servers start in parallel."""
    for attempt in range(CONNECT_PATIENCE_S * 4):
        try:
            return await Client.connect(
                settings.temporal_target,
                namespace=settings.temporal_namespace,
                data_converter=data_converter(wires.keys),
            )
        except RuntimeError:
            if attempt == CONNECT_PATIENCE_S * 4 - 1:
                raise
            await asyncio.sleep(0.25)
    raise AssertionError("the loop above returns or raises")


def main() -> int:
    settings = get_settings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")

    async def until_told() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await run(settings, stop)

    asyncio.run(until_told())
    return 0
