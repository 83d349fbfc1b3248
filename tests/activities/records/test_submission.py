"""What is submitted and what an answer brings: every file that came is in a set, and no file is waited for in vain."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import col, func, select

from activities.records.commands import REFUSED
from infra.uploads import OPEN, SILENCE
from schemas.ids import new_id
from schemas.lifecycle import Action, State
from schemas.messages import ApplyResult, SystemStep
from schemas.state import IdentityStanding
from schemas.tables.case import Case, CaseCommand, CaseTransition
from schemas.tables.imaging import StoredFile, Upload
from tests.activities.records.steps import apply, receive, record_of, step, take
from tests.world import World


def asked(world: World) -> Case:
    """A case whose reader has asked the practice for something more."""
    row = world.add_case()
    assert take(world, row.id, "dentist", Action.SUBMIT).applied
    assert step(world, row.id, SystemStep(action=Action.PASS_PROCESSING, identity=IdentityStanding.MATCHED)).applied
    assert take(world, row.id, "radiologist", Action.CLAIM).applied
    assert take(world, row.id, "radiologist", Action.REQUEST_MODIFICATION, text="A lateral view?").applied
    return row


def answer(world: World, row: Case) -> ApplyResult:
    return take(world, row.id, "dentist", Action.ANSWER_MODIFICATION, text="Here.")


def begin_upload(world: World, row: Case, *, silent_for: timedelta = timedelta()) -> str:
    moment = datetime.now(UTC) - silent_for
    upload_id = new_id("upl")
    with world.database.write() as session:
        session.add(
            Upload(
                id=upload_id,
                case_id=row.id,
                practice_id=row.practice_id,
                user_id=row.created_by,
                file_id=new_id("fil"),
                length=1 << 20,
                meta=b"",
                state=OPEN,
                created_at=moment,
                updated_at=moment,
                expires_at=moment + timedelta(hours=24),
            )
        )
    return upload_id


def loose(world: World, row: Case) -> int:
    """Files that are in no set: nobody would ever read them."""
    with world.database.read() as session:
        statement = select(func.count()).where(StoredFile.case_id == row.id, col(StoredFile.first_set).is_(None))
        return session.exec(statement).one()


def test_an_answer_waits_for_a_file_that_is_on_its_way(world: World) -> None:
    row = asked(world)
    upload_id = begin_upload(world, row)
    refused = answer(world, row)
    assert (refused.applied, refused.code, refused.status) == (False, "uploads_unfinished", 409)
    assert world.case(row.id).state == State.MODIFICATION_REQUESTED
    with world.database.write() as session:
        session.get_one(Upload, upload_id).state = "complete"
    world.add_file(row)
    command = receive(world, row.id, "dentist", Action.ANSWER_MODIFICATION, "again", text="Here.")
    record = record_of(world, world.state(row.id), "dentist", Action.ANSWER_MODIFICATION, command.id)
    written = [apply(world, record) for _ in range(2)]
    assert written == [ApplyResult(applied=True, new_images=True)] * 2, "a repeat says the same"
    assert world.case(row.id).state == State.PROCESSING
    assert (world.state(row.id).image_set, loose(world, row)) == (2, 0)


def test_an_upload_that_was_given_up_silently_keeps_nobody_waiting(world: World) -> None:
    row = asked(world)
    begin_upload(world, row, silent_for=SILENCE + timedelta(minutes=1))
    assert answer(world, row) == ApplyResult(applied=True, new_images=False)
    assert world.case(row.id).state == State.IN_REVIEW
    with world.database.read() as session:
        last = session.exec(
            select(CaseTransition).where(CaseTransition.case_id == row.id).order_by(col(CaseTransition.seq).desc())
        ).first()
    assert last is not None
    assert (last.action, last.to_state) == (Action.ANSWER_MODIFICATION, State.IN_REVIEW)


@pytest.mark.parametrize(("days_before_ten", "is_asked"), [(2, False), (0, True)])
def test_pregnancy_is_asked_from_the_tenth_birthday_on(world: World, days_before_ten: int, is_asked: bool) -> None:
    """The page asks by the same age, so a form that is complete there is complete here."""
    today = datetime.now(UTC).date()
    tenth = today + timedelta(days=days_before_ten)
    born = date(tenth.year - 10, tenth.month, 28 if (tenth.month, tenth.day) == (2, 29) else tenth.day)
    row = world.add_case(world.add_patient(birth_date=born), without_pregnancy=True)
    result = take(world, row.id, "dentist", Action.SUBMIT)
    assert (result.applied, result.code) == ((False, "submission_incomplete") if is_asked else (True, None))


def test_a_refusal_says_its_status_at_first_and_again(world: World) -> None:
    row = world.add_case()
    command = receive(world, row.id, "dentist", Action.SUBMIT, "key")
    record = record_of(world, world.state(row.id), "dentist", Action.SUBMIT, command.id)
    gone = record.model_copy(update={"actor": record.actor.model_copy(update={"role": "scheduler"})})
    first, again = apply(world, gone), apply(world, gone)
    assert (first.code, first.status) == ("standing_lost", 403)
    assert again == first
    with world.database.read() as session:
        stored = session.get_one(CaseCommand, command.id)
    assert (stored.outcome, stored.refusal_status) == (REFUSED, 403)
