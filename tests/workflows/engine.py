"""A worker for a world, with the imaging of a test."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from activities.assignment import AssignmentActivities
from activities.billing import BillingActivities
from activities.effects import EffectActivities
from activities.notifications import Notifier
from activities.records.apply import RecordActivities
from infra.codec import data_converter
from infra.mail import MailboxMailer
from schemas.messages import ProcessInput, ProcessOutcome
from schemas.state import Effect, EffectKind, IdentityStanding
from tests.world import World
from workflows import policies
from workflows.case import CaseWorkflow
from workflows.gateway import ENVELOPE_PURPOSE
from workflows.keyring import use_envelope_ring
from workflows.runner import sandboxed


@dataclass
class Imaging:
    """Imaging as the test wants it to turn out."""

    outcome: ProcessOutcome = field(
        default_factory=lambda: ProcessOutcome(readable=1, identity=IdentityStanding.MATCHED)
    )

    @activity.defn(name="imaging.ingest")
    def ingest(self, wanted: ProcessInput) -> None:
        """Nothing to be read in these tests."""

    @activity.defn(name="imaging.process")
    def process(self, wanted: ProcessInput) -> ProcessOutcome:
        return self.outcome


class Documents:
    def __init__(self) -> None:
        self.rendered: list[tuple[str, int | None]] = []

    def render(self, effect: Effect, case_id: str) -> None:
        self.rendered.append((case_id, effect.version))


def client_of(client: Client, world: World) -> Client:
    """The client with the world's own codec."""
    config = client.config()
    config["data_converter"] = data_converter(world.keys)
    return Client(**config)


@asynccontextmanager
async def running(client: Client, world: World, imaging: Imaging | None = None) -> AsyncIterator[Worker]:
    """One worker for all queues, as the embedded mode has."""
    imaging = imaging or Imaging()
    use_envelope_ring(world.keys.master.ring(ENVELOPE_PURPOSE))
    notifier = Notifier(world.database, world.keys, MailboxMailer(world.database, world.keys), "http://127.0.0.1:8000")
    effects = EffectActivities(
        world.database,
        {
            EffectKind.NOTIFY: notifier.notify,
            EffectKind.MAIL_LINK: notifier.mail_link,
            EffectKind.RENDER_PDF: Documents().render,
        },
    )
    records = RecordActivities(world.database, world.keys)
    with ThreadPoolExecutor(8) as threads:
        common = {"activity_executor": threads, "graceful_shutdown_timeout": policies.TASK_TIMEOUT}
        cases = Worker(
            client,
            task_queue=policies.CASE_QUEUE,
            workflows=[CaseWorkflow],
            activities=[
                records.apply,
                records.load_fact,
                effects.perform,
                AssignmentActivities(world.database).find_reader,
                BillingActivities(world.database).check,
            ],
            workflow_runner=sandboxed(),
            **common,
        )
        imaging_worker = Worker(
            client, task_queue=policies.IMAGING_QUEUE, activities=[imaging.ingest, imaging.process], **common
        )
        documents = Worker(client, task_queue=policies.DOCUMENT_QUEUE, activities=[effects.perform], **common)
        async with cases, imaging_worker, documents:
            yield cases
