"""Images that come after submission: checked like any, read before they are signed for, seen by the patient last (DOMAIN)."""

from datetime import timedelta

import pytest

from schemas.deadlines import Due, next_deadline
from schemas.decisions import Work, files_fact, next_work
from schemas.errors import StateConflict
from schemas.lifecycle import Action, State, WaitOwner, WaitReason
from schemas.messages import CommandFacts, FactKind, ProcessOutcome
from schemas.refusals import ActionNotPossible, FreshSignInNeeded, ImagesAdded, NothingToAnswer, SecondPersonNeeded
from schemas.sla import DEFAULT_POLICY, AmendmentKind
from schemas.state import Audience, CaseState, IdentityStanding, LateCheck
from tests.schemas.test_decisions import BY_NAME, CLEAN, FOREIGN, in_review, signed, told
from tests.schemas.walking import MONDAY, Walk, new_case

IMAGES, DOCUMENTS = CommandFacts(new_images=True), CommandFacts()
UNREADABLE = ProcessOutcome(readable=0, identity=IdentityStanding.MATCHED)
TWO_SIGNATURES = DEFAULT_POLICY.model_copy(update={"requires_approval": True})


def add(walk: Walk, facts: CommandFacts = IMAGES, name: str = "staff") -> None:
    walk.person(BY_NAME[name], Action.ADD_IMAGES, facts)


def check(walk: Walk, outcome: ProcessOutcome = CLEAN, reader: str | None = "reader") -> None:
    assert walk.work(outcome, covered=True, reader_id=reader) is not None


def keep(walk: Walk, name: str = "reader", *, seen: int | None = None) -> None:
    image_set = walk.state.image_set if seen is None else seen
    walk.person(BY_NAME[name], Action.KEEP_REPORT, CommandFacts(image_set=image_set))


def sets(state: CaseState) -> tuple[int, int, int]:
    """What the patient, the reader and the practice see."""
    return state.signed_up_to, state.readable_up_to, state.image_set


def why(walk: Walk) -> WaitReason:
    return walk.state.wait.reason


def submitted() -> Walk:
    walk = Walk(new_case())
    walk.person(BY_NAME["dentist"], Action.SUBMIT)
    check(walk)
    return walk


# Before the signature.


def test_images_go_through_the_check_and_back_to_the_same_reader() -> None:
    walk = in_review()
    add(walk)
    assert (walk.state.state, walk.state.assignee_id) == (State.PROCESSING, "reader")
    assert told(walk) == {Audience.ASSIGNEE}
    assert sets(walk.state) == (0, 1, 2)
    check(walk)
    assert (walk.path[-1], walk.state.state) == (Action.RESUME_REVIEW, State.IN_REVIEW)
    assert sets(walk.state) == (0, 2, 2)
    walk.person(BY_NAME["reader"], Action.SIGN, CommandFacts(image_set=2))
    assert sets(walk.state) == (2, 2, 2)


def test_documents_stop_nobody_and_the_reader_is_told() -> None:
    walk = in_review()
    since = walk.state.wait.since
    walk.pass_until(walk.now + timedelta(minutes=5))
    add(walk, DOCUMENTS)
    assert (walk.state.state, walk.state.wait.since) == (State.IN_REVIEW, since)
    assert told(walk) == {Audience.ASSIGNEE}
    assert sets(walk.state) == (0, 2, 2)


def test_nobody_signs_over_files_that_came_after_the_page_was_opened() -> None:
    walk = in_review()
    add(walk, DOCUMENTS)
    with pytest.raises(ImagesAdded):
        walk.person(BY_NAME["reader"], Action.SIGN, CommandFacts(image_set=1))
    walk.person(BY_NAME["reader"], Action.SIGN, CommandFacts(image_set=2))


def test_foreign_images_hold_a_case_that_was_being_read_and_its_reader_agrees() -> None:
    walk = in_review()
    add(walk)
    check(walk, FOREIGN)
    assert (walk.state.state, walk.state.readable_up_to) == (State.ATTENTION, 1)
    walk.person(BY_NAME["dentist"], Action.CONFIRM_IDENTITY)
    walk.person(BY_NAME["reader"], Action.AGREE_IDENTITY)
    check(walk, FOREIGN)
    assert (walk.state.state, walk.state.readable_up_to) == (State.IN_REVIEW, 2)


@pytest.mark.parametrize("facts", [IMAGES, DOCUMENTS], ids=["images", "documents"])
def test_a_report_that_waits_for_approval_goes_back_to_its_author(facts: CommandFacts) -> None:
    """The author signed over the files of before; an approver would sign over others."""
    walk = in_review(TWO_SIGNATURES)
    walk.person(BY_NAME["reader"], Action.SUBMIT_FOR_APPROVAL, CommandFacts(approver_id="reader2"))
    old_page = walk.state
    add(walk, facts)
    with pytest.raises(ActionNotPossible):
        walk.person(BY_NAME["reader2"], Action.APPROVE, seen=old_page)
    if facts is IMAGES:
        check(walk)
    assert (walk.state.state, walk.state.assignee_id, walk.state.approver_id) == (State.IN_REVIEW, "reader", None)


