"""The table itself: complete, connected, and true to the rules of the field (DOMAIN rules, case lifecycle)."""

import pytest

from schemas.access import CaseStanding, Member, OrganizationKind, Person, takers
from schemas.deadlines import FIRST_NUDGE
from schemas.forms import ACTION_FORMS
from schemas.lifecycle import (
    PEOPLES_ACTIONS,
    SIGNATURES,
    SIGNED_STATES,
    STATE_WORDS,
    STATES,
    TERMINAL,
    TRANSITIONS,
    UNSIGNED,
    WAIT_SENTENCES,
    Action,
    ClockRule,
    Relation,
    Role,
    State,
    Taker,
    Transition,
    WaitOwner,
    WaitReason,
    allowed_actions,
    takers_of,
    transition,
)
from schemas.messages import CommandFacts
from schemas.notices import NOTICES, SUBJECTS
from schemas.sla import Cause
from schemas.state import THEN_SENTENCES, Then

# https://hl7.org/fhir/R4/valueset-diagnostic-report-status.html
FHIR_STATUSES = {
    "registered",
    "partial",
    "preliminary",
    "final",
    "amended",
    "corrected",
    "appended",
    "cancelled",
    "entered-in-error",
    "unknown",
}
OPEN = [state for state in State if state not in TERMINAL]


def reachable(start: State) -> set[State]:
    found, edge = {start}, [start]
    while edge:
        state = edge.pop()
        for row in TRANSITIONS:
            if state in row.sources:
                edge += [target for target in row.targets if target not in found]
                found.update(row.targets)
    return found


def test_every_state_is_reached_from_a_draft() -> None:
    assert reachable(State.DRAFT) == set(State)


@pytest.mark.parametrize("state", OPEN)
def test_every_open_state_leads_to_an_end_and_on_by_a_person_and_by_the_system(state: State) -> None:
    assert reachable(state) & TERMINAL
    rows = [row for row in TRANSITIONS if state in row.sources]
    assert any(not row.by_system and set(row.targets) - {state} for row in rows), "no person can move it on"
    assert any(row.by_system for row in rows), "no timer speaks of it"


@pytest.mark.parametrize("state", sorted(TERMINAL - {State.CLOSED}))
def test_nothing_leads_out_of_an_end(state: State) -> None:
    assert reachable(state) == {state}
    assert not any(state in row.sources for row in TRANSITIONS)
    assert allowed_actions(state, frozenset(taker for row in TRANSITIONS for taker in row.takers), is_owner=True) == ()


def test_a_closed_case_is_left_only_by_somebody_who_reopens_it() -> None:
    out = [row for row in TRANSITIONS if State.CLOSED in row.sources]
    assert [row.action for row in out] == [Action.REOPEN]
    assert not out[0].by_system


def test_no_report_is_signed_before_its_images_were_checked() -> None:
    """Without ``processing`` in the way, nothing that is signed can be reached (invariant 12)."""
    found, edge = {State.DRAFT}, [State.DRAFT]
    while edge:
        state = edge.pop()
        targets = {t for row in TRANSITIONS if state in row.sources for t in row.targets} - found - {State.PROCESSING}
        found |= targets
        edge += targets
    assert found == {State.DRAFT, State.CANCELLED}


def test_a_case_is_cancelled_or_rejected_only_before_and_in_error_only_after_its_signature() -> None:
    for row in TRANSITIONS:
        if set(row.targets) & {State.CANCELLED, State.REJECTED}:
            assert set(row.sources) <= set(UNSIGNED)
        if set(row.targets) & {State.ENTERED_IN_ERROR, State.RELEASED, State.CLOSED, State.AMENDING}:
            assert set(row.sources) <= {*SIGNED_STATES, State.AMENDING, State.CLOSED}
        if set(row.targets) & set(UNSIGNED):
            assert set(row.sources) <= set(UNSIGNED), "a signature is never undone (invariant 8)"


def test_a_state_and_an_action_name_one_row() -> None:
    pairs = [(row.action, source) for row in TRANSITIONS for source in row.sources]
    assert len(set(pairs)) == len(pairs)
    for row in TRANSITIONS:
        for source in row.sources:
            assert transition(row.action, source) is row


def test_an_action_is_either_a_persons_or_the_systems() -> None:
    for row in TRANSITIONS:
        assert row.by_system == (row.action not in PEOPLES_ACTIONS)
        assert row.by_system == any(taker.role is Role.SYSTEM for taker in row.takers)
    assert set(Action) - {Action.CREATE} == {row.action for row in TRANSITIONS}


def test_signatures_ask_for_a_fresh_sign_in() -> None:
    fresh = {row.action for row in TRANSITIONS if row.fresh}
    assert fresh == {*SIGNATURES, Action.SUBMIT_FOR_APPROVAL, Action.ENTER_IN_ERROR}
    for action in PEOPLES_ACTIONS:
        assert ("password" in ACTION_FORMS[action].model_fields) == (action in fresh)


def test_an_administrator_never_touches_clinical_work() -> None:
    """SAFETY.md: sign, amend: never. What is left is logistics and the end of a link."""
    admin = Taker(Role.ADMIN, Relation.PLATFORM)
    assert {row.action for row in TRANSITIONS if admin in row.takers} == {
        Action.ASSIGN,
        Action.REASSIGN,
        Action.NAME_APPROVER,
        Action.REVOKE_RELEASE,
    }
    assert not any(taker.role is Role.PATIENT for row in TRANSITIONS for taker in row.takers)


