"""What nobody foresaw: it shows, it stops nothing silently, and it is over when the code is mended."""

from typing import Any

import pytest
from sqlmodel import col, update
from temporalio.api.enums.v1 import EventType

import schemas.decisions
from infra.outbox import enqueue
from schemas.errors import OdontoError
from schemas.lifecycle import Action, State
from schemas.messages import FactKind
from schemas.tables.people import Membership
from schemas.tables.release import ReleaseGrant
from tests.workflows.engine import LiveCase, Practice, eventually
from tests.workflows.retelling import retell


async def failed_tasks(case: LiveCase) -> int:
    history = await case.handle.fetch_history()
    return sum(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED for event in history.events)


async def test_a_mistake_in_the_cases_own_work_shows_and_the_case_goes_on_when_it_is_mended(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check of the images ends in an error that is no activity's."""
    mended = schemas.decisions.after_processing
    surprised = []

    def mistaken(*arguments: Any, **options: Any) -> Any:
        surprised.append(1)
        raise KeyError("a state that nobody thought of")

    monkeypatch.setattr(schemas.decisions, "after_processing", mistaken)
    case = await practice.open()
    await case.act("dentist", Action.SUBMIT)
    await eventually(lambda: len(surprised) > 1, lambda: "Temporal tries the task again", seconds=60)
    assert case.stands() is State.PROCESSING
    assert await failed_tasks(case) > 0, "it is in the case's history, with its reason"
    monkeypatch.setattr(schemas.decisions, "after_processing", mended)
    await eventually(lambda: case.stands() is State.ASSIGNED, lambda: f"it stands at {case.stands()}", seconds=60)
    await case.act(case.reader, Action.ACCEPT)
    retell(case)


async def test_a_refusal_is_the_same_at_first_and_when_it_is_repeated(practice: Practice) -> None:
    """Somebody who has just left: the record refuses what the page still showed."""
    case = await practice.open()
    with practice.world.database.write() as session:
        gone = col(Membership.user_id) == practice.world.user_id("dentist")
        session.exec(update(Membership).where(gone).values(is_active=False))
    answers = []
    for _ in range(3):
        with pytest.raises(OdontoError) as refused:
            await case.act("dentist", Action.SUBMIT, key="click")
        answers.append((refused.value.code, refused.value.status, refused.value.detail))
    assert {answer[:2] for answer in answers} == {("standing_lost", 403)}
    assert len(set(answers)) == 1
    assert len(case.audit("denied")) == 1


async def test_a_link_that_was_locked_ends_in_the_case_and_the_practice_is_awaited(practice: Practice) -> None:
    case = await practice.signed()
    await case.act("dentist", Action.RELEASE)
    (grant,) = case.recorded.grants
    with practice.world.database.write() as session:
        session.get_one(ReleaseGrant, grant.grant_id).state = "locked"
        enqueue(session, FactKind.LINK_LOCKED, case.id, grant.grant_id)
        enqueue(session, FactKind.LINK_LOCKED, case.id, "grt_of_another_case")
    await practice.gateway.dispatcher.dispatch(case.id)
    await eventually(lambda: not case.recorded.grants, lambda: "the case does not know that its link is locked")
    assert case.recorded.wait.reason == "link_locked"
    state = await case.settle()
    assert not state.facts
    with practice.world.database.read() as session:
        assert session.get_one(ReleaseGrant, grant.grant_id).state == "locked"
    await case.act("dentist", Action.RELEASE)
    assert case.recorded.wait.reason == "with_patient"
    assert case.actions()[-3:] == [Action.RELEASE, Action.LOCK_GRANT, Action.RELEASE]
    retell(case)
