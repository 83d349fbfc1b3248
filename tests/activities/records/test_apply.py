"""``records.apply``: one transition, one transaction, once (DECISIONS 2 and 3), on SQLite and on MariaDB."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlmodel import SQLModel, col, func, select, update
from temporalio.exceptions import ApplicationError

from activities.records.apply import SEQ_TAKEN, RecordActivities
from activities.records.commands import APPLIED, LAPSED, REFUSED
from infra.outbox import START_CASE
from schemas.decisions import decide_step
from schemas.lifecycle import Action, State
from schemas.messages import FactInput, FactKind, Record, SystemStep
from schemas.state import IdentityStanding
from schemas.tables.case import Case, CaseCommand, CaseTransition
from schemas.tables.imaging import StoredFile
from schemas.tables.people import Contract, Membership, User
from schemas.tables.wires import AuditRow, EffectRow, FeedEvent, OutboxItem
from tests.activities.records.steps import apply, receive, record_of, step, take
from tests.world import World


def rows(world: World, table: type[SQLModel]) -> int:
    with world.database.read() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def everything(world: World) -> dict[str, int]:
    return {table.__name__: rows(world, table) for table in (CaseTransition, AuditRow, FeedEvent, EffectRow)}


def outcome(world: World, command_id: str) -> CaseCommand:
    with world.database.read() as session:
        return session.get_one(CaseCommand, command_id)


def submission(world: World) -> tuple[Case, Record]:
    row = world.add_case()
    command = receive(world, row.id, "dentist", Action.SUBMIT, "key")
    return row, record_of(world, world.state(row.id), "dentist", Action.SUBMIT, command.id)


def test_a_step_is_written_whole(world: World) -> None:
    row, record = submission(world)
    before = everything(world)
    assert apply(world, record).applied
    after = world.case(row.id)
    assert (after.state, after.seq) == (State.PROCESSING, 1)
    assert world.state(row.id) == record.state
    assert everything(world) == {
        "CaseTransition": before["CaseTransition"] + 1,
        "AuditRow": before["AuditRow"] + 1,
        "FeedEvent": before["FeedEvent"] + 1,
        "EffectRow": before["EffectRow"],
    }
    command = outcome(world, record.command_id)
    assert (command.outcome, command.seq) == (APPLIED, 1)
    step(world, row.id, SystemStep(action=Action.PASS_PROCESSING, identity=IdentityStanding.MATCHED))
    with world.database.read() as session:
        (intent,) = session.exec(select(EffectRow).where(EffectRow.case_id == row.id)).all()
    assert (intent.key, intent.seq, intent.done_at) == (f"{row.id}:notify-schedulers:2", 2, None)


def test_a_repeat_writes_nothing_and_says_applied(world: World) -> None:
    _row, record = submission(world)
    apply(world, record)
    before = everything(world)
    for _ in range(3):
        assert apply(world, record).applied
    assert everything(world) == before


def test_a_repeat_after_further_steps_still_says_applied(world: World) -> None:
    row, record = submission(world)
    apply(world, record)
    step(world, row.id, SystemStep(action=Action.PASS_PROCESSING, identity=IdentityStanding.MATCHED))
    assert apply(world, record).applied
    assert world.case(row.id).seq == 2, "the projection never goes back (invariant 2)"


def test_appliers_of_one_record_at_the_same_moment_write_it_once(world: World) -> None:
    _row, record = submission(world)
    before = everything(world)
    with ThreadPoolExecutor(6) as threads:
        results = list(threads.map(lambda _: apply(world, record).applied, range(6)))
    assert results == [True] * 6
    assert everything(world)["CaseTransition"] == before["CaseTransition"] + 1
    assert everything(world)["AuditRow"] == before["AuditRow"] + 1


def test_of_different_steps_at_one_place_one_stands_and_the_others_raise_an_alarm(world: World) -> None:
    row = world.add_case()
    state = world.state(row.id)
    records = []
    for name, action in (("dentist", Action.SUBMIT), ("staff", Action.SUBMIT), ("dentist", Action.CANCEL)):
        command = receive(world, row.id, name, action, f"{name} {action}")
        records.append(record_of(world, state, name, action, command.id))

    def attempt(record: Record) -> Any:
        try:
            return apply(world, record).applied
        except ApplicationError as alarm:
            return alarm.type, alarm.non_retryable

    with ThreadPoolExecutor(3) as threads:
        results = list(threads.map(attempt, records))
    assert sorted(results, key=str) == [(SEQ_TAKEN, True), (SEQ_TAKEN, True), True]
    assert world.case(row.id).seq == 1


def test_a_gap_is_an_alarm(world: World) -> None:
    _row, record = submission(world)
    ahead = record.model_copy(update={"seq": 3})
    with pytest.raises(ApplicationError) as alarm:
        apply(world, ahead)
    assert alarm.value.type == SEQ_TAKEN


def test_the_cases_own_step_at_a_taken_place_is_an_alarm_too(world: World) -> None:
    """Own steps are numbered, so two of them at one place have one id; they are told apart by what they do."""
    row, record = submission(world)
    apply(world, record)
    state = world.state(row.id)
    passed = SystemStep(action=Action.PASS_PROCESSING, identity=IdentityStanding.MATCHED)
    step(world, row.id, passed)
    other = decide_step(state, SystemStep(action=Action.HOLD_FOR_BILLING, identity=IdentityStanding.MATCHED), record.at)
    with pytest.raises(ApplicationError) as alarm:
        apply(world, other.record)
    assert alarm.value.type == SEQ_TAKEN


def test_a_command_that_was_taken_before_is_not_taken_again(world: World) -> None:
    """A new run of the workflow does not know the ids of the last one's updates (invariant 3)."""
    row, record = submission(world)
    apply(world, record)
    step(world, row.id, SystemStep(action=Action.PASS_PROCESSING, identity=IdentityStanding.MATCHED))
    cancelling = record_of(world, world.state(row.id), "dentist", Action.CANCEL, record.command_id)
    result = apply(world, cancelling)
    assert (result.applied, result.code) == (False, "command_repeated")
    assert (world.case(row.id).state, world.case(row.id).seq) == (State.UNASSIGNED, 2)
    assert outcome(world, record.command_id).outcome == APPLIED


