"""A closed case comes back by a new run of its workflow, from its snapshot."""

import asyncio
from datetime import UTC, datetime

from temporalio.client import WorkflowExecutionStatus

from activities.records.commands import APPLIED
from activities.records.projection import project, state_of
from schemas.lifecycle import Action, State, WaitOwner, WaitReason
from schemas.state import Wait
from schemas.tables.case import Case
from tests.workflows.engine import LiveCase, Practice


def close(practice: Practice, case: LiveCase) -> None:
    """The case as its last run left it: closed, with one signed version."""
    moment = datetime.now(UTC)
    with practice.world.database.write() as session:
        row = session.get_one(Case, case.id)
        changes = {
            "state": State.CLOSED,
            "seq": 9,
            "version": 1,
            "assignee_id": practice.world.user_id("radiologist"),
            "wait": Wait(owner=WaitOwner.NOBODY, reason=WaitReason.OVER, since=moment),
            "last_release_at": moment,
        }
        project(row, state_of(row).model_copy(update=changes), moment)


async def test_a_closed_case_is_reopened_and_goes_on(practice: Practice) -> None:
    case = await practice.open()
    await case.handle.terminate()
    close(practice, case)
    reason = "The implant failed; please look again."
    clicks = await asyncio.gather(*(case.act("dentist", Action.REOPEN, key="click", reason=reason) for _ in range(2)))
    assert {(click.outcome, click.seq) for click in clicks} == {(APPLIED, 10)}
    assert case.recorded.state is State.RELEASED
    asked = await case.act("dentist", Action.REQUEST_AMENDMENT, reason="Please comment on 36.")
    assert asked.seq == 11
    assert (await case.handle.describe()).status is WorkflowExecutionStatus.RUNNING
