"""The whole story of a case on the real engine, through the gateway as the API uses it."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlmodel import select
from temporalio.testing import WorkflowEnvironment

from activities.records.commands import APPLIED
from schemas.forms import ACTION_FORMS
from schemas.lifecycle import Action, State
from schemas.refusals import ActionNotPossible, NotYours
from schemas.tables.case import CaseCommand, CaseTransition
from tests.workflows.engine import client_of, running
from tests.world import World, sqlite_world
from workflows.gateway import Gateway, Wish

Act = Callable[..., Awaitable[CaseCommand]]


def actor_of(gateway: Gateway, world: World, case_id: str) -> Act:
    async def act(name: str, action: Action, *, key: str | None = None, **form: object) -> CaseCommand:
        row = world.case(case_id)
        wish = Wish(
            person=world.person(name),
            case=row,
            held=world.held(name, row),
            is_owner=True,
            action=action,
            form=ACTION_FORMS[action].model_validate(form),
            idempotency_key=key or secrets.token_hex(8),
            fresh="password" in form,
        )
        return await gateway.act(wish)

    return act


async def until(world: World, case_id: str, *states: State) -> None:
    for _ in range(200):
        if world.state(case_id).state in states:
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"the case stands at {world.state(case_id).state}, not at {states}")


async def test_a_case_is_submitted_offered_and_accepted(tmp_path: Path, temporal_dev: WorkflowEnvironment) -> None:
    with sqlite_world(tmp_path) as world:
        client = client_of(temporal_dev.client, world)
        gateway = Gateway(client, world.database, world.keys)
        row = world.add_case()
        act = actor_of(gateway, world, row.id)
        async with running(client, world):
            with pytest.raises(NotYours):
                await act("radiologist", Action.SUBMIT)
            first = await act("dentist", Action.SUBMIT, key="click")
            again = await act("dentist", Action.SUBMIT, key="click")
            assert first.outcome == again.outcome == APPLIED
            assert first.seq == again.seq == 1
            await until(world, row.id, State.ASSIGNED)
            reader = next(
                n for n in ("radiologist", "radiologist2") if world.user_id(n) == world.state(row.id).assignee_id
            )
            await act(reader, Action.ACCEPT)
            assert world.state(row.id).state is State.IN_REVIEW
            with pytest.raises(ActionNotPossible):
                await act("dentist", Action.SUBMIT)
            await act(reader, Action.REQUEST_MODIFICATION, text="A lateral view is missing.")
            await act("dentist", Action.ANSWER_MODIFICATION, text="There is none.")
            assert world.state(row.id).state is State.IN_REVIEW
            await act("dentist", Action.CANCEL)
            await until(world, row.id, State.CANCELLED)
            handle = client.get_workflow_handle(row.id.replace("case_", "case-"))
            await asyncio.wait_for(handle.result(), 10)
        with world.database.read() as session:
            steps = session.exec(select(CaseTransition).where(CaseTransition.case_id == row.id)).all()
        assert [step.seq for step in steps] == list(range(1, len(steps) + 1))
