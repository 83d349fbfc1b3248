"""A closed case comes back by a new run of its workflow, from its snapshot."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from activities.records.commands import APPLIED
from activities.records.projection import project, state_of
from schemas.ids import case_workflow_id
from schemas.lifecycle import Action, State, WaitOwner, WaitReason
from schemas.state import Wait
from schemas.tables.case import Case
from tests.workflows.engine import client_of, running
from tests.workflows.test_story import actor_of
from tests.world import World, sqlite_world
from workflows.gateway import Gateway


def closed_case(world: World) -> Case:
    """A case as its last run left it: closed, with one signed version, and no workflow."""
    row = world.add_case()
    moment = datetime.now(UTC)
    wait = Wait(owner=WaitOwner.NOBODY, reason=WaitReason.OVER, since=moment)
    with world.database.write() as session:
        stored = session.get_one(Case, row.id)
        changes = {
            "state": State.CLOSED,
            "seq": 9,
            "version": 1,
            "assignee_id": world.user_id("radiologist"),
            "wait": wait,
            "last_release_at": moment,
        }
        project(stored, state_of(stored).model_copy(update=changes), moment)
    return row


async def test_a_closed_case_is_reopened_and_goes_on(tmp_path: Path, temporal_dev: WorkflowEnvironment) -> None:
    with sqlite_world(tmp_path) as world:
        client = client_of(temporal_dev.client, world)
        gateway = Gateway(client, world.database, world.keys)
        row = closed_case(world)
        act = actor_of(gateway, world, row.id)
        async with running(client, world):
            first, again = await asyncio.gather(
                act("dentist", Action.REOPEN, key="click", reason="The implant failed; please look again."),
                act("dentist", Action.REOPEN, key="click", reason="The implant failed; please look again."),
            )
            assert first.outcome == again.outcome == APPLIED
            state = world.state(row.id)
            assert (state.state, state.seq) == (State.RELEASED, 10)
            asked = await act("dentist", Action.REQUEST_AMENDMENT, reason="Please comment on 36.")
            assert asked.seq == 11
            run = await client.get_workflow_handle(case_workflow_id(row.id)).describe()
            assert run.status is WorkflowExecutionStatus.RUNNING