def test_an_offered_case_is_offered_to_the_same_reader_again() -> None:
    walk = submitted()
    walk.person(BY_NAME["scheduler"], Action.ASSIGN, CommandFacts(radiologist_id="reader2"))
    add(walk)
    assert (walk.state.assignee_id, walk.state.was_offered_to) == (None, "reader2")
    check(walk)
    assert (next_work(walk.state), walk.state.passed_over) == (Work.FIND_READER, ())
    check(walk, reader="reader2")
    assert (walk.state.state, walk.state.assignee_id, walk.state.was_offered_to) == (State.ASSIGNED, "reader2", None)


@pytest.mark.parametrize("state", [State.UNASSIGNED, State.ASSIGNED])
def test_documents_of_an_unread_case_change_nothing_else(state: State) -> None:
    walk = submitted()
    if state is State.ASSIGNED:
        check(walk)
    before = walk.state
    add(walk, DOCUMENTS)
    assert walk.state.state is state
    assert (walk.state.assignee_id, walk.state.offer_ends_at) == (before.assignee_id, before.offer_ends_at)


# After it.


def test_after_the_signature_the_patient_sees_nothing_of_them_until_the_reader_has_signed_that_the_report_stands() -> (
    None
):
    walk = signed()
    walk.person(BY_NAME["dentist"], Action.RELEASE, CommandFacts(grant_id="grt_1"))
    add(walk)
    assert (walk.state.state, walk.state.wait.reason) == (State.RELEASED, WaitReason.LATE_CHECKING)
    assert told(walk) == set(), "nobody is called to images that nobody may see yet"
    assert sets(walk.state) == (1, 1, 2)
    assert next_work(walk.state) is Work.VERIFY
    with pytest.raises(NothingToAnswer):
        keep(walk)
    check(walk)
    assert (walk.state.wait.owner, walk.state.wait.reason) == (WaitOwner.RADIOLOGIST, WaitReason.LATE_IMAGES)
    assert told(walk) == {Audience.ASSIGNEE}
    assert sets(walk.state) == (1, 2, 2)
    with pytest.raises(FreshSignInNeeded):
        walk.person(BY_NAME["reader"], Action.KEEP_REPORT, CommandFacts(image_set=2), fresh=False)
    keep(walk)
    assert (walk.state.state, walk.state.version, walk.state.late) == (State.RELEASED, 2, None)
    assert sets(walk.state) == (2, 2, 2)
    assert walk.state.wait.reason is WaitReason.WITH_PATIENT
    assert told(walk) == {Audience.PRACTICE, None}, "and the document is made"


def test_an_amendment_covers_them_too() -> None:
    walk = signed()
    add(walk)
    check(walk)
    walk.person(BY_NAME["reader"], Action.AMEND, CommandFacts(amendment_kind=AmendmentKind.AMENDED))
    walk.person(BY_NAME["reader"], Action.SIGN)
    assert (walk.state.late, sets(walk.state)) == (None, (2, 2, 2))


def test_an_amendment_that_began_before_their_check_does_not_cover_them() -> None:
    walk = signed()
    add(walk)
    walk.person(BY_NAME["reader"], Action.AMEND, CommandFacts(amendment_kind=AmendmentKind.CORRECTED))
    assert next_work(walk.state) is None, "what the author reads does not change while they write"
    walk.person(BY_NAME["reader"], Action.SIGN)
    assert (walk.state.version, sets(walk.state)) == (2, (1, 1, 2))
    assert next_work(walk.state) is Work.VERIFY


def test_foreign_late_images_need_two_people_and_meanwhile_nobody_else_sees_them() -> None:
    walk = signed()
    add(walk)
    check(walk, FOREIGN)
    assert (walk.state.wait.owner, walk.state.wait.reason) == (WaitOwner.PRACTICE, WaitReason.IDENTITY_MISMATCH)
    assert sets(walk.state) == (1, 1, 2)
    with pytest.raises(SecondPersonNeeded):
        walk.person(BY_NAME["reader"], Action.AGREE_IDENTITY)
    walk.person(BY_NAME["staff"], Action.CONFIRM_IDENTITY)
    assert why(walk) is WaitReason.IDENTITY_SECOND_PERSON
    assert told(walk) == {Audience.ASSIGNEE}
    walk.person(BY_NAME["reader"], Action.REFUSE_IDENTITY)
    assert why(walk) is WaitReason.IDENTITY_MISMATCH
    walk.person(BY_NAME["dentist"], Action.CONFIRM_IDENTITY)
    walk.person(BY_NAME["reader"], Action.AGREE_IDENTITY)
    assert (walk.state.identity.standing, sets(walk.state)) == (IdentityStanding.OVERRIDDEN, (1, 2, 2))
    keep(walk)
    assert sets(walk.state) == (2, 2, 2)


