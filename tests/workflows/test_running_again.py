"""Continue-as-new in the middle of a case: nothing is lost, and a repeated command has its first outcome."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from activities.effects import EffectActivities
from activities.records.commands import APPLIED
from schemas.lifecycle import Action, State
from schemas.messages import EffectInput
from schemas.refusals import ActionNotPossible
from schemas.state import Effect
from tests.workflows.engine import LiveCase, Practice, running
from tests.workflows.retelling import check_books, retell
from tests.world import sqlite_world
from workflows import policies
from workflows.runner import unsandboxed


@pytest_asyncio.fixture(loop_scope="session")
async def restless(
    tmp_path: Path, engine: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Practice]:
    """A practice whose cases run again after every few events. Unsandboxed, so that they see the lowered policy."""
    monkeypatch.setattr(policies, "RUN_AGAIN_AFTER_EVENTS", 12)
    with sqlite_world(tmp_path) as world:
        async with running(engine.client, world, runner=unsandboxed()) as practice:
            yield practice


async def runs(case: LiveCase) -> int:
    count = 1
    description = await case.handle.describe()
    run_id = description.run_id
    while True:
        handle = case.practice.client.get_workflow_handle(case.handle.id, run_id=run_id)
        first = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
        if not first.continued_execution_run_id:
            return count
        run_id, count = first.continued_execution_run_id, count + 1


async def test_a_whole_life_is_the_same_over_many_runs(restless: Practice) -> None:
    case = await restless.signed()
    reader = case.reader
    release = await case.act("dentist", Action.RELEASE, key="release")
    await case.settle()
    # An answer that was lost on the way: the click is repeated in a later run, where the step would be possible again.
    again = await case.act("dentist", Action.RELEASE, key="release")
    assert (again.outcome, again.seq) == (release.outcome, release.seq) == (APPLIED, release.seq)
    assert len(case.recorded.grants) == 1
    await case.act(reader, Action.ENTER_IN_ERROR, password="secret", reason="Of another patient.")
    await case.ended()
    assert await runs(case) > 3
    retell(case)
    check_books(case, refused=0)


async def test_a_click_that_reaches_a_later_run_once_more_is_not_taken_twice(restless: Practice) -> None:
    """The gateway looked before the first click was settled; Temporal's own ids ended with the run (DECISIONS 4)."""
    case = await restless.signed()
    gateway = restless.gateway
    wish = case.wish("dentist", Action.RELEASE, key="release")
    first = await gateway.act(wish)
    await case.settle()
    runs_before = await runs(case)
    await case.act("dentist", Action.REQUEST_AMENDMENT, reason="A name.")
    await case.act(case.reader, Action.DECLINE_AMENDMENT, reason="It is right.")
    await case.settle()
    assert await runs(case) > runs_before
    stale = first.model_copy(update={"outcome": "received", "seq": None})
    facts = await asyncio.to_thread(gateway._facts, wish)
    second = await gateway._send(wish, stale, facts)
    assert (second.outcome, second.seq) == (APPLIED, first.seq)
    assert len(case.recorded.grants) == 1
    retell(case)


async def test_an_open_offer_and_its_deadline_go_on_in_the_next_run(restless: Practice) -> None:
    case = await restless.open()
    await case.act("dentist", Action.SUBMIT)
    await case.until(State.ASSIGNED)
    state = await case.settle()
    offer = (state.assignee_id, state.offer_ends_at)
    assert await runs(case) > 1
    assert None not in offer
    await case.act(case.reader, Action.ACCEPT)
    with pytest.raises(ActionNotPossible):
        await case.act(case.reader, Action.ACCEPT)
    retell(case)


async def test_a_mail_relay_that_is_away_neither_silences_a_case_nor_keeps_it_from_running_again(
    restless: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Effects that cannot be done are carried over, and are done once when they can be."""
    back = threading.Event()
    take = EffectActivities._take

    def only_when_back(effects: EffectActivities, wanted: EffectInput) -> tuple[Effect, int] | None:
        if not back.is_set():
            raise ConnectionRefusedError
        return take(effects, wanted)

    monkeypatch.setattr(EffectActivities, "_take", only_when_back)
    case = await restless.open()
    await case.act("dentist", Action.SUBMIT)
    await case.until(State.ASSIGNED)
    await case.act(case.reader, Action.ACCEPT)
    for _ in range(3):
        await case.act(case.reader, Action.REQUEST_MODIFICATION, text="Which tooth?")
        await case.act("dentist", Action.ANSWER_MODIFICATION, text="36.")
    assert await runs(case) > 1
    pending = [effect.key for effect in case.effects() if effect.done_at is None]
    assert len(pending) == len(case.effects()) > 3
    assert {effect.key for effect in (await case.state()).effects} == set(pending), "none was lost on the way"
    back.set()
    await case.settle()
    retell(case)
    check_books(case, refused=0)
