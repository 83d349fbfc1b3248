"""The worker processes of the benchmarks: `python -m bench.worker cases …` and `python -m bench.worker bare …`.

``cases`` is the worker of `odontoflow worker` with two differences: images are not read (a verdict is given at once),
and what a figure is compared with may be chosen: the sandbox, and the sticky timeout.
"""

import argparse
import asyncio
import dataclasses
import gc
import logging
import os
import signal
from datetime import timedelta

from temporalio import activity
from temporalio.worker import Worker

from bench.bare_workflow import BARE_QUEUE, Bare, nothing
from bench.programs import plain_client
from infra.settings import get_settings
from schemas.messages import ProcessInput, ProcessOutcome
from schemas.state import IdentityStanding
from worker import processes
from workflows.runner import sandboxed, unsandboxed


class Readable:
    """Imaging that finds every set readable and of the right patient."""

    @activity.defn(name="imaging.ingest")
    def ingest_activity(self, wanted: ProcessInput) -> None:
        """There is nothing to be read."""

    @activity.defn(name="imaging.process")
    def process_activity(self, wanted: ProcessInput) -> ProcessOutcome:
        return ProcessOutcome(readable=1, identity=IdentityStanding.MATCHED)


async def _cases(arguments: argparse.Namespace, stop: asyncio.Event) -> None:
    settings = get_settings()
    style = processes.Style(
        runner=sandboxed() if arguments.sandboxed else unsandboxed(),
        sticky_timeout=timedelta(seconds=arguments.sticky),
    )
    wires = dataclasses.replace(processes.wire(settings), imaging=Readable())
    await processes.work(wires, stop, style)


async def _bare(arguments: argparse.Namespace, stop: asyncio.Event) -> None:
    worker = Worker(
        await plain_client(arguments.target),
        task_queue=BARE_QUEUE,
        workflows=[Bare],
        activities=[nothing],
        workflow_runner=sandboxed() if arguments.sandboxed else unsandboxed(),
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=arguments.sticky),
    )
    async with worker:
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A worker of a benchmark.")
    parser.add_argument("kind", choices=["cases", "bare"])
    parser.add_argument("--target", default="", help="Temporal's address, for the bare worker")
    parser.add_argument("--sandboxed", action="store_true")
    parser.add_argument("--sticky", type=float, default=processes.STICKY_TIMEOUT.total_seconds(), help="seconds")
    arguments = parser.parse_args()
    logging.basicConfig(level="WARNING")
    gc.freeze()  # as worker/loading.py does it; the bare worker has the same advantage

    async def until_told() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await (_cases if arguments.kind == "cases" else _bare)(arguments, stop)

    asyncio.run(until_told())
    os._exit(0)  # Python's teardown can crash with Temporal's bridge loaded (temporalio/sdk-python#300)


if __name__ == "__main__":
    main()
