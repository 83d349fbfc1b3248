"""The authorization matrix of SAFETY.md, written out a second time from the other side: who may, and everybody else not."""

from dataclasses import replace
from itertools import product

import pytest

from schemas.access import (
    MATRIX,
    CaseStanding,
    Member,
    OrganizationKind,
    Person,
    PracticeRight,
    Right,
    Verdict,
    acting_as,
    is_admin,
    may,
    may_in_practice,
    owns_practice,
    takers,
    verdict,
)
from schemas.lifecycle import PEOPLES_ACTIONS, TRANSITIONS, Action, Relation, Role, State, Taker, allowed_actions

ALL = frozenset(State)
DRAFT = frozenset({State.DRAFT})
INTAKE = frozenset({State.DRAFT, State.ATTENTION, State.MODIFICATION_REQUESTED})
TAKES_FILES = INTAKE | {
    State.UNASSIGNED,
    State.ASSIGNED,
    State.IN_REVIEW,
    State.AWAITING_APPROVAL,
    State.SIGNED,
    State.RELEASED,
    State.AMENDING,
}
READING = frozenset({State.IN_REVIEW, State.AMENDING})
SIGNED = frozenset({State.SIGNED, State.RELEASED, State.AMENDING, State.ENTERED_IN_ERROR, State.CLOSED})
FROM_REVIEW = frozenset(
    {
        State.IN_REVIEW,
        State.MODIFICATION_REQUESTED,
        State.AWAITING_APPROVAL,
        State.SIGNED,
        State.RELEASED,
        State.AMENDING,
    }
)
WITH_PATIENT = frozenset({State.RELEASED, State.AMENDING})
NONE: frozenset[State] = frozenset()

DENTIST, STAFF = Taker(Role.DENTIST, Relation.OWN), Taker(Role.STAFF, Relation.OWN)
OWN_SCHEDULER, GROUP_SCHEDULER = Taker(Role.SCHEDULER, Relation.OWN), Taker(Role.SCHEDULER, Relation.GROUP)
READER, SECOND = Taker(Role.RADIOLOGIST, Relation.ASSIGNED), Taker(Role.RADIOLOGIST, Relation.SECOND)
POOL, SIGNER = Taker(Role.RADIOLOGIST, Relation.POOL), Taker(Role.RADIOLOGIST, Relation.SIGNER)
PRIOR = Taker(Role.RADIOLOGIST, Relation.PRIOR)
ADMIN, PATIENT = Taker(Role.ADMIN, Relation.PLATFORM), Taker(Role.PATIENT, Relation.RELEASED)
EVERYBODY = [Taker(role, relation) for role, relation in product(Role, Relation)]

# The cells that matter most. Whoever is not named has the right in no state.
EXPECTED: dict[Right, dict[Taker, frozenset[State]]] = {
    Right.SEE_CASE: {
        DENTIST: ALL,
        STAFF: ALL,
        OWN_SCHEDULER: ALL,
        GROUP_SCHEDULER: ALL - DRAFT,
        READER: ALL,
        SECOND: ALL,
    },
    Right.SEE_REPORT: {
        DENTIST: SIGNED,
        STAFF: SIGNED,
        READER: SIGNED,
        SECOND: SIGNED,
        SIGNER: SIGNED,
        PRIOR: SIGNED,
        PATIENT: WITH_PATIENT,
    },
    Right.SEE_DRAFT: {READER: FROM_REVIEW, SECOND: FROM_REVIEW},
    Right.EDIT_DRAFT: {READER: READING},
    Right.ANNOTATE: {READER: READING},
    Right.SEE_IMAGES: {
        DENTIST: ALL,
        STAFF: ALL,
        READER: FROM_REVIEW,
        SECOND: FROM_REVIEW,
        PRIOR: ALL - DRAFT,
        PATIENT: WITH_PATIENT,
    },
    Right.UPLOAD: {DENTIST: TAKES_FILES, STAFF: TAKES_FILES, OWN_SCHEDULER: DRAFT},
    Right.DELETE_FILES: {DENTIST: TAKES_FILES, STAFF: TAKES_FILES, OWN_SCHEDULER: DRAFT},
    Right.CHAT: {DENTIST: ALL, STAFF: ALL, READER: ALL, SECOND: ALL},
    Right.SEE_TRACE: {ADMIN: ALL},
}


