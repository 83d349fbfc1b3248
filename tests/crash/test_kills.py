"""``kill -9`` of the worker and of Temporal in the middle of a case: nothing lost, nothing doubled (SAFETY.md, promises)."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from sqlmodel import select
from temporalio.service import RPCError

from activities.records.commands import APPLIED
from schemas.errors import EngineUnavailable
from schemas.lifecycle import Action, State
from schemas.state import EffectKind
from schemas.tables.case import CaseCommand
from schemas.tables.release import MailboxMessage
from schemas.tables.wires import EffectRow, Notification
from tests.crash.processes import Temporal, WorkerProcess, connect
from tests.workflows.engine import Documents, Imaging, LiveCase, Practice, eventually
from tests.workflows.retelling import retell
from tests.world import sqlite_world
from workflows.gateway import Gateway


@dataclass
class System:
    practice: Practice
    temporal: Temporal
    worker: WorkerProcess

    async def insist(self, case: LiveCase, name: str, action: Action, **form: Any) -> CaseCommand:
        """As a person who presses the button again until the page says what came of it: with the same key each time."""
        key = secrets.token_hex(8)
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            try:
                command = await case.act(name, action, key=key, **form)
            except (EngineUnavailable, RPCError):
                await asyncio.sleep(0.2)
                continue
            if command.outcome == APPLIED:
                return command
        raise AssertionError(f"{action} has no outcome")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def system(tmp_path_factory: pytest.TempPathFactory, temporal_program: str) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("system")
    temporal = Temporal(temporal_program, folder)
    with sqlite_world(folder) as world:
        await temporal.start()
        client = await connect(temporal, world)
        gateway = Gateway(client, world.database, world.keys)
        worker = WorkerProcess(world, temporal, folder)
        await worker.start()
        try:
            yield System(Practice(client, world, gateway, Imaging(), Documents()), temporal, worker)
        finally:
            worker.stop()
            temporal.stop()


async def all_effects(case: LiveCase) -> None:
    """Within 30 s of the last fault nothing is pending (invariant 20)."""
    await eventually(
        lambda: all(effect.done_at is not None for effect in case.effects()),
        lambda: f"pending: {[effect.key for effect in case.effects() if effect.done_at is None]}",
        seconds=30,
    )


async def nothing_is_lost_or_doubled(case: LiveCase) -> None:
    """Everything happened once (invariants 2, 3, 13 and 14)."""
    await all_effects(case)
    retell(case)
    timeline = case.timeline()
    assert [step.seq for step in timeline] == list(range(1, len(timeline) + 1))
    assert len({step.command_id for step in timeline}) == len(timeline)
    assert [row.act for row in case.audit("done")][1:] == [f"case.{step.action}" for step in timeline]
    assert case.audit("denied") == []
    with case.world.database.read() as session:
        mails = Counter(session.exec(select(MailboxMessage.message_id)).all())
        told = session.exec(select(Notification.effect_key, Notification.user_id)).all()
        links = session.exec(select(EffectRow.key).where(EffectRow.kind == EffectKind.MAIL_LINK)).all()
    assert set(mails.values()) == {1}
    assert len(set(told)) == len(told)
    assert len(mails) == len(told) + len(links), "one mail a notice, and one a link"


async def test_a_worker_that_dies_between_its_commit_and_its_answer_loses_and_doubles_nothing(system: System) -> None:
    case = await system.practice.open()
    system.worker.hang_after(Action.SUBMIT)
    click = asyncio.create_task(case.act("dentist", Action.SUBMIT, key="click"))
    await system.worker.is_hanging()
    system.worker.kill()
    assert case.stands() is State.PROCESSING, "it is committed"
    again = await case.act("dentist", Action.SUBMIT, key="click")
    assert (again.outcome, again.seq) == (APPLIED, 1), "the record knows the outcome, without any worker"
    await system.worker.start()
    await eventually(lambda: case.stands() is State.ASSIGNED, lambda: f"it stands at {case.stands()}", seconds=25)
    first = await click
    assert first.id == again.id
    await system.insist(case, case.reader, Action.ACCEPT)
    await system.insist(case, "dentist", Action.CANCEL)
    await nothing_is_lost_or_doubled(case)


async def test_a_case_gets_to_its_end_through_kills_of_the_worker_and_of_temporal(system: System) -> None:
    case = await system.practice.open()
    await system.insist(case, "dentist", Action.SUBMIT)
    await eventually(lambda: case.stands() is State.ASSIGNED, lambda: f"it stands at {case.stands()}", seconds=25)
    reader = case.reader
    system.temporal.kill()
    accepting = asyncio.create_task(system.insist(case, reader, Action.ACCEPT))
    await asyncio.sleep(0.3)
    await system.temporal.start()
    await accepting
    case.write_report()
    # The signature is committed, then worker and server die together.
    system.worker.hang_after(Action.SIGN)
    signing = asyncio.create_task(
        system.insist(case, reader, Action.SIGN, password="secret", draft_hash=case.draft_on_the_page())
    )
    await system.worker.is_hanging()
    system.worker.kill()
    system.temporal.kill()
    assert case.recorded.version == 1
    await system.temporal.start()
    await system.worker.start()
    assert (await signing).outcome == APPLIED
    await system.insist(case, "dentist", Action.RELEASE)
    await all_effects(case)
    await system.insist(case, reader, Action.ENTER_IN_ERROR, password="secret", reason="Of another patient.")
    await nothing_is_lost_or_doubled(case)
    assert case.actions()[-3:] == [Action.SIGN, Action.RELEASE, Action.ENTER_IN_ERROR]
    await case.ended()


async def test_a_case_that_was_opened_while_temporal_was_away_starts_when_it_is_back(system: System) -> None:
    """Invariant 1: a committed case has its workflow within 60 s."""
    system.temporal.kill()
    case = await system.practice.open()
    assert case.stands() is State.DRAFT, "reads need no engine"
    await system.temporal.start()
    await system.insist(case, "dentist", Action.SUBMIT)
    await eventually(lambda: case.stands() is State.ASSIGNED, lambda: f"it stands at {case.stands()}", seconds=25)
    await nothing_is_lost_or_doubled(case)
