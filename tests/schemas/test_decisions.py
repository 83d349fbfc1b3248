"""The rules of a case, in any interleaving of people, facts and deadlines (SAFETY.md, invariants of a case)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from schemas.conditions import possible_actions
from schemas.deadlines import Due, next_deadline
from schemas.decisions import decide, decide_step, files_fact, next_work
from schemas.errors import OdontoError, StateConflict
from schemas.lifecycle import (
    PEOPLES_ACTIONS,
    SIGNATURES,
    TERMINAL,
    TRANSITIONS,
    Action,
    State,
    WaitOwner,
    WaitReason,
    allowed_actions,
)
from schemas.messages import Command, CommandFacts, FactKind, ProcessOutcome, SystemStep
from schemas.refusals import (
    ActionNotPossible,
    ApprovalNeeded,
    ApprovalNotNeeded,
    FreshSignInNeeded,
    NothingToAnswer,
    NotYours,
    OwnReport,
    SecondPersonNeeded,
)
from schemas.sla import DEFAULT_POLICY, AmendmentKind, Priority, SlaPolicy
from schemas.state import Audience, CaseState, EffectKind, IdentityStanding
from tests.schemas.walking import MONDAY, PEOPLE, READERS, Walk, command, held_by, new_case

CLEAN = ProcessOutcome(readable=1, identity=IdentityStanding.MATCHED)
FOREIGN = ProcessOutcome(readable=1, identity=IdentityStanding.MISMATCHED)
BY_NAME = {person.user_id: person for person in PEOPLE}
POLICIES = st.builds(
    lambda hold, approval: DEFAULT_POLICY.model_copy(update={"hold_days": hold, "requires_approval": approval}),
    st.sampled_from([None, 0, 3, 7]),
    st.booleans(),
)
OUTCOMES = st.builds(
    ProcessOutcome,
    readable=st.sampled_from([0, 1, 1, 1, 300]),
    identity=st.sampled_from(
        [IdentityStanding.MATCHED, IdentityStanding.MATCHED, IdentityStanding.MISMATCHED, IdentityStanding.UNCHECKED]
    ),
)
DELAYS = st.sampled_from([timedelta(), timedelta(seconds=1), timedelta(hours=3), timedelta(days=9)])


def _write(walk: Walk) -> None:
    if walk.state.policy.requires_approval:
        walk.person(BY_NAME["reader"], Action.SUBMIT_FOR_APPROVAL, CommandFacts(approver_id="reader2"))
    else:
        walk.person(BY_NAME["reader"], Action.SIGN)


def _approve(walk: Walk) -> None:
    if walk.state.state is State.AWAITING_APPROVAL:
        walk.person(BY_NAME["reader2"], Action.APPROVE)


PROLOGUE: tuple[Callable[[Walk], object], ...] = (
    lambda walk: walk.person(BY_NAME["dentist"], Action.SUBMIT),
    lambda walk: walk.work(FOREIGN, covered=True, reader_id=None),
    lambda walk: walk.person(BY_NAME["dentist"], Action.CONFIRM_IDENTITY),
    lambda walk: walk.person(BY_NAME["reader"], Action.AGREE_IDENTITY),
    lambda walk: walk.work(FOREIGN, covered=True, reader_id=None),
    lambda walk: walk.work(CLEAN, covered=True, reader_id="reader"),
    lambda walk: walk.person(BY_NAME["reader"], Action.ACCEPT),
    _write,
    _approve,
    lambda walk: walk.person(BY_NAME["dentist"], Action.RELEASE, CommandFacts(grant_id="grt_first")),
    lambda walk: walk.person(BY_NAME["staff"], Action.ADD_IMAGES, CommandFacts(new_images=True)),
    lambda walk: walk.work(FOREIGN, covered=True, reader_id=None),
    lambda walk: walk.person(BY_NAME["dentist"], Action.CONFIRM_IDENTITY),
    lambda walk: walk.person(BY_NAME["reader"], Action.AGREE_IDENTITY),
    lambda walk: walk.person(BY_NAME["reader"], Action.AMEND, CommandFacts(amendment_kind=AmendmentKind.APPENDED)),
)


def offered_steps(state: CaseState) -> list[tuple[str, Action]]:
    """Who sees which buttons."""
    return [
        (person.user_id, action)
        for person in PEOPLE
        for action in possible_actions(state, held_by(person, state), person.user_id, is_owner=True)
    ]


WAYS_ROUND_A_READER = {Action.ASSIGN, Action.CLAIM, Action.REASSIGN, Action.NAME_APPROVER, Action.AGREE_IDENTITY}
READERS_WAITS = {WaitOwner.RADIOLOGIST, WaitOwner.APPROVER, WaitOwner.SECOND_PERSON}
NO_WAY_ON = {Action.CANCEL, Action.REVOKE_RELEASE, Action.REQUEST_AMENDMENT}


def check_nobody_is_indispensable(state: CaseState) -> None:
    """Whoever of the readers has left, somebody else can go on with the case, and not only by giving it up."""
    if not state.is_open or state.state is State.PROCESSING:
        return
    for gone in {state.assignee_id, state.approver_id} - {None}:
        left = {action for name, action in offered_steps(state) if name != gone} - NO_WAY_ON
        assert left, f"{state.wait.reason} waits for {gone} for ever"
        if state.wait.owner in READERS_WAITS:
            assert left & WAYS_ROUND_A_READER, f"{state.wait.reason} cannot be given to anybody but {gone}"


def complete_facts(state: CaseState, user_id: str) -> CommandFacts:
    """A form that leaves nothing open."""
    others = [name for name in READERS if name not in {state.assignee_id, state.author_id, user_id}]
    return CommandFacts(
        radiologist_id=others[0],
        approver_id=others[0],
        amendment_kind=AmendmentKind.AMENDED,
        grant_id=state.grants[0].grant_id if state.grants else "grt_new",
        image_set=state.image_set,
    )


class CaseMachine(RuleBasedStateMachine):
    """Thousands of lives of a case; :class:`Walk` checks every step of them."""

    @initialize(priority=st.sampled_from(Priority), policy=POLICIES, data=st.data())
    def begin(self, priority: Priority, policy: SlaPolicy, data: st.DataObject) -> None:
        """A new draft, or one that has come some way, so that the late states are seen as often as the early ones."""
        self.walk = Walk(new_case(priority, policy))
        self.seen = [self.walk.state]
        prologue = PROLOGUE[: data.draw(st.integers(0, len(PROLOGUE)), "steps done")]
        for step in prologue:
            step(self.walk)
            self.seen = [*self.seen[-6:], self.walk.state]

    def try_to(self, name: str, action: Action, data: st.DataObject, *, seen: CaseState | None = None) -> None:
        state = self.walk.state
        grants = [grant.grant_id for grant in state.grants] or ["grt_gone"]
        facts = CommandFacts(
            radiologist_id=data.draw(st.sampled_from([*READERS, None]), "reader"),
            approver_id=data.draw(st.sampled_from([*READERS, None]), "approver"),
            amendment_kind=data.draw(st.sampled_from(AmendmentKind), "kind"),
            new_images=data.draw(st.booleans(), "new images"),
            image_set=(seen or state).readable_up_to if action in SIGNATURES else None,
            grant_id=f"grt_{state.seq}" if action is Action.RELEASE else data.draw(st.sampled_from(grants), "link"),
        )
        try:
            self.walk.person(BY_NAME[name], action, facts, fresh=data.draw(st.integers(0, 7), "fresh") > 0, seen=seen)
        except OdontoError as refusal:
            assert 400 <= refusal.status < 500
            assert self.walk.state is state, "a refused command changes nothing (invariant 4)"
        else:
            self.seen = [*self.seen[-6:], state]

    @precondition(lambda self: self.walk.state.is_open)
    @rule(data=st.data())
    def act_as_the_page_offers(self, data: st.DataObject) -> None:
        # A cancelled case teaches little; the next rules cancel, too.
        offered = [step for step in offered_steps(self.walk.state) if step[1] is not Action.CANCEL]
        if offered:
            self.try_to(*data.draw(st.sampled_from(offered), "step"), data)

    @precondition(lambda self: self.walk.state.is_open)
    @rule(data=st.data())
    def act_on_an_old_page(self, data: st.DataObject) -> None:
        seen = data.draw(st.sampled_from(self.seen), "page")
        steps = [step for step in offered_steps(seen) if step[1] is not Action.CANCEL]
        if steps:
            self.try_to(*data.draw(st.sampled_from(steps), "step"), data, seen=seen)

    @rule(name=st.sampled_from(sorted(BY_NAME)))
    def what_is_offered_is_what_is_taken(self, name: str) -> None:
        """No button, and no allowed action of the API, that is always refused; and none missing."""
        state, person = self.walk.state, BY_NAME[name]
        held = held_by(person, state)
        possible = possible_actions(state, held, name, is_owner=True)
        for action in allowed_actions(state.state, held, is_owner=True):
            made = command(state, person, action, "cmd_look", complete_facts(state, name), at=self.walk.now)
            try:
                decide(state, made, self.walk.now)
            except OdontoError:
                assert action not in possible, f"{action} is offered to {name} and refused"
            else:
                assert action in possible, f"{action} is not offered to {name}, who can take it"

    @invariant()
    def nobody_is_indispensable(self) -> None:
        check_nobody_is_indispensable(self.walk.state)

    @precondition(lambda self: self.walk.state.grants)
    @rule(which=st.integers(0, 9))
    def a_link_is_locked(self, which: int) -> None:
        grants = self.walk.state.grants
        self.walk.lock(grants[which % len(grants)].grant_id)

    @rule(data=st.data(), name=st.sampled_from(sorted(BY_NAME)), action=st.sampled_from(PEOPLES_ACTIONS))
    def act_at_random(self, data: st.DataObject, name: str, action: Action) -> None:
        self.try_to(name, action, data)

    @precondition(lambda self: next_work(self.walk.state) is not None)
    @rule(
        outcome=OUTCOMES, covered=st.sampled_from([True, True, True, False]), reader=st.sampled_from([*READERS, None])
    )
    def work_ends(self, outcome: ProcessOutcome, covered: bool, reader: str | None) -> None:
        self.walk.work(outcome, covered=covered, reader_id=reader)

    @precondition(lambda self: self.walk.state.is_open)
    @rule(late=DELAYS)
    def deadline_comes(self, late: timedelta) -> None:
        self.walk.deadline(late)

    @precondition(lambda self: self.walk.state.is_open)
    @rule(share=st.floats(0.01, 0.99))
    def time_passes(self, share: float) -> None:
        deadline = next_deadline(self.walk.state, self.walk.now)
        assert deadline is not None
        if deadline.at > self.walk.now:
            self.walk.pass_until(self.walk.now + (deadline.at - self.walk.now) * share)

    @precondition(lambda self: self.walk.state.is_open)
    @rule()
    def files_arrive(self) -> None:
        kind = files_fact(self.walk.state.state)
        late = kind is FactKind.LATE_FILES_SETTLED
        self.walk.state = self.walk.state.model_copy(update={"late_files_arrived" if late else "files_arrived": True})

    @precondition(lambda self: not self.walk.state.is_open)
    @rule(priority=st.sampled_from(Priority), policy=POLICIES, page=st.integers(0, 6), data=st.data())
    def nothing_happens_after_the_end_and_a_new_case_begins(
        self, priority: Priority, policy: SlaPolicy, page: int, data: st.DataObject
    ) -> None:
        state = self.walk.state
        for name, action in offered_steps(self.seen[page % len(self.seen)]):
            with pytest.raises(ActionNotPossible):
                decide(state, command(self.seen[page % len(self.seen)], BY_NAME[name], action, "late"), self.walk.now)
        for row in TRANSITIONS:
            if row.by_system:
                with pytest.raises(ActionNotPossible):
                    decide_step(state, SystemStep(action=row.action), self.walk.now)
        self.begin(priority, policy, data)


CaseMachine.TestCase.settings = settings(
    max_examples=80,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
TestAnyInterleaving = CaseMachine.TestCase


# Single rules, each with the mistake that it keeps out.


def in_review(policy: SlaPolicy = DEFAULT_POLICY, priority: Priority = Priority.ROUTINE) -> Walk:
    """A case that ``reader`` has accepted."""
    walk = Walk(new_case(priority, policy))
    walk.person(BY_NAME["dentist"], Action.SUBMIT)
    walk.work(CLEAN, covered=True, reader_id=None)
    walk.work(CLEAN, covered=True, reader_id="reader")
    walk.person(BY_NAME["reader"], Action.ACCEPT)
    return walk


def signed(policy: SlaPolicy = DEFAULT_POLICY) -> Walk:
    walk = in_review(policy)
    walk.person(BY_NAME["reader"], Action.SIGN)
    return walk


@pytest.mark.parametrize("action", [Action.SIGN, Action.REJECT, Action.REQUEST_MODIFICATION])
def test_a_reader_who_has_lost_the_case_cannot_act_on_an_old_page(action: Action) -> None:
    walk = in_review()
    old_page = walk.state
    walk.person(BY_NAME["scheduler"], Action.REASSIGN, CommandFacts(radiologist_id="reader2"))
    walk.person(BY_NAME["reader2"], Action.ACCEPT)
    with pytest.raises(NotYours):
        walk.person(BY_NAME["reader"], action, seen=old_page)


def test_an_approver_who_was_replaced_cannot_approve_on_an_old_page() -> None:
    walk = in_review(DEFAULT_POLICY.model_copy(update={"requires_approval": True}))
    with pytest.raises(ApprovalNeeded):
        walk.person(BY_NAME["reader"], Action.SIGN)
    walk.person(BY_NAME["reader"], Action.SUBMIT_FOR_APPROVAL, CommandFacts(approver_id="reader2"))
    old_page = walk.state
    with pytest.raises(OwnReport):
        walk.person(BY_NAME["scheduler"], Action.NAME_APPROVER, CommandFacts(approver_id="reader"))
    walk.person(BY_NAME["scheduler"], Action.NAME_APPROVER, CommandFacts(approver_id="reader3"))
    with pytest.raises(NotYours):
        walk.person(BY_NAME["reader2"], Action.APPROVE, seen=old_page)
    with pytest.raises(FreshSignInNeeded):
        walk.person(BY_NAME["reader3"], Action.APPROVE, fresh=False)
    walk.person(BY_NAME["reader3"], Action.APPROVE)
    assert (walk.state.state, walk.state.version, walk.state.author_id) == (State.SIGNED, 1, "reader")


def test_a_case_that_was_taken_from_the_pool_cannot_be_claimed_on_an_old_page() -> None:
    walk = Walk(new_case())
    walk.person(BY_NAME["dentist"], Action.SUBMIT)
    walk.work(CLEAN, covered=True, reader_id=None)
    old_page = walk.state
    walk.person(BY_NAME["reader"], Action.CLAIM)
    with pytest.raises(ActionNotPossible):
        walk.person(BY_NAME["reader2"], Action.CLAIM, seen=old_page)


@pytest.mark.parametrize("action", ["nonsense", "offer", "create", ""])
def test_a_name_that_is_no_step_of_a_person_is_refused_like_any_other(action: str) -> None:
    walk = in_review()
    envelope = command(walk.state, BY_NAME["dentist"], Action.CANCEL, "cmd").envelope
    named = envelope.model_copy(update={"action": action, "role": "system", "relation": "system"})
    with pytest.raises(ActionNotPossible):
        decide(walk.state, Command(envelope=named), walk.now)


def test_a_standing_that_does_not_exist_is_refused_like_any_other() -> None:
    walk = in_review()
    envelope = command(walk.state, BY_NAME["stranger"], Action.CANCEL, "cmd").envelope
    assert envelope.role == "none"
    with pytest.raises(NotYours):
        decide(walk.state, Command(envelope=envelope), walk.now)


def test_a_foreign_image_needs_two_people_and_the_override_ends_with_its_images() -> None:
    walk = Walk(new_case())
    walk.person(BY_NAME["dentist"], Action.SUBMIT)
    walk.work(FOREIGN, covered=True, reader_id=None)
    assert walk.path[-1] is Action.HOLD_FOR_ATTENTION
    with pytest.raises(NotYours):
        walk.person(BY_NAME["reader"], Action.AGREE_IDENTITY)
    walk.person(BY_NAME["staff"], Action.CONFIRM_IDENTITY)
    assert walk.state.wait.owner is WaitOwner.SECOND_PERSON
    with pytest.raises(NotYours):
        walk.person(BY_NAME["dentist"], Action.AGREE_IDENTITY)
    walk.person(BY_NAME["reader"], Action.AGREE_IDENTITY)
    walk.work(FOREIGN, covered=True, reader_id=None)
    walk.person(BY_NAME["reader"], Action.CLAIM)
    walk.person(BY_NAME["reader"], Action.REQUEST_MODIFICATION)
    walk.person(BY_NAME["dentist"], Action.ANSWER_MODIFICATION, CommandFacts(new_images=True))
    walk.work(FOREIGN, covered=True, reader_id=None)
    assert walk.state.state is State.ATTENTION, "new foreign images need a new override"


def test_an_override_for_images_that_could_not_be_read_is_not_carried_to_the_next() -> None:
    walk = Walk(new_case())
    for step in PROLOGUE[:4]:
        step(walk)
    walk.work(ProcessOutcome(readable=0, identity=IdentityStanding.MISMATCHED), covered=True, reader_id=None)
    assert walk.path[-1] is Action.HOLD_FOR_ATTENTION
    walk.person(BY_NAME["dentist"], Action.RESUBMIT)
    walk.work(FOREIGN, covered=True, reader_id=None)
    assert walk.path[-1] is Action.HOLD_FOR_ATTENTION


def test_the_same_person_in_two_roles_is_not_two_people() -> None:
    walk = Walk(new_case())
    walk.person(BY_NAME["dentist"], Action.SUBMIT)
    walk.work(FOREIGN, covered=True, reader_id=None)
    walk.person(BY_NAME["dentist"], Action.CONFIRM_IDENTITY)
    envelope = command(walk.state, BY_NAME["reader"], Action.AGREE_IDENTITY, "cmd").envelope
    twice = envelope.model_copy(update={"user_id": "dentist"})
    with pytest.raises(SecondPersonNeeded):
        decide(walk.state, Command(envelope=twice), walk.now)


def test_a_machine_cannot_say_that_an_identity_was_overridden() -> None:
    walk = Walk(new_case())
    walk.person(BY_NAME["dentist"], Action.SUBMIT)
    with pytest.raises(ValueError, match="two people"):
        walk.work(ProcessOutcome(readable=1, identity=IdentityStanding.OVERRIDDEN), covered=True, reader_id=None)


def told(walk: Walk) -> set[Audience | None]:
    return {effect.audience for effect in walk.state.effects if effect.seq == walk.state.seq}


def test_thresholds_tell_the_awaited_and_the_schedulers_each_once() -> None:
    walk = in_review(priority=Priority.STAT)
    heard = []
    for _ in range(3):
        deadline = next_deadline(walk.state, walk.now)
        assert deadline is not None
        assert deadline.due is Due.SLA
        walk.deadline()
        heard.append((walk.path[-1], told(walk)))
    both = {Audience.ASSIGNEE, Audience.SCHEDULERS}
    assert heard == [(Action.REMIND, both), (Action.REMIND, both), (Action.ESCALATE, both)]
    assert walk.now == MONDAY + timedelta(minutes=60)


def test_the_first_two_reminders_go_to_whoever_is_awaited_and_the_third_to_the_schedulers_too() -> None:
    walk = signed()
    heard = []
    for _ in range(3):
        walk.deadline()
        heard.append((walk.path[-1], told(walk), walk.now - MONDAY))
    assert heard == [
        (Action.REMIND, {Audience.PRACTICE}, timedelta(days=1)),
        (Action.REMIND, {Audience.PRACTICE}, timedelta(days=3)),
        (Action.ESCALATE, {Audience.PRACTICE, Audience.SCHEDULERS}, timedelta(days=7)),
    ]


@pytest.mark.parametrize("days", [0, 3, 7])
def test_a_hold_reminds_nobody_and_ends_in_release_with_one_link(days: int) -> None:
    walk = signed(DEFAULT_POLICY.model_copy(update={"hold_days": days}))
    walk.deadline()
    assert walk.path[-1] is Action.RELEASE_AFTER_HOLD
    assert walk.now == MONDAY + timedelta(days=days)
    (grant,) = walk.state.grants
    links = [effect for effect in walk.state.effects if effect.kind is EffectKind.MAIL_LINK]
    assert [link.grant_id for link in links] == [grant.grant_id]


def test_an_amendment_that_is_asked_for_stops_the_hold_until_it_is_declined() -> None:
    walk = signed(DEFAULT_POLICY.model_copy(update={"hold_days": 3}))
    walk.person(BY_NAME["dentist"], Action.REQUEST_AMENDMENT)
    for reminder in (Action.REMIND, Action.REMIND, Action.ESCALATE):
        walk.deadline()
        assert walk.path[-1] is reminder
    assert walk.now > MONDAY + timedelta(days=3)
    walk.person(BY_NAME["reader"], Action.DECLINE_AMENDMENT)
    walk.deadline()
    assert walk.path[-1] is Action.RELEASE_AFTER_HOLD


@pytest.mark.parametrize("released", [False, True])
def test_an_amendment_returns_to_where_it_came_from_with_the_next_version(released: bool) -> None:
    walk = signed()
    if released:
        walk.person(BY_NAME["dentist"], Action.RELEASE, CommandFacts(grant_id="grt_1"))
    before = walk.state.state
    walk.person(BY_NAME["reader"], Action.AMEND, CommandFacts(amendment_kind=AmendmentKind.CORRECTED))
    assert walk.state.wait.until == MONDAY + timedelta(days=1), "the amendment is due, whatever the link does"
    walk.person(BY_NAME["reader"], Action.SIGN)
    assert (walk.state.state, walk.state.version) == (before, 2)


@pytest.mark.parametrize("released", [False, True])
def test_an_amendment_asked_of_a_reader_who_has_left_goes_to_another(released: bool) -> None:
    walk = signed()
    if released:
        walk.person(BY_NAME["dentist"], Action.RELEASE, CommandFacts(grant_id="grt_1"))
    before = walk.state.state
    with pytest.raises(StateConflict, match="asked for"):
        walk.person(BY_NAME["scheduler"], Action.REASSIGN, CommandFacts(radiologist_id="reader2"))
    walk.person(BY_NAME["staff"], Action.REQUEST_AMENDMENT)
    old_page = walk.state
    walk.person(BY_NAME["scheduler"], Action.REASSIGN, CommandFacts(radiologist_id="reader2"))
    assert (walk.state.state, walk.state.assignee_id, walk.state.offer_ends_at) == (before, "reader2", None)
    assert told(walk) == {Audience.ASSIGNEE}
    with pytest.raises(NotYours):
        walk.person(BY_NAME["reader"], Action.DECLINE_AMENDMENT, seen=old_page)
    walk.person(BY_NAME["reader2"], Action.AMEND, CommandFacts(amendment_kind=AmendmentKind.APPENDED))
    walk.person(BY_NAME["reader2"], Action.SIGN)
    assert (walk.state.state, walk.state.version, walk.state.author_id) == (before, 2, "reader2")


def test_a_request_that_is_taken_back_lets_the_hold_end() -> None:
    walk = signed(DEFAULT_POLICY.model_copy(update={"hold_days": 3}))
    with pytest.raises(NothingToAnswer):
        walk.person(BY_NAME["staff"], Action.WITHDRAW_AMENDMENT_REQUEST)
    walk.person(BY_NAME["staff"], Action.REQUEST_AMENDMENT)
    walk.pass_until(MONDAY + timedelta(days=4))
    walk.person(BY_NAME["dentist"], Action.WITHDRAW_AMENDMENT_REQUEST)
    assert told(walk) == {Audience.ASSIGNEE}
    walk.deadline()
    assert walk.path[-1] is Action.RELEASE_AFTER_HOLD


def test_foreign_images_of_an_answer_can_be_judged_by_another_reader_when_the_first_has_left() -> None:
    walk = in_review()
    walk.person(BY_NAME["reader"], Action.REQUEST_MODIFICATION)
    walk.person(BY_NAME["dentist"], Action.ANSWER_MODIFICATION, CommandFacts(new_images=True))
    walk.work(FOREIGN, covered=True, reader_id=None)
    walk.person(BY_NAME["dentist"], Action.CONFIRM_IDENTITY)
    walk.person(BY_NAME["scheduler"], Action.REASSIGN, CommandFacts(radiologist_id="reader2"))
    walk.person(BY_NAME["reader2"], Action.AGREE_IDENTITY)
    walk.work(FOREIGN, covered=True, reader_id=None)
    assert (walk.state.state, walk.state.assignee_id) == (State.IN_REVIEW, "reader2")


def reason(walk: Walk) -> WaitReason:
    return walk.state.wait.reason


def test_a_locked_link_waits_for_the_practice_until_it_releases_again() -> None:
    walk = signed()
    walk.person(BY_NAME["dentist"], Action.RELEASE, CommandFacts(grant_id="grt_1"))
    walk.lock("grt_1")
    assert (walk.state.wait.owner, walk.state.wait.reason) == (WaitOwner.PRACTICE, WaitReason.LINK_LOCKED)
    walk.deadline()
    assert (walk.path[-1], told(walk)) == (Action.REMIND, {Audience.PRACTICE})
    walk.person(BY_NAME["dentist"], Action.RELEASE, CommandFacts(grant_id="grt_2"))
    assert (walk.state.wait.reason, walk.state.link_locked) == (WaitReason.WITH_PATIENT, False)
    walk.person(BY_NAME["dentist"], Action.RELEASE, CommandFacts(grant_id="grt_3"))
    walk.lock("grt_2")
    assert reason(walk) is WaitReason.WITH_PATIENT, "the other link still opens"
    walk.person(BY_NAME["dentist"], Action.REVOKE_RELEASE, CommandFacts(grant_id="grt_3"))
    assert reason(walk) is WaitReason.LINK_LOCKED


def test_a_second_signature_is_asked_for_where_the_contract_wants_it_and_nowhere_else() -> None:
    with pytest.raises(ApprovalNotNeeded):
        in_review().person(BY_NAME["reader"], Action.SUBMIT_FOR_APPROVAL, CommandFacts(approver_id="reader2"))


def test_every_way_to_an_end_is_closed_to_signed_or_unsigned_reports() -> None:
    ends = {state: {row.action for row in TRANSITIONS if state in row.targets} for state in TERMINAL}
    assert ends == {
        State.REJECTED: {Action.REJECT},
        State.CANCELLED: {Action.CANCEL, Action.LAPSE_INTAKE},
        State.ENTERED_IN_ERROR: {Action.ENTER_IN_ERROR},
        State.CLOSED: {Action.CLOSE},
    }