@pytest.mark.parametrize("right", EXPECTED)
def test_a_right_belongs_to_exactly_these_in_exactly_these_states(right: Right) -> None:
    for taker, state in product(EVERYBODY, State):
        expected = state in EXPECTED[right].get(taker, NONE)
        assert may(right, frozenset({taker}), state) == expected, f"{taker} {state}"


def test_nobody_without_standing_may_anything() -> None:
    assert not [right for right, state in product(Right, State) if may(right, frozenset(), state)]
    assert set(Right) == {rule.right for rule in MATRIX}, "a right that nobody has is a route that nobody can use"


def test_those_who_may_not_know_the_patient_see_rows_and_codes_only() -> None:
    blind = {Right.SEE_ROW, Right.SEE_TIMELINE, Right.SEE_TRACE, Right.SEE_AUDIT}
    for taker in (POOL, ADMIN):
        rights = {right for right, state in product(Right, State) if may(right, frozenset({taker}), state)}
        allowed = blind | ({Right.SEE_IDENTITY_CHECK} if taker == POOL else set())
        assert rights <= allowed, taker
    assert may(Right.SEE_IDENTITY_CHECK, frozenset({POOL}), State.ATTENTION)
    assert not may(Right.SEE_IDENTITY_CHECK, frozenset({POOL}), State.UNASSIGNED)


def test_a_scheduler_never_sees_a_report_or_an_image() -> None:
    clinical = {Right.SEE_REPORT, Right.SEE_DRAFT, Right.SEE_IMAGES, Right.EDIT_DRAFT, Right.ANNOTATE, Right.CHAT}
    both = frozenset({OWN_SCHEDULER, GROUP_SCHEDULER})
    assert not [right for right, state in product(clinical, State) if may(right, both, state)]


def member(kind: OrganizationKind, role: Role, organization: str, **flags: bool) -> Person:
    return Person("usr", "ses", (Member(organization, kind, role, **flags),))


def case(
    state: State = State.IN_REVIEW,
    *,
    assignee_id: str | None = None,
    approver_id: str | None = None,
    signers: frozenset[str] = frozenset(),
) -> CaseStanding:
    return CaseStanding("case", "org_practice", state, frozenset({"org_group"}), assignee_id, approver_id, signers)


PRACTICE, READING_GROUP = OrganizationKind.PRACTICE, OrganizationKind.READING_GROUP


@pytest.mark.parametrize("state", State)
def test_another_practice_and_another_group_do_not_know_the_case(state: State) -> None:
    involved = case(state, assignee_id="usr", approver_id="usr", signers=frozenset({"usr"}))
    for role in (Role.DENTIST, Role.STAFF, Role.SCHEDULER):
        assert takers(member(PRACTICE, role, "org_elsewhere", is_owner=True), involved) == frozenset()
    for role in (Role.RADIOLOGIST, Role.SCHEDULER):
        # Even the reader of the case: whose group has no contract any more, has no case any more.
        assert takers(member(READING_GROUP, role, "org_elsewhere", is_approver=True), involved) == frozenset()


def test_a_person_without_a_membership_has_no_standing() -> None:
    assert takers(Person("usr", "ses", ()), case(assignee_id="usr")) == frozenset()


def test_the_pool_is_open_while_nobody_is_assigned_and_for_a_second_person() -> None:
    reader = member(READING_GROUP, Role.RADIOLOGIST, "org_group")
    pool = {state for state in State if POOL in takers(reader, case(state))}
    assert pool == {State.UNASSIGNED}
    assert POOL in takers(reader, replace(case(State.ATTENTION), wants_second_person=True))
    assert not {state for state in State if POOL in takers(reader, case(state, assignee_id="usr_other"))}
    assert takers(reader, case(State.ASSIGNED, assignee_id="usr_other")) == frozenset(), "not theirs, not seen"


