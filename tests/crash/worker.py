"""A worker process for the crash tests. It can be told to hang between a step's commit and the engine's knowing of it."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from activities.assignment import AssignmentActivities
from activities.billing import BillingActivities
from activities.records.apply import RecordActivities
from infra.codec import data_converter
from infra.database import Database, make_engine
from infra.keys import MasterKeys
from infra.keystore import KeyStore
from schemas.messages import ApplyResult, Record
from tests.workflows.engine import Documents, Imaging, effect_activities
from tests.world import World
from workflows import policies
from workflows.case import CaseWorkflow
from workflows.dispatcher import Dispatcher
from workflows.gateway import ENVELOPE_PURPOSE
from workflows.keyring import use_envelope_ring
from workflows.runner import unsandboxed


class HangingRecords:
    """The product's records, with a place to be killed in: after the commit, before the answer."""

    def __init__(self, records: RecordActivities, hang: Path, hanging: Path) -> None:
        self._records = records
        self._hang = hang
        self._hanging = hanging

    @activity.defn(name="records.apply")
    def apply(self, record: Record) -> ApplyResult:
        result = self._records.apply(record)
        if self._hang.exists() and self._hang.read_text() == record.action:
            self._hanging.touch()
            time.sleep(3600)
        return result


async def main(config: dict[str, str]) -> None:
    database = Database(make_engine(config["database"]))
    keys = KeyStore(database, MasterKeys.from_text(config["keys"]))
    use_envelope_ring(keys.master.ring(ENVELOPE_PURPOSE))
    client = await Client.connect(config["temporal"], data_converter=data_converter(keys))
    records = RecordActivities(database, keys)
    hanging = HangingRecords(records, Path(config["hang"]), Path(config["hanging"]))
    effects = effect_activities(World(database, keys), Documents())
    imaging = Imaging()
    queues: dict[str, list[Callable[..., Any]]] = {
        policies.CASE_QUEUE: [
            hanging.apply,
            records.load_fact,
            AssignmentActivities(database).find_reader,
            BillingActivities(database).check,
        ],
        policies.IMAGING_QUEUE: [imaging.ingest, imaging.process],
        policies.DOCUMENT_QUEUE: [effects.perform],
        policies.NOTICE_QUEUE: [effects.perform],
    }
    with ThreadPoolExecutor(16) as threads:
        async with AsyncExitStack() as stack:
            for queue, activities in queues.items():
                worker = Worker(
                    client,
                    task_queue=queue,
                    workflows=[CaseWorkflow] if queue == policies.CASE_QUEUE else [],
                    activities=activities,
                    activity_executor=threads,
                    workflow_runner=unsandboxed(),
                    max_concurrent_activities=16,
                    sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
                )
                await stack.enter_async_context(worker)
            await asyncio.to_thread(Path(config["ready"]).touch)
            await Dispatcher(client, database).run()


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))
