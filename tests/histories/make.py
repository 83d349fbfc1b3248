"""Records the committed histories on a real development server: ``python -m tests.histories.make``, some three minutes.

With the names of stories it records these alone: a new one beside the old ones, which stay and must replay, because open
cases in production are like them. All are recorded when the workflow's commands change on purpose; a change that does not
replay needs a patch (``workflow.patched``) and keeps them.
"""

import asyncio
import json
import shutil
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from schemas.lifecycle import Action, State
from tests.histories.keys import history_converter
from tests.histories.stories import STORIES
from tests.servers.temporal import KEYS
from tests.workflows.engine import LiveCase, running
from tests.world import sqlite_world
from worker.up.temporal import SEARCH_ATTRIBUTES, tuning_arguments

FOLDER: Final = Path(__file__).parent
FINGERPRINTS: Final = FOLDER / "fingerprints.json"
_SETTLED: Final = {
    "released_and_closed": {State.CLOSED},
    "offer_lapsed": {State.UNASSIGNED},
}
_PATIENCE_S: Final = 200.0


def fingerprint(history: WorkflowHistory) -> dict[str, int]:
    """How often each activity is asked for and the trace is written. Timers are left out: their number is chance."""
    counts: Counter[str] = Counter()
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            scheduled = event.activity_task_scheduled_event_attributes
            counts[f"{scheduled.activity_type.name} on {scheduled.task_queue.name}"] += 1
        elif event.event_type == EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
            counts["search attributes"] += 1
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
            counts["update"] += 1
    return dict(sorted(counts.items()))


async def _finish(name: str, case: LiveCase) -> None:
    wanted = _SETTLED.get(name)
    for _ in range(int(_PATIENCE_S / 0.1)):
        if wanted is None or case.recorded.state in wanted:
            break
        await asyncio.sleep(0.1)
    if name == "offer_lapsed":
        reader = case.world.user_id("radiologist")
        await case.act("scheduler", Action.ASSIGN, radiologist_id=reader)
        await case.act("radiologist", Action.ACCEPT)
        await case.act("dentist", Action.CANCEL)
    await case.ended()


async def main(names: Sequence[str]) -> None:
    stories = {name: STORIES[name] for name in names or STORIES}
    fingerprints: dict[str, dict[str, int]] = json.loads(FINGERPRINTS.read_text()) if names else {}
    program = shutil.which("temporal", path=str(Path(sys.executable).parent))
    async with await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        search_attributes=[KEYS[kind](name) for name, kind in SEARCH_ATTRIBUTES.items()],
        dev_server_existing_path=program,
        dev_server_extra_args=tuning_arguments(),
        dev_server_log_level="error",
    ) as environment:
        with tempfile.TemporaryDirectory() as folder, sqlite_world(Path(folder)) as world:
            async with running(environment.client, world, converter=history_converter()) as practice:
                cases = {name: await story(practice) for name, story in stories.items()}
                for name, case in cases.items():
                    await _finish(name, case)
                    history = await case.handle.fetch_history()
                    content = {"workflow_id": case.handle.id, "history": history.to_json_dict()}
                    text = json.dumps(content, indent=1).replace(f"@{socket.gethostname()}", "@host")
                    (FOLDER / f"{name}.json").write_text(text + "\n")
                    fingerprints[name] = fingerprint(history)
    FINGERPRINTS.write_text(json.dumps(fingerprints, indent=2) + "\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
