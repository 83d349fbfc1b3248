"""Images that come after submission, on the real engine: both ways that they go, and a crash between the halves."""

from typing import Any

import pytest
from sqlmodel import col, select

import activities.records.apply
from infra.outbox import enqueue
from schemas.decisions import files_fact
from schemas.errors import OdontoError
from schemas.lifecycle import Action, State, WaitReason
from schemas.messages import ApplyResult, FactKind
from schemas.tables.imaging import StoredFile
from tests.workflows.engine import FOREIGN, LiveCase, Practice, eventually
from tests.workflows.retelling import check_books, retell


def add_file(case: LiveCase, *, document: bool = False) -> str:
    kind, state = ("document", "ready") if document else ("unknown", "stored")
    return case.world.add_file(case.world.case(case.id), kind=kind, state=state).id


def sets(case: LiveCase) -> tuple[int, int, int]:
    """What the patient, the reader and the practice see, as the pages read it."""
    row = case.world.case(case.id)
    return row.signed_set, row.verified_set, row.image_set


async def test_images_are_checked_and_come_back_to_their_reader_documents_stop_nobody(practice: Practice) -> None:
    case = await practice.in_review()
    reader = case.recorded.assignee_id
    with pytest.raises(OdontoError) as refused:
        await case.act("dentist", Action.ADD_IMAGES)
    assert refused.value.code == "nothing_added"
    add_file(case, document=True)
    await case.act("dentist", Action.ADD_IMAGES)
    assert (case.stands(), sets(case)) == (State.IN_REVIEW, (0, 2, 2))
    add_file(case)
    add_file(case, document=True)
    await case.act("staff", Action.ADD_IMAGES)
    await case.until(State.IN_REVIEW)
    await case.settle()
    assert (case.recorded.assignee_id, sets(case)) == (reader, (0, 3, 3))
    assert case.actions()[-3:] == [Action.ADD_IMAGES, Action.ADD_IMAGES, Action.RESUME_REVIEW]
    retell(case)
    check_books(case, refused=1)


async def test_files_that_come_while_a_case_is_read_are_checked_as_they_come(practice: Practice) -> None:
    case = await practice.in_review()
    add_file(case)
    with practice.world.database.write() as session:
        enqueue(session, files_fact(case.stands()), case.id)
    await practice.gateway.announce(case.id)
    await eventually(lambda: case.id in practice.imaging.ingested, lambda: "the files wait for ever")
    assert (await case.settle()).late_files_arrived is False
    assert FactKind.LATE_FILES_SETTLED is files_fact(case.stands())


async def test_a_case_that_was_offered_is_offered_to_the_same_reader_again(practice: Practice) -> None:
    case = await practice.open()
    await case.act("dentist", Action.SUBMIT)
    await case.until(State.ASSIGNED)
    other = next(name for name in ("radiologist", "radiologist2") if name != case.reader)
    await case.act("scheduler", Action.REASSIGN, radiologist_id=case.world.user_id(other))
    add_file(case)
    await case.act("dentist", Action.ADD_IMAGES)
    await case.until(State.ASSIGNED)
    assert case.reader == other
    await case.settle()
    retell(case)


async def test_a_released_report_stands_once_its_reader_has_seen_the_late_images(practice: Practice) -> None:
    case = await practice.signed()
    await case.act("dentist", Action.RELEASE)
    practice.imaging.by_set[case.id, 2] = FOREIGN
    add_file(case)
    await case.act("staff", Action.ADD_IMAGES)
    await case.waits_for(WaitReason.IDENTITY_MISMATCH)
    assert sets(case) == (1, 1, 2)
    await case.act("staff", Action.REMOVE_LATE_IMAGES)
    with practice.world.database.read() as session:
        states = session.exec(
            select(StoredFile.state).where(StoredFile.case_id == case.id, col(StoredFile.first_set) == 2)
        )
        assert list(states.all()) == ["removed"]
    add_file(case)
    await case.act("staff", Action.ADD_IMAGES)
    await case.waits_for(WaitReason.LATE_IMAGES)
    assert (case.stands(), sets(case)) == (State.RELEASED, (1, 3, 3))
    with pytest.raises(OdontoError) as refused:
        await case.act(case.reader, Action.KEEP_REPORT, password="secret", image_set=2)
    assert refused.value.code == "images_added"
    # The reader's word asks for readable files: imaging is a double here, so they are made so.
    with practice.world.database.write() as session:
        for file in session.exec(select(StoredFile).where(StoredFile.case_id == case.id, StoredFile.state == "stored")):
            file.state = "ready"
    await case.act(case.reader, Action.KEEP_REPORT, password="secret", image_set=3)
    assert (case.recorded.version, case.recorded.late, sets(case)) == (2, None, (3, 3, 3))
    assert case.notices(Action.OFFER_LATE_IMAGES) == {f"{case.reader} {_seq(case, Action.OFFER_LATE_IMAGES)}"}
    await case.settle()
    retell(case)
    check_books(case, refused=1)


async def test_a_crash_between_record_and_answer_takes_the_same_half_again(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record took the half with images; the retry must say so, although no loose file is left to tell."""
    crashed: list[int] = []

    def dies_after_the_commit(**said: Any) -> ApplyResult:
        if said.get("new_images") and not crashed:
            crashed.append(1)
            raise ConnectionResetError
        return ApplyResult(**said)

    case = await practice.in_review()
    add_file(case)
    monkeypatch.setattr(activities.records.apply, "ApplyResult", dies_after_the_commit)
    await case.act("dentist", Action.ADD_IMAGES)
    await case.until(State.IN_REVIEW)
    assert crashed
    assert case.actions().count(Action.ADD_IMAGES) == 1
    assert (await case.settle()).image_set == 2
    retell(case)


def _seq(case: LiveCase, action: Action) -> int:
    return next(step.seq for step in case.timeline() if step.action == action)