def test_staff_act_as_the_dentist_does_except_for_release_and_billing() -> None:
    dentist, staff = (Taker(role, Relation.OWN) for role in (Role.DENTIST, Role.STAFF))
    only_dentist = {row.action for row in TRANSITIONS if dentist in row.takers and staff not in row.takers}
    assert only_dentist == {Action.RELEASE, Action.REVOKE_RELEASE, Action.RETRY_BILLING}
    assert not [row.action for row in TRANSITIONS if staff in row.takers and dentist not in row.takers]


def test_every_action_of_a_person_has_a_form_that_gives_what_its_rule_needs() -> None:
    assert set(ACTION_FORMS) == set(PEOPLES_ACTIONS)
    for action, form in ACTION_FORMS.items():
        stored = set(form.model_fields) - set(form.never_stored)
        assert "password" not in stored, action
        assert form.model_config["extra"] == "forbid"
    needs = {
        Action.ASSIGN: "radiologist_id",
        Action.REASSIGN: "radiologist_id",
        Action.SUBMIT_FOR_APPROVAL: "approver_id",
        Action.NAME_APPROVER: "approver_id",
        Action.REVOKE_RELEASE: "grant_id",
        Action.KEEP_REPORT: "image_set",
    }
    for action, fact in needs.items():
        assert ACTION_FORMS[action].model_fields[fact].is_required()
        assert fact in CommandFacts.model_fields


def _person(taker: Taker) -> Person:
    """Somebody who can stand so to a case."""
    kinds = {Relation.OWN: OrganizationKind.PRACTICE, Relation.PLATFORM: OrganizationKind.PLATFORM}
    kind = kinds.get(taker.relation, OrganizationKind.READING_GROUP)
    organization = "org_practice" if kind is OrganizationKind.PRACTICE else "org_other"
    return Person("usr", "ses", (Member(organization, kind, taker.role, is_approver=True),))


@pytest.mark.parametrize("row", [row for row in TRANSITIONS if not row.by_system], ids=lambda row: str(row.action))
def test_every_taker_of_the_table_is_somebody_who_can_exist_in_that_state(row: Transition) -> None:
    for taker in row.takers:
        for state in row.sources:
            case = CaseStanding(
                case_id="case",
                practice_id="org_practice",
                state=state,
                groups=frozenset({"org_other"}),
                assignee_id={Relation.ASSIGNED: "usr", Relation.SECOND: "usr_author"}.get(taker.relation),
                approver_id="usr" if taker.relation is Relation.SECOND else None,
                wants_second_person=taker.relation is Relation.POOL and state is State.ATTENTION,
            )
            assert taker in takers(_person(taker), case), f"{taker} cannot stand so to a case in {state}"
            assert row.action in allowed_actions(state, frozenset({taker}), is_owner=True)
            assert taker in takers_of(row.action)


@pytest.mark.parametrize("state", State)
def test_a_state_says_its_fhir_status_its_owner_and_what_its_clock_does(state: State) -> None:
    rule = STATES[state]
    assert rule.fhir in FHIR_STATUSES
    assert (rule.owner is WaitOwner.NOBODY) == (state in TERMINAL)
    assert (rule.reason is WaitReason.OVER) == (state in TERMINAL)
    assert (rule.cause is not None) == (rule.clock in {ClockRule.RUNS, ClockRule.PAUSED}), "a minute is somebody's"
    if rule.clock is ClockRule.PAUSED:
        assert rule.cause is Cause.PRACTICE
    if state in UNSIGNED and state is not State.DRAFT:
        assert rule.clock in {ClockRule.RUNS, ClockRule.PAUSED}
    else:
        assert rule.clock is (ClockRule.NOT_STARTED if state is State.DRAFT else ClockRule.STOPPED)
    owners = {
        WaitOwner.PRACTICE: {Cause.PRACTICE},
        WaitOwner.BILLING_OWNER: {Cause.PRACTICE},
        WaitOwner.RADIOLOGIST: {Cause.RADIOLOGIST},
        WaitOwner.APPROVER: {Cause.RADIOLOGIST},
        WaitOwner.SYSTEM: {Cause.SYSTEM},
        WaitOwner.SCHEDULER: {Cause.SYSTEM},
    }
    assert rule.cause is None or rule.cause in owners[rule.owner]


def test_fhir_statuses_follow_the_signature() -> None:
    for state in UNSIGNED:
        assert STATES[state].fhir in {"registered", "partial", "preliminary"}
    for state in (*SIGNED_STATES, State.AMENDING, State.CLOSED):
        assert STATES[state].fhir == "final"


def test_everything_that_a_person_reads_has_its_words() -> None:
    assert set(STATE_WORDS) == set(State)
    assert set(WAIT_SENTENCES) == set(WaitReason)
    assert set(THEN_SENTENCES) == set(Then)
    assert all(WAIT_SENTENCES.values())
    assert all(sentence for then, sentence in THEN_SENTENCES.items() if then is not Then.NOTHING)
    assert {rule.reason for rule in STATES.values()} <= set(WAIT_SENTENCES)
    assert set(FIRST_NUDGE) == set(OPEN) - {State.DRAFT}


def test_every_notice_has_a_subject() -> None:
    assert set(NOTICES) | {Action.REMIND} == set(SUBJECTS)
    assert all(SUBJECTS.values())
