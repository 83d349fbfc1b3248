"""P4: the first command after `kill -9` of an idle worker that is started again at once, beside the default sticky timeout.

Measured from the moment at which the new worker asks for work, for that is what the timeout is about; beside it from
the kill itself, with the start of a process in it. And, without a goal, a kill in the middle of a command.
"""

import asyncio
import os
import signal
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from bench.measures import Figure, Outcome
from bench.programs import NAMESPACE, ours, plain_client, program, temporal
from bench.site import Site, prepared
from schemas.lifecycle import Action, State
from worker.processes import STICKY_TIMEOUT
from workflows import policies
from workflows.gateway import Gateway

_DEFAULT_STICKY_S: Final = 10.0
_LOOK_S: Final = 0.01
_PATIENCE_TICKS: Final = 6000
_MIDDLE_S: Final = (0.004, 0.008, 0.012)
"""When a command is cut short: in its first task, its activity, or its second task."""


@dataclass
class Times:
    """Seconds, one value a round."""

    after_start: list[float] = field(default_factory=list)
    after_kill: list[float] = field(default_factory=list)


@dataclass
class Stage:
    """One server and home, and a worker that is killed and started again."""

    folder: Path
    site: Site
    gateway: Gateway
    client: Client
    programs: ExitStack
    pid: int = 0

    async def start(self, sticky_s: float) -> None:
        command = ours("bench.worker", "cases", "--sticky", str(sticky_s))
        self.pid = self.programs.enter_context(program("worker", command, self.folder, self.site.env))

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    async def until_polling(self) -> None:
        request = DescribeTaskQueueRequest(
            namespace=NAMESPACE,
            task_queue=TaskQueue(name=policies.CASE_QUEUE),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        for _ in range(_PATIENCE_TICKS):
            answer = await self.client.workflow_service.describe_task_queue(request)
            if any(poller.identity.startswith(f"{self.pid}@") for poller in answer.pollers):
                return
            await asyncio.sleep(_LOOK_S)
        raise TimeoutError("the worker does not come")

    async def command(self, case_id: str) -> float:
        """Seconds until a command is applied, whoever had to wait for whom."""
        row = self.site.world.case(case_id)
        reader = self.site.reader_of(case_id)
        asks = State(row.state) is State.IN_REVIEW
        action = Action.REQUEST_MODIFICATION if asks else Action.WITHDRAW_MODIFICATION
        form = {"text": "A view is missing."} if asks else {}
        begun = time.perf_counter()
        await self.site.act(self.gateway, reader, case_id, action, **form)
        return time.perf_counter() - begun


async def idle_round(stage: Stage, case_id: str, sticky_s: float, times: Times) -> None:
    """Two kills: a command when the new worker is there, and a command at the moment of the kill."""
    await stage.start(sticky_s)
    await stage.until_polling()
    for at_once in (False, True):
        await stage.command(case_id)
        await asyncio.sleep(1.0)  # idle
        stage.kill()
        await stage.start(sticky_s)
        if at_once:
            times.after_kill.append(await stage.command(case_id))
        else:
            await stage.until_polling()
            times.after_start.append(await stage.command(case_id))
    stage.programs.close()


async def middle_round(stage: Stage, case_id: str) -> list[float]:
    """Commands whose worker is killed while it works on them, in three places."""
    spent = []
    await stage.start(STICKY_TIMEOUT.total_seconds())
    await stage.until_polling()
    for delay in _MIDDLE_S:
        await stage.command(case_id)
        await asyncio.sleep(0.5)
        answer = asyncio.create_task(stage.command(case_id))
        await asyncio.sleep(delay)
        if not answer.done():
            stage.kill()
            await stage.start(STICKY_TIMEOUT.total_seconds())
        spent.append(await answer)
        await stage.until_polling()
    stage.programs.close()
    return spent


async def measure(rounds: int) -> tuple[Times, Times, list[list[float]]]:
    mine, default, middle = Times(), Times(), []
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as programs:
        folder = Path(name)
        async with temporal(folder / "temporal", tuned=True) as server:
            with prepared(folder / "home", server.target) as site:
                stage = Stage(folder, site, await site.gateway(), await plain_client(server.target), programs)
                await stage.start(STICKY_TIMEOUT.total_seconds())
                case_id = await site.case_in_review(stage.gateway)
                programs.close()
                for _ in range(rounds):
                    await idle_round(stage, case_id, STICKY_TIMEOUT.total_seconds(), mine)
                    await idle_round(stage, case_id, _DEFAULT_STICKY_S, default)
                    middle.append(await middle_round(stage, case_id))
    return mine, default, middle


def run(rounds: int, scale: float) -> Outcome:
    """The count of kills is that of the rounds; ``scale`` below 1 only takes fewer of them."""
    mine, default, middle = asyncio.run(measure(max(1, round(rounds * min(scale, 1.0)))))
    sticky = "the same with the SDK's sticky timeout of 10 s"
    return Outcome(
        [
            Figure(
                "P4", "first command after `kill -9` of an idle worker", sticky, "s", 0.12,
                mine.after_start, default.after_start,
            ),
            Figure(
                "–", "the same, sent at the moment of the kill", sticky, "s", None, mine.after_kill, default.after_kill
            ),
            Figure("–", "a command whose worker is killed in the middle of it, the slowest of three", "", "s", None,
                   [max(each) for each in middle]),
        ]
    )  # fmt: skip