def test_a_refusal_changes_nothing_and_leaves_one_denial(world: World) -> None:
    row = world.add_case()
    with world.database.write() as session:
        session.exec(update(StoredFile).where(col(StoredFile.case_id) == row.id).values(state="removed"))
    command = receive(world, row.id, "dentist", Action.SUBMIT, "key")
    record = record_of(world, world.state(row.id), "dentist", Action.SUBMIT, command.id)
    before = everything(world)
    for _ in range(3):
        result = apply(world, record)
        assert (result.applied, result.code) == (False, "no_images")
    assert world.case(row.id).seq == 0
    after = everything(world)
    assert after.pop("AuditRow") == before.pop("AuditRow") + 1
    assert after == before
    stored = outcome(world, command.id)
    assert (stored.outcome, stored.refusal_code, stored.refusal_status) == (REFUSED, "no_images", 409)


def test_a_refusal_stands_even_when_its_reason_has_gone(world: World) -> None:
    row = world.add_case()
    with world.database.write() as session:
        session.exec(update(StoredFile).where(col(StoredFile.case_id) == row.id).values(state="removed"))
    command = receive(world, row.id, "dentist", Action.SUBMIT, "key")
    record = record_of(world, world.state(row.id), "dentist", Action.SUBMIT, command.id)
    apply(world, record)
    world.add_file(row)
    assert not apply(world, record).applied, "the person was told that it was refused"


def test_a_lapsed_command_is_not_applied_any_more(world: World) -> None:
    row, record = submission(world)
    with world.database.write() as session:
        session.get_one(CaseCommand, record.command_id).outcome = LAPSED
    assert not apply(world, record).applied
    assert world.case(row.id).seq == 0


@pytest.mark.parametrize("gone", ["user", "membership", "role"])
def test_a_person_who_has_left_takes_no_step(world: World, gone: str) -> None:
    """The API looked a moment before; the record looks again (DECISIONS 3: the active user)."""
    row, record = submission(world)
    user_id = world.user_id("dentist")
    with world.database.write() as session:
        if gone == "user":
            session.get_one(User, user_id).is_active = False
        else:
            change = {"is_active": False} if gone == "membership" else {"role": "scheduler"}
            session.exec(update(Membership).where(col(Membership.user_id) == user_id).values(**change))
    result = apply(world, record)
    assert (result.applied, result.code) == (False, "standing_lost")
    assert world.case(row.id).seq == 0


def test_a_reader_whose_group_lost_the_contract_takes_no_step(world: World) -> None:
    row, record = submission(world)
    apply(world, record)
    step(world, row.id, SystemStep(action=Action.PASS_PROCESSING, identity=IdentityStanding.MATCHED))
    with world.database.write() as session:
        session.exec(update(Contract).values(is_active=False))
    assert take(world, row.id, "radiologist", Action.CLAIM).code == "standing_lost"


def test_a_record_of_another_practice_is_refused(world: World) -> None:
    """``practice_id`` never changes (invariant 17)."""
    _row, record = submission(world)
    moved = record.state.model_copy(update={"practice_id": world.organizations["practice2"]})
    with pytest.raises(ApplicationError) as missing:
        apply(world, record.model_copy(update={"state": moved}))
    assert missing.value.type == "CaseMissing"


def test_only_a_fact_of_this_very_case_is_a_fact(world: World) -> None:
    row, other = world.add_case(), world.add_case()
    with world.database.write() as session:
        session.add(OutboxItem(id="out_1", case_id=row.id, kind="files_settled", created_at=row.created_at))
        start = session.exec(select(OutboxItem.id).where(OutboxItem.kind == START_CASE)).first()
    activities = RecordActivities(world.database, world.keys)

    def kind(case_id: str, fact_id: str) -> FactKind | None:
        return activities.load_fact(FactInput(case_id=case_id, fact_id=fact_id)).kind

    assert kind(row.id, "out_1") is FactKind.FILES_SETTLED
    assert kind(other.id, "out_1") is None
    assert kind(row.id, "out_none") is None
    assert start is not None
    assert kind(row.id, start) is None, "the start of a case is no fact about it"
