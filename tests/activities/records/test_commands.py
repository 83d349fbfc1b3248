"""A person's command at the desk: the same click is one command, another one under its key is none (DECISIONS 4)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlmodel import col, func, select, update

from activities.records.commands import (
    APPLIED,
    LAPSED,
    RECEIVED,
    REFUSED,
    CommandDesk,
    KeyReused,
    Refused,
    raise_refusal,
)
from infra.database import now
from schemas.lifecycle import Action
from schemas.messages import Actor
from schemas.refusals import ActionNotPossible
from schemas.tables.case import CaseCommand
from schemas.tables.wires import AuditRow
from tests.activities.records.steps import apply, new_command, receive, record_of
from tests.world import World


@pytest.fixture
def desk(world: World) -> CommandDesk:
    return CommandDesk(world.database, world.keys)


def denials(world: World, case_id: str) -> int:
    with world.database.read() as session:
        statement = select(func.count()).where(AuditRow.scope == case_id, AuditRow.outcome == "denied")
        return session.exec(statement).one()


def actor(world: World, name: str) -> Actor:
    person = world.person(name)
    return Actor(user_id=person.user_id, role="dentist", relation="own", session_id=person.session_id)


def age(world: World, command_id: str, by: timedelta) -> None:
    with world.database.write() as session:
        session.exec(update(CaseCommand).where(col(CaseCommand.id) == command_id).values(expires_at=now() - by))


def test_clicks_at_the_same_moment_are_one_command(world: World, desk: CommandDesk) -> None:
    row = world.add_case()
    click = new_command(world, row.id, "dentist", Action.SUBMIT, "key")
    with ThreadPoolExecutor(6) as threads:
        received = list(threads.map(lambda _: desk.receive(click), range(6)))
    assert {command.id for command in received} == {click.id}
    with world.database.read() as session:
        assert session.exec(select(func.count()).where(CaseCommand.case_id == row.id)).one() == 1


@pytest.mark.parametrize(
    ("name", "action", "form"),
    [
        ("staff", Action.CANCEL, {"reason": "A duplicate."}),
        ("dentist", Action.SUBMIT, {}),
        ("dentist", Action.CANCEL, {"reason": "Another reason."}),
    ],
    ids=["another person", "another step", "another body"],
)
def test_a_key_stands_for_one_person_one_step_and_one_body(
    world: World, desk: CommandDesk, name: str, action: Action, form: dict[str, str]
) -> None:
    row = world.add_case()
    receive(world, row.id, "dentist", Action.CANCEL, "key", reason="A duplicate.")
    with pytest.raises(KeyReused) as reused:
        desk.receive(new_command(world, row.id, name, action, "key", **form))
    assert reused.value.status == 422
    with pytest.raises(KeyReused):
        desk.find(new_command(world, row.id, name, action, "key", **form))


def test_a_key_of_another_case_is_another_command(world: World, desk: CommandDesk) -> None:
    first, second = world.add_case(), world.add_case()
    one = receive(world, first.id, "dentist", Action.SUBMIT, "key")
    other = desk.receive(new_command(world, second.id, "dentist", Action.SUBMIT, "key"))
    assert one.id != other.id


def test_what_was_typed_is_not_in_the_clear(world: World) -> None:
    row = world.add_case()
    command = receive(world, row.id, "dentist", Action.CANCEL, "key", reason="Anna Moreau has gone elsewhere.")
    assert b"Moreau" not in command.form


def test_a_refusal_is_recorded_once_and_given_again_as_it_was(world: World, desk: CommandDesk) -> None:
    row = world.add_case()
    command = receive(world, row.id, "dentist", Action.SUBMIT, "key")
    fact = ActionNotPossible("This step is not possible now.")
    for _ in range(3):
        desk.refuse(command.id, actor(world, "dentist"), fact)
    assert denials(world, row.id) == 1
    stored = desk.outcome(command.id)
    assert stored is not None
    assert stored.outcome == REFUSED
    with pytest.raises(Refused) as again:
        raise_refusal(stored)
    assert (again.value.code, again.value.status, again.value.detail) == (fact.code, fact.status, fact.detail)


def test_a_refusal_does_not_undo_what_was_applied(world: World, desk: CommandDesk) -> None:
    row = world.add_case()
    command = receive(world, row.id, "dentist", Action.SUBMIT, "key")
    apply(world, record_of(world, world.state(row.id), "dentist", Action.SUBMIT, command.id))
    desk.refuse(command.id, actor(world, "dentist"), ActionNotPossible())
    stored = desk.outcome(command.id)
    assert stored is not None
    assert stored.outcome == APPLIED
    assert denials(world, row.id) == 0


def test_a_command_without_an_answer_lapses_only_after_its_envelope_has_ended(world: World, desk: CommandDesk) -> None:
    row = world.add_case()
    old = receive(world, row.id, "dentist", Action.SUBMIT, "old")
    new = receive(world, row.id, "dentist", Action.SUBMIT, "new")
    assert desk.lapse_stale() == 0
    age(world, old.id, timedelta(seconds=30))
    assert desk.lapse_stale() == 0, "a step may still be on its way when the envelope has just ended"
    age(world, old.id, timedelta(minutes=2))
    assert desk.lapse_stale() == 1
    assert desk.lapse_stale() == 0
    outcomes = [desk.outcome(command.id) for command in (old, new)]
    assert [stored.outcome for stored in outcomes if stored] == [LAPSED, RECEIVED]
    stored = desk.outcome(old.id)
    assert stored is not None
    with pytest.raises(Refused, match="repeat"):
        raise_refusal(stored)


def test_a_command_that_lapses_while_it_is_applied_has_one_outcome(world: World, desk: CommandDesk) -> None:
    """Either the person is told that nothing was done and nothing was, or it was applied."""
    for _ in range(8):
        row = world.add_case()
        command = receive(world, row.id, "dentist", Action.SUBMIT, "key")
        record = record_of(world, world.state(row.id), "dentist", Action.SUBMIT, command.id)
        age(world, command.id, timedelta(minutes=2))
        with ThreadPoolExecutor(2) as threads:
            lapsing, applying = threads.submit(desk.lapse_stale), threads.submit(apply, world, record)
            lapsing.result(20)
            applied = applying.result(20).applied
        stored = desk.outcome(command.id)
        assert stored is not None
        assert (stored.outcome == APPLIED) == applied == (world.case(row.id).seq == 1)