def test_a_second_reader_is_named_on_the_case_and_is_an_approver() -> None:
    named = case(assignee_id="usr_author", approver_id="usr")
    assert takers(member(READING_GROUP, Role.RADIOLOGIST, "org_group"), named) == frozenset()
    approver = member(READING_GROUP, Role.RADIOLOGIST, "org_group", is_approver=True)
    assert takers(approver, named) == {SECOND}


def test_a_groups_scheduler_does_not_know_a_draft() -> None:
    scheduler = member(READING_GROUP, Role.SCHEDULER, "org_group")
    assert {state for state in State if not takers(scheduler, case(state))} == {State.DRAFT}


@pytest.mark.parametrize("taker", [DENTIST, STAFF, OWN_SCHEDULER, GROUP_SCHEDULER, READER, SECOND, POOL, ADMIN])
def test_a_verdict_says_never_not_now_or_yes_and_agrees_with_the_buttons(taker: Taker) -> None:
    held = frozenset({taker})
    for action, state, is_owner in product(PEOPLES_ACTIONS, State, (False, True)):
        answer = verdict(action, held, state, is_owner=is_owner)
        offered = action in allowed_actions(state, held, is_owner=is_owner)
        assert (answer is Verdict.ALLOWED) == offered
        rows = [row for row in TRANSITIONS if row.action is action and taker in row.takers]
        if not rows:
            assert answer is Verdict.FORBIDDEN, "what one may in no state is forbidden, not early"
        elif not any(state in row.sources for row in TRANSITIONS if row.action is action):
            assert answer is Verdict.NOT_NOW
        if offered:
            assert acting_as(action, held, state) == taker


def test_only_the_owner_pays() -> None:
    held = frozenset({DENTIST})
    assert verdict(Action.RETRY_BILLING, held, State.BILLING_HOLD) is Verdict.FORBIDDEN
    assert verdict(Action.RETRY_BILLING, held, State.BILLING_HOLD, is_owner=True) is Verdict.ALLOWED


def test_the_systems_steps_are_nobodys() -> None:
    everything = frozenset(EVERYBODY) - {Taker(Role.SYSTEM, Relation.SYSTEM)}
    for row in TRANSITIONS:
        if row.by_system:
            assert verdict(row.action, everything, row.sources[0], is_owner=True) is Verdict.FORBIDDEN


def test_a_practices_things_are_its_members_and_money_and_users_its_owners() -> None:
    owner = member(PRACTICE, Role.DENTIST, "org_practice", is_owner=True)
    dentist = member(PRACTICE, Role.DENTIST, "org_practice")
    reader = member(READING_GROUP, Role.RADIOLOGIST, "org_group", is_owner=True)
    for right in PracticeRight:
        owners_only = right in {PracticeRight.BILLING, PracticeRight.MANAGE_USERS}
        assert may_in_practice(right, owner, "org_practice")
        assert may_in_practice(right, dentist, "org_practice") != owners_only
        assert not may_in_practice(right, owner, "org_elsewhere")
        assert not may_in_practice(right, reader, "org_practice")
        assert not may_in_practice(right, reader, "org_group"), "a reading group is no practice"
    assert owns_practice(owner, "org_practice")
    assert not owns_practice(dentist, "org_practice")


def test_an_administrator_is_one_of_the_platform() -> None:
    assert is_admin(member(OrganizationKind.PLATFORM, Role.ADMIN, "org_platform"))
    assert not is_admin(member(PRACTICE, Role.ADMIN, "org_practice", is_owner=True))
    assert not is_admin(member(OrganizationKind.PLATFORM, Role.STAFF, "org_platform"))
