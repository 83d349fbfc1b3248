"""The whole story of a case on the real engine, through the gateway as the API uses it."""

import asyncio

import pytest

from activities.records.commands import APPLIED
from schemas.lifecycle import Action, State
from schemas.refusals import ActionNotPossible, NotYours
from tests.workflows.engine import Practice


async def test_a_case_is_submitted_asked_about_signed_released_and_withdrawn(practice: Practice) -> None:
    case = await practice.open()
    with pytest.raises(NotYours):
        await case.act("radiologist", Action.SUBMIT)
    first = await case.act("dentist", Action.SUBMIT, key="click")
    again = await case.act("dentist", Action.SUBMIT, key="click")
    assert first.outcome == again.outcome == APPLIED
    assert first.seq == again.seq == 1
    await case.until(State.ASSIGNED)
    await case.act(case.reader, Action.ACCEPT)
    with pytest.raises(ActionNotPossible):
        await case.act("dentist", Action.SUBMIT)
    await case.act(case.reader, Action.REQUEST_MODIFICATION, text="A lateral view is missing.")
    await case.act("dentist", Action.ANSWER_MODIFICATION, text="There is none.")
    case.write_report()
    await case.act(case.reader, Action.SIGN, password="secret")
    await case.act("dentist", Action.RELEASE)
    await case.act(case.reader, Action.ENTER_IN_ERROR, password="secret", reason="Another patient's images.")
    await case.ended()
    assert case.actions() == [
        Action.SUBMIT,
        Action.PASS_PROCESSING,
        Action.OFFER,
        Action.ACCEPT,
        Action.REQUEST_MODIFICATION,
        Action.ANSWER_MODIFICATION,
        Action.SIGN,
        Action.RELEASE,
        Action.ENTER_IN_ERROR,
    ]
    assert [step.seq for step in case.timeline()] == list(range(1, 10))
    assert practice.documents.rendered == [(case.id, 1)]


async def test_a_double_click_that_arrives_at_the_same_moment_is_one_step(practice: Practice) -> None:
    case = await practice.open()
    clicks = await asyncio.gather(*(case.act("dentist", Action.SUBMIT, key="double") for _ in range(5)))
    assert {(click.outcome, click.seq) for click in clicks} == {(APPLIED, 1)}
    assert case.actions().count(Action.SUBMIT) == 1


async def test_of_two_people_who_act_at_the_same_moment_one_is_told_that_the_case_moved_on(practice: Practice) -> None:
    case = await practice.in_review()
    case.write_report()
    outcomes = await asyncio.gather(
        case.act(case.reader, Action.SIGN, password="secret"),
        case.act("dentist", Action.CANCEL),
        return_exceptions=True,
    )
    assert (
        sum(
            isinstance(outcome, ActionNotPossible) or getattr(outcome, "code", "") == "action_not_possible"
            for outcome in outcomes
        )
        == 1
    )
    state = await case.settle()
    assert state.state in {State.SIGNED, State.CANCELLED}
    assert len(case.audit("denied")) == 1
