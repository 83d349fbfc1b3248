"""Who is no person of the API's word does nothing to a case, and leaves nothing in its history (invariant 5)."""

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from infra.envelopes import KeyRing, sign_envelope
from infra.outbox import enqueue
from schemas.actors import ActorClaims
from schemas.ids import new_id
from schemas.lifecycle import Action, State
from schemas.messages import Command, CommandFacts, CommandResult, FactKind
from tests.workflows.engine import LiveCase, Practice, eventually
from workflows.case import CaseWorkflow
from workflows.gateway import ENVELOPE_PURPOSE


def ring(case: LiveCase) -> KeyRing:
    return case.world.keys.master.ring(ENVELOPE_PURPOSE)


def claims(case: LiveCase, command_id: str, /, **changes: Any) -> ActorClaims:
    person = case.world.person("dentist")
    moment = case.practice.now()
    said: dict[str, Any] = {
        "user_id": person.user_id,
        "role": "dentist",
        "relation": "own",
        "session_id": person.session_id,
        "case_id": case.id,
        "command_id": command_id,
        "action": Action.CANCEL,
        "issued_at": moment,
        "expires_at": moment + timedelta(minutes=2),
        "facts_hash": CommandFacts().digest,
    }
    return ActorClaims(**(said | changes))


Forge = Callable[[LiveCase, str], Command]


def signed(**changes: Any) -> Forge:
    return lambda case, command_id: Command(envelope=sign_envelope(claims(case, command_id, **changes), ring(case)))


def edited(**changes: Any) -> Forge:
    """Signed by the API, then changed on the way."""

    def forge(case: LiveCase, command_id: str) -> Command:
        envelope = sign_envelope(claims(case, command_id), ring(case))
        return Command(envelope=envelope.model_copy(update=changes))

    return forge


def of_another_key(case: LiveCase, command_id: str) -> Command:
    return Command(envelope=sign_envelope(claims(case, command_id), KeyRing("k", {"k": b"x" * 32})))


def of_a_guessed_key_id(case: LiveCase, command_id: str) -> Command:
    forged = sign_envelope(claims(case, command_id), KeyRing("k", {"k": b"x" * 32}))
    return Command(envelope=forged.model_copy(update={"key_id": ring(case).newest}))


def with_other_facts(case: LiveCase, command_id: str) -> Command:
    envelope = sign_envelope(claims(case, command_id), ring(case))
    return Command(facts=CommandFacts(radiologist_id=case.world.user_id("radiologist")), envelope=envelope)


def with_a_longer_life(case: LiveCase, command_id: str) -> Command:
    envelope = sign_envelope(claims(case, command_id), ring(case))
    return Command(envelope=envelope.model_copy(update={"expires_at": envelope.expires_at + timedelta(days=1)}))


def expired(case: LiveCase, command_id: str) -> Command:
    moment = case.practice.now()
    times = {"issued_at": moment - timedelta(minutes=5), "expires_at": moment - timedelta(minutes=3)}
    return signed(**times)(case, command_id)


FORGERIES: dict[str, tuple[Forge, str]] = {
    "another key": (of_another_key, "envelope_forged"),
    "another key under a known name": (of_a_guessed_key_id, "envelope_forged"),
    "another person": (edited(user_id="usr_somebody_else"), "envelope_forged"),
    "another role": (edited(role="admin"), "envelope_forged"),
    "a fresh sign-in that was none": (edited(fresh_auth=True), "envelope_forged"),
    "a longer life": (with_a_longer_life, "envelope_forged"),
    "other facts": (with_other_facts, "envelope_forged"),
    "another case": (signed(case_id="case_0123456789abcdef"), "envelope_for_another_case"),
    "another step": (signed(action=Action.SUBMIT), "envelope_for_another_step"),
    "another click": (signed(command_id="cmd_of_another_click"), "envelope_for_another_step"),
    "too late": (expired, "envelope_expired"),
    "somebody of another practice": (signed(relation="none"), "not_yours"),
}


@pytest.mark.parametrize(("forge", "code"), FORGERIES.values(), ids=FORGERIES)
async def test_a_forged_step_is_refused_and_leaves_nothing_in_history(
    practice: Practice, forge: Forge, code: str
) -> None:
    case = await practice.open()
    await case.settle()
    before = [event.event_type for event in (await case.handle.fetch_history()).events]
    command_id = new_id("cmd")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await case.handle.execute_update(
            Action.CANCEL, forge(case, command_id), id=command_id, result_type=CommandResult
        )
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == code
    assert case.stands() is State.DRAFT
    assert case.timeline() == []
    after = [event.event_type for event in (await case.handle.fetch_history()).events]
    assert after == before, "nothing of a refused update is written"