def test_what_was_confirmed_of_late_images_says_nothing_of_those_that_come_after() -> None:
    walk = signed()
    add(walk)
    check(walk, FOREIGN)
    walk.person(BY_NAME["staff"], Action.CONFIRM_IDENTITY)
    add(walk)
    with pytest.raises(NothingToAnswer):
        walk.person(BY_NAME["reader"], Action.AGREE_IDENTITY)
    check(walk, FOREIGN)
    assert why(walk) is WaitReason.IDENTITY_MISMATCH
    with pytest.raises(SecondPersonNeeded):
        walk.person(BY_NAME["reader"], Action.AGREE_IDENTITY)


@pytest.mark.parametrize("outcome", [FOREIGN, UNREADABLE, None], ids=["foreign", "unreadable", "unchecked"])
def test_what_is_not_right_can_be_taken_out_and_the_report_stands_as_it_was(outcome: ProcessOutcome | None) -> None:
    walk = signed()
    add(walk)
    if outcome is not None:
        check(walk, outcome)
    walk.person(BY_NAME["staff"], Action.REMOVE_LATE_IMAGES)
    assert (walk.state.late, walk.state.version, walk.state.signed_up_to) == (None, 1, 1)
    assert walk.state.identity.standing is IdentityStanding.MATCHED
    assert next_work(walk.state) is None


def test_what_the_reader_was_shown_cannot_be_taken_out() -> None:
    walk = signed()
    add(walk)
    check(walk)
    with pytest.raises(StateConflict):
        walk.person(BY_NAME["staff"], Action.REMOVE_LATE_IMAGES)
    add(walk)
    check(walk, FOREIGN)
    walk.person(BY_NAME["staff"], Action.REMOVE_LATE_IMAGES)
    assert walk.state.late is not None
    assert walk.state.late.check is LateCheck.OFFERED, "those of before still wait for the reader"
    with pytest.raises(ImagesAdded):
        keep(walk, seen=1)
    keep(walk)


def test_the_reader_does_not_say_that_the_report_stands_over_images_they_have_not_seen() -> None:
    walk = signed()
    add(walk)
    check(walk)
    old_page = walk.state.image_set
    add(walk)
    with pytest.raises(NothingToAnswer):
        keep(walk, seen=old_page)
    check(walk)
    with pytest.raises(ImagesAdded):
        keep(walk, seen=old_page)


def test_nothing_of_a_report_in_question_happens_by_itself() -> None:
    walk = signed(DEFAULT_POLICY.model_copy(update={"hold_days": 3}))
    assert next_deadline(walk.state, walk.now).due is Due.HOLD_END  # type: ignore[union-attr]
    add(walk)
    check(walk)
    for _ in range(3):
        walk.deadline()
    assert walk.now > MONDAY + timedelta(days=3)
    assert (walk.state.state, walk.path[-1]) == (State.SIGNED, Action.ESCALATE)
    keep(walk)
    walk.deadline()
    assert walk.state.state is State.RELEASED


def test_a_link_ends_when_it_was_said_to_and_the_case_closes_only_afterwards() -> None:
    walk = signed()
    walk.person(BY_NAME["dentist"], Action.RELEASE, CommandFacts(grant_id="grt_1"))
    add(walk)
    check(walk, FOREIGN)
    while walk.now < MONDAY + timedelta(days=60):
        walk.deadline()
    assert (walk.state.state, walk.state.grants) == (State.RELEASED, ())
    assert Action.END_GRANT in walk.path


def test_a_case_whose_reader_has_left_is_given_to_another() -> None:
    walk = signed()
    with pytest.raises(StateConflict):
        walk.person(BY_NAME["scheduler"], Action.REASSIGN, CommandFacts(radiologist_id="reader2"))
    add(walk)
    check(walk)
    walk.person(BY_NAME["scheduler"], Action.REASSIGN, CommandFacts(radiologist_id="reader2"))
    keep(walk, "reader2")
    assert walk.state.author_id == "reader2"


def test_files_of_a_submitted_case_are_a_fact_of_their_own() -> None:
    """A fact of the old kind, noted long ago in an open case, starts no work that its history does not have."""
    assert {state for state in State if files_fact(state) is FactKind.LATE_FILES_SETTLED} == {
        State.UNASSIGNED,
        State.ASSIGNED,
        State.IN_REVIEW,
        State.AWAITING_APPROVAL,
        State.SIGNED,
        State.RELEASED,
        State.AMENDING,
    }
    walk = in_review()
    assert next_work(walk.state.model_copy(update={"files_arrived": True})) is None
    assert next_work(walk.state.model_copy(update={"late_files_arrived": True})) is Work.INGEST


def test_a_state_of_before_this_was_noted_shows_what_it_showed() -> None:
    for walk in (submitted(), in_review(), signed()):
        old = walk.state.model_dump(mode="json")
        for name in ("verified_set", "signed_set", "late", "late_files_arrived", "was_offered_to"):
            del old[name]
        assert sets(CaseState.model_validate(old)) == sets(walk.state)
