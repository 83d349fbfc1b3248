"""Records for ``records.apply``, made of the rules as the workflow makes them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from activities.records.apply import RecordActivities
from activities.records.commands import CommandDesk, NewCommand
from schemas.access import acting_as
from schemas.actors import ActorEnvelope
from schemas.decisions import decide, decide_step
from schemas.forms import ACTION_FORMS
from schemas.lifecycle import Action
from schemas.messages import ApplyResult, Command, CommandFacts, Record, SystemStep
from schemas.state import CaseState
from schemas.tables.case import CaseCommand
from tests.world import World


def receive(world: World, case_id: str, name: str, action: Action, key: str, **form: Any) -> CaseCommand:
    """A command as the API keeps it before the case has seen it."""
    return CommandDesk(world.database, world.keys).receive(new_command(world, case_id, name, action, key, **form))


def new_command(world: World, case_id: str, name: str, action: Action, key: str, **form: Any) -> NewCommand:
    row = world.case(case_id)
    return NewCommand(
        case_id=case_id,
        key_id=row.key_id,
        action=action,
        user_id=world.user_id(name),
        idempotency_key=key,
        form=ACTION_FORMS[action].model_validate(form).stored(),
    )


def record_of(
    world: World,
    state: CaseState,
    name: str,
    action: Action,
    command_id: str,
    facts: CommandFacts | None = None,
) -> Record:
    """The record of a person's step from this state."""
    person = world.person(name)
    row = world.case(state.case_id)
    taker = acting_as(action, world.held(name, row), state.state)
    assert taker is not None, f"{name} may not {action} in {state.state}"
    moment = datetime.now(UTC)
    envelope = ActorEnvelope(
        user_id=person.user_id,
        role=taker.role,
        relation=taker.relation,
        session_id=person.session_id,
        case_id=state.case_id,
        command_id=command_id,
        action=action,
        issued_at=moment,
        expires_at=moment + timedelta(minutes=2),
        fresh_auth=True,
        key_id="key",
        mac="0" * 64,
    )
    return decide(state, Command(facts=facts or CommandFacts(), envelope=envelope), moment).record


def take(
    world: World,
    case_id: str,
    name: str,
    action: Action,
    facts: CommandFacts | None = None,
    **form: Any,
) -> ApplyResult:
    """A person's step, from receipt to record."""
    state = world.state(case_id)
    command = receive(world, case_id, name, action, f"key {state.seq}", **form)
    return apply(world, record_of(world, state, name, action, command.id, facts))


def step(world: World, case_id: str, made: SystemStep) -> ApplyResult:
    """The case's own step."""
    return apply(world, decide_step(world.state(case_id), made, datetime.now(UTC)).record)


def apply(world: World, record: Record) -> ApplyResult:
    return RecordActivities(world.database, world.keys).apply(record)