@pytest.mark.parametrize("content", [None, "text", {"facts": {}}, {"envelope": {"user_id": "usr"}}, [], 7])
async def test_what_is_no_command_is_refused(practice: Practice, content: object) -> None:
    case = await practice.open()
    with pytest.raises(WorkflowUpdateFailedError):
        await case.handle.execute_update(Action.CANCEL, content, id=new_id("cmd"))
    await case.act("dentist", Action.CANCEL)
    assert case.stands() is State.CANCELLED


async def test_the_api_s_own_word_is_taken(practice: Practice) -> None:
    """The forgeries above fail for what is forged in them, not for the way in which they are sent."""
    case = await practice.open()
    command_id = new_id("cmd")
    command = signed()(case, command_id)
    result = await case.handle.execute_update(Action.CANCEL, command, id=command_id, result_type=CommandResult)
    assert result == CommandResult(seq=1, state=State.CANCELLED)


async def test_an_envelope_is_good_for_one_click(practice: Practice) -> None:
    case = await practice.signed()
    command_id = new_id("cmd")
    facts = CommandFacts(grant_id=new_id("grt"))
    envelope = sign_envelope(claims(case, command_id, action=Action.RELEASE, facts_hash=facts.digest), ring(case))
    command = Command(facts=facts, envelope=envelope)
    for _ in range(3):
        await case.handle.execute_update(Action.RELEASE, command, id=command_id, result_type=CommandResult)
    with pytest.raises(WorkflowUpdateFailedError):
        await case.handle.execute_update(Action.RELEASE, command, id=new_id("cmd"), result_type=CommandResult)
    assert case.actions().count(Action.RELEASE) == 1


async def test_a_signal_that_names_no_fact_does_nothing(practice: Practice) -> None:
    case, other = await practice.open(), await practice.open()
    with case.world.database.write() as session:
        of_the_other = enqueue(session, FactKind.FILES_SETTLED, other.id)
    await case.settle()
    before = await case.state()
    for fact_id in ("out_invented", of_the_other, "", "x" * 500):
        await case.handle.signal(CaseWorkflow.fact, fact_id)
    await case.handle.signal("fact", {"not": "an id"})
    await case.handle.signal("fact")
    await case.handle.signal("fact", args=["out_invented", "and", "more"])
    await case.handle.signal("close")
    await case.settle()
    assert await case.state() == before
    assert case.practice.imaging.ingested == []
    assert case.timeline() == []


async def test_a_fact_from_the_outbox_is_acted_upon_however_often_it_is_told(practice: Practice) -> None:
    case = await practice.open()
    await case.settle()
    with case.world.database.write() as session:
        fact_id = enqueue(session, FactKind.FILES_SETTLED, case.id)
    assert await practice.gateway.dispatcher.dispatch(case.id) == 1
    assert await practice.gateway.dispatcher.dispatch(case.id) == 0
    await eventually(lambda: practice.imaging.ingested == [case.id], lambda: str(practice.imaging.ingested))
    await case.settle()
    await case.handle.signal(CaseWorkflow.fact, fact_id)
    await case.settle()
    assert set(practice.imaging.ingested) == {case.id}
    assert case.timeline() == []


async def test_a_case_is_started_once_however_often_the_outbox_is_told(practice: Practice) -> None:
    case = await practice.open()
    first = (await case.handle.describe()).run_id
    with case.world.database.write() as session:
        enqueue(session, "start_case", case.id)
    assert await practice.gateway.dispatcher.dispatch(case.id) == 1
    assert (await case.handle.describe()).run_id == first


async def test_an_item_that_cannot_be_told_holds_up_no_other(practice: Practice) -> None:
    """A fact of a case that is over, and one of a case whose key is gone, are before it in the outbox."""
    over, waiting = await practice.open(), await practice.open()
    await over.act("dentist", Action.CANCEL)
    await over.ended()
    with over.world.database.write() as session:
        enqueue(session, FactKind.FILES_SETTLED, over.id)
        enqueue(session, FactKind.FILES_SETTLED, "case_that_has_no_key")
        enqueue(session, FactKind.FILES_SETTLED, waiting.id)
    await practice.gateway.dispatcher.dispatch()
    await eventually(lambda: waiting.id in practice.imaging.ingested, lambda: str(practice.imaging.ingested))


async def test_a_case_that_is_cancelled_while_it_reads_a_fact_ends(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files arrive and the practice cancels at the same moment: the workflow must not wait on for ever (invariant 16)."""
    case = await practice.open()
    await case.settle()
    is_read, may_answer = threading.Event(), threading.Event()

    def slowly(kind: str) -> FactKind:
        is_read.set()
        assert may_answer.wait(10)
        return FactKind(kind)

    monkeypatch.setattr("activities.records.apply.FactKind", slowly)
    with case.world.database.write() as session:
        enqueue(session, FactKind.FILES_SETTLED, case.id)
    await practice.gateway.dispatcher.dispatch(case.id)
    assert await asyncio.to_thread(is_read.wait, 10)
    await case.act("dentist", Action.CANCEL)
    may_answer.set()
    await case.ended()
