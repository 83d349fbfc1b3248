"""Walks a case through its pure rules: people who act as the API would let them, facts, work and deadlines.

What is checked here is written from the requirements, not from ``schemas.decisions``: :func:`check_state` holds for every
state that is ever reached, :func:`check_step` between two of them, and :class:`Ledger` keeps its own books of the minutes,
links, identities and thresholds.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from pytest import approx

from schemas.access import CaseStanding, Member, OrganizationKind, Person, acting_as, takers
from schemas.actors import ActorEnvelope
from schemas.deadlines import Deadline, Due, next_deadline
from schemas.decisions import (
    Decision,
    Work,
    after_processing,
    after_verification,
    decide,
    decide_step,
    next_work,
    on_deadline,
)
from schemas.lifecycle import (
    SIGNATURES,
    SIGNED_STATES,
    STATES,
    TERMINAL,
    UNSIGNED,
    WAIT_SENTENCES,
    Action,
    ClockRule,
    Role,
    State,
    Taker,
    WaitOwner,
    WaitReason,
    transition,
)
from schemas.messages import Command, CommandFacts, ProcessOutcome, SystemStep
from schemas.sla import DEFAULT_POLICY, Cause, Priority, SlaPolicy, Threshold
from schemas.state import CaseState, IdentityStanding, LateCheck, opened

MONDAY: Final = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
PRACTICE, GROUP = "org_practice", "org_group"
NO_FACTS: Final = CommandFacts()


def _person(user_id: str, organization: str, kind: OrganizationKind, role: Role, *, approver: bool = False) -> Person:
    return Person(user_id, f"ses_{user_id}", (Member(organization, kind, role, is_approver=approver),))


PEOPLE: Final[tuple[Person, ...]] = (
    _person("dentist", PRACTICE, OrganizationKind.PRACTICE, Role.DENTIST),
    _person("staff", PRACTICE, OrganizationKind.PRACTICE, Role.STAFF),
    _person("practice_scheduler", PRACTICE, OrganizationKind.PRACTICE, Role.SCHEDULER),
    _person("reader", GROUP, OrganizationKind.READING_GROUP, Role.RADIOLOGIST),
    _person("reader2", GROUP, OrganizationKind.READING_GROUP, Role.RADIOLOGIST, approver=True),
    _person("reader3", GROUP, OrganizationKind.READING_GROUP, Role.RADIOLOGIST, approver=True),
    _person("scheduler", GROUP, OrganizationKind.READING_GROUP, Role.SCHEDULER),
    _person("admin", "org_platform", OrganizationKind.PLATFORM, Role.ADMIN),
    _person("stranger", "org_elsewhere", OrganizationKind.PRACTICE, Role.DENTIST),
)
READERS: Final = ("reader", "reader2", "reader3")


def standing(state: CaseState) -> CaseStanding:
    return CaseStanding(
        case_id=state.case_id,
        practice_id=state.practice_id,
        state=state.state,
        groups=frozenset({GROUP}),
        assignee_id=state.assignee_id,
        approver_id=state.approver_id,
        signers=frozenset({state.author_id} if state.version and state.author_id else ()),
        wants_second_person=state.wait.reason is WaitReason.IDENTITY_SECOND_PERSON,
    )


def held_by(person: Person, state: CaseState) -> frozenset[Taker]:
    return takers(person, standing(state))


def command(
    seen: CaseState,
    person: Person,
    action: Action,
    command_id: str,
    facts: CommandFacts = NO_FACTS,
    *,
    fresh: bool = True,
    at: datetime = MONDAY,
) -> Command:
    """What the API sends when it sees the case as ``seen``: an older state is a person who acts on an old page."""
    taker = acting_as(action, held_by(person, seen), seen.state)
    envelope = ActorEnvelope(
        user_id=person.user_id,
        role=taker.role if taker else "none",
        relation=taker.relation if taker else "none",
        session_id=person.session_id,
        case_id=seen.case_id,
        command_id=command_id,
        action=action,
        issued_at=at,
        expires_at=at + timedelta(minutes=2),
        fresh_auth=fresh,
        key_id="key",
        mac="0" * 64,
    )
    return Command(facts=facts, envelope=envelope)


def new_case(priority: Priority = Priority.ROUTINE, policy: SlaPolicy = DEFAULT_POLICY) -> CaseState:
    return opened(
        case_id="case_1", practice_id=PRACTICE, patient_id="pat_1", priority=priority, policy=policy, now=MONDAY
    )


NEEDS_READER: Final = frozenset(
    {
        State.ASSIGNED,
        State.IN_REVIEW,
        State.MODIFICATION_REQUESTED,
        State.AWAITING_APPROVAL,
        State.SIGNED,
        State.RELEASED,
        State.AMENDING,
    }
)


def check_state(state: CaseState, now: datetime) -> None:
    """What is true of every state of a case, whatever happened before."""
    assert state.wait.reason in WAIT_SENTENCES
    assert state.wait.since <= now
    assert (state.version > 0) == (state.state not in UNSIGNED and state.state not in {State.REJECTED, State.CANCELLED})
    assert (state.signed_at is not None) == (state.version > 0), "signed means a version (invariants 7 and 9)"
    assert (state.assignee_id is not None) or state.state not in NEEDS_READER
    assert state.assignee_id is None or state.state is not State.UNASSIGNED, "one reader at most, none in the pool"
    assert (state.offer_ends_at is not None) == (state.state is State.ASSIGNED)
    assert (state.amendment is not None) == (state.state is State.AMENDING)
    assert not state.grants or state.state in {State.RELEASED, State.AMENDING}, "a link lives only after release"
    assert not state.link_locked or state.state in {State.RELEASED, State.AMENDING}
    assert state.last_release_at is not None or state.state is not State.RELEASED
    assert len(set(state.thresholds)) == len(state.thresholds), "an SLA threshold is announced once (invariant 18)"
    assert state.author_id != state.approver_id or state.author_id is None
    check_sets(state)
    keys = [effect.key for effect in state.effects]
    assert len(set(keys)) == len(keys), "an effect key names one effect (invariant 13)"
    if state.state in TERMINAL:
        assert next_deadline(state, now) is None, "after the end no timer (invariant 16)"
        assert next_work(state) is None
        assert (state.grants, state.facts, state.offer_ends_at) == ((), (), None)
        assert state.wait.owner is WaitOwner.NOBODY
    else:
        deadline = next_deadline(state, now)
        assert deadline is not None, f"{state.state} waits for ever"
        assert deadline.at < now + timedelta(days=400)
        assert state.wait.owner is not WaitOwner.NOBODY or state.wait.reason is WaitReason.NO_ACTIVE_LINK


def check_sets(state: CaseState) -> None:
    """The patient sees no more than the reader, and the reader no more than what was checked (invariants 9 and 11)."""
    assert 0 <= state.signed_up_to <= state.readable_up_to <= state.image_set
    assert (state.signed_up_to > 0) == (state.version > 0)
    assert state.late is None or state.state in {*SIGNED_STATES, State.AMENDING}
    if state.state in {State.DRAFT, State.PROCESSING, State.ATTENTION, State.CANCELLED, State.ENTERED_IN_ERROR}:
        return
    is_verified = state.late is None or state.late.check is LateCheck.OFFERED
    assert (state.readable_up_to == state.image_set) == is_verified
    if state.version and state.late is not None:
        assert state.signed_up_to < state.image_set, "late means that no signature covers it"


def check_step(before: CaseState, decision: Decision, now: datetime) -> None:
    """What is true of every accepted step."""
    after, record = decision.state, decision.record
    assert record.state == after
    assert (record.seq, after.seq) == (before.seq + 1, before.seq + 1)
    assert record.from_state is before.state
    row = transition(record.action, before.state)
    assert row is not None, "observed states are a path of the table (invariant 2)"
    assert after.state in row.targets
    for fixed in ("case_id", "practice_id", "patient_id", "policy", "priority", "created_at"):
        assert getattr(after, fixed) == getattr(before, fixed), f"{fixed} never changes (invariant 17)"
    assert set(before.thresholds) <= set(after.thresholds)
    assert set(before.effects) <= set(after.effects), "no recorded intent is lost"
    assert all(effect.seq == after.seq for effect in set(after.effects) - set(before.effects))
    assert after.clock.elapsed(now) >= before.clock.elapsed(now) - 1e-6
    signs = record.action in SIGNATURES
    assert after.version == before.version + (1 if signs else 0)
    assert after.readable_up_to >= before.readable_up_to, "what a reader has seen stays to be seen"
    assert signs or after.signed_up_to == before.signed_up_to, "the patient sees more only by a signature (invariant 7)"
    assert not signs or after.signed_up_to == after.readable_up_to == before.readable_up_to
    if before.late is not None and after.late is None:
        ends = {*SIGNATURES, Action.REMOVE_LATE_IMAGES, Action.ENTER_IN_ERROR}
        assert record.action in ends, "late images never slip in silently"
    if record.action in {
        Action.SIGN,
        Action.KEEP_REPORT,
        Action.ENTER_IN_ERROR,
        Action.SUBMIT_FOR_APPROVAL,
        Action.AMEND,
        Action.ACCEPT,
    }:
        assert record.actor.user_id == before.assignee_id, "only the reader of the case (invariant 6)"
    if record.action is Action.APPROVE:
        assert record.actor.user_id == before.approver_id != before.author_id
        assert before.author_id == before.assignee_id
    if record.action is Action.SIGN and before.policy.requires_approval:
        assert before.state is State.AMENDING, "the contract asks for a second signature"


@dataclass
class Ledger:
    """The tests' own books over one case."""

    policy: SlaPolicy
    at: datetime = MONDAY
    minutes: dict[Cause, float] = field(default_factory=lambda: dict.fromkeys(Cause, 0.0))
    counted: float = 0.0
    announced: list[tuple[str, Threshold]] = field(default_factory=list)
    links: set[str] = field(default_factory=set)
    dead_links: set[str] = field(default_factory=set)
    verdicts: dict[int, ProcessOutcome] = field(default_factory=dict)
    """By image set, of those that were checked and not taken out."""
    overrides: dict[int, tuple[str, str]] = field(default_factory=dict)
    """By image set: first person, second person."""
    amendments: int = 0

    def pass_time(self, state: CaseState, now: datetime) -> None:
        """Attributes the time since the last look to the state in which it passed."""
        target = self.policy.targets[state.priority]
        rule = STATES[state.state]
        stretch = (
            self.policy.calendar.minutes_between(self.at, now)
            if target.business
            else (now - self.at).total_seconds() / 60
        )
        if rule.clock is ClockRule.RUNS:
            self.counted += stretch
        if rule.clock in {ClockRule.RUNS, ClockRule.PAUSED} and rule.cause is not None:
            self.minutes[rule.cause] += stretch
        self.at = now

    def note(self, before: CaseState, decision: Decision, deadline: Deadline | None = None) -> None:
        after, record = decision.state, decision.record
        if record.action is Action.AMEND:
            self.amendments += 1
        if deadline is not None and deadline.threshold is not None:
            clock = "report" if deadline.due is Due.SLA else f"amendment {self.amendments}"
            self.announced.append((clock, deadline.threshold))
        grant_ids = {grant.grant_id for grant in after.grants}
        self.dead_links |= {grant.grant_id for grant in before.grants} - grant_ids
        self.links |= grant_ids
        if record.action is Action.AGREE_IDENTITY:
            first = before.late.confirmed_by if before.late else before.identity.confirmed_by
            assert first is not None
            self.overrides[after.image_set] = (first, record.actor.user_id)
        if record.action is Action.REMOVE_LATE_IMAGES:
            self.verdicts = {number: each for number, each in self.verdicts.items() if number <= before.readable_up_to}

    def check(self, state: CaseState, now: datetime) -> None:
        assert len(set(self.announced)) == len(self.announced), "one announcement a threshold (invariant 18)"
        assert not self.dead_links & {grant.grant_id for grant in state.grants}, "revocation is for ever (invariant 10)"
        assert state.clock.elapsed(now) == approx(self.counted)
        assert state.clock.minutes_by_cause(now) == {c: approx(m) for c, m in self.minutes.items()}
        if state.state not in {State.DRAFT, State.PROCESSING, State.ATTENTION, State.CANCELLED}:
            self._check_images(state)

    def _check_images(self, state: CaseState) -> None:
        """Invariant 12, for every state behind the check of the images."""
        judged = max(number for number in self.verdicts if number <= state.readable_up_to)
        verdict = self.verdicts[judged]
        assert verdict.readable > 0
        if verdict.identity is IdentityStanding.MISMATCHED:
            assert judged in self.overrides, "an override is for the images that the two people saw"
            first, second = self.overrides[judged]
            assert first != second
            assert state.identity.standing is IdentityStanding.OVERRIDDEN


@dataclass
class Walk:
    """A case on its way, with every step checked."""

    state: CaseState
    now: datetime = MONDAY
    commands: int = 0
    deadlines_at_once: int = 0
    path: list[Action] = field(default_factory=list)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.state.policy)
        check_state(self.state, self.now)

    def person(
        self,
        person: Person,
        action: Action,
        facts: CommandFacts = NO_FACTS,
        *,
        fresh: bool = True,
        seen: CaseState | None = None,
    ) -> None:
        """A person's command. Raises the fact that refuses it; then nothing has changed."""
        self.commands += 1
        made = command(seen or self.state, person, action, f"cmd_{self.commands}", facts, fresh=fresh, at=self.now)
        self._adopt(decide(self.state, made, self.now).as_written(new_images=facts.new_images))

    def work(self, outcome: ProcessOutcome, *, covered: bool, reader_id: str | None) -> Work | None:
        """Ends the work that is open, as the workflow does."""
        work = next_work(self.state)
        if work is Work.PROCESS:
            self.ledger.verdicts[self.state.image_set] = outcome
            self._adopt(decide_step(self.state, after_processing(self.state, outcome, covered=covered), self.now))
        elif work is Work.VERIFY:
            self.ledger.verdicts[self.state.image_set] = outcome
            self._adopt(decide_step(self.state, after_verification(outcome), self.now))
        elif work is Work.FIND_READER:
            if reader_id is None or reader_id in self.state.passed_over:
                self.state = self.state.model_copy(update={"reader_sought": True})
            else:
                offer = SystemStep(action=Action.OFFER, facts=CommandFacts(radiologist_id=reader_id))
                self._adopt(decide_step(self.state, offer, self.now))
        elif work is Work.INGEST:
            self.state = self.state.model_copy(update={"files_arrived": False, "late_files_arrived": False})
        return work

    def lock(self, grant_id: str) -> None:
        """A patient's link is locked, and the case hears of it."""
        step = SystemStep(action=Action.LOCK_GRANT, facts=CommandFacts(grant_id=grant_id))
        self._adopt(decide_step(self.state, step, self.now))

    def deadline(self, late: timedelta = timedelta()) -> None:
        """Sleeps until the next deadline, or past it where the worker was away."""
        deadline = next_deadline(self.state, self.now)
        assert deadline is not None
        moment = max(self.now, deadline.at + late)
        self.deadlines_at_once = self.deadlines_at_once + 1 if moment == self.now else 0
        assert self.deadlines_at_once < 20, "deadlines that are met one after another come to an end"
        self.pass_until(moment)
        self._adopt(on_deadline(self.state, deadline, self.now), deadline)

    def pass_until(self, moment: datetime) -> None:
        self.ledger.pass_time(self.state, moment)
        self.now = moment
        check_state(self.state, self.now)

    def _adopt(self, decision: Decision, deadline: Deadline | None = None) -> None:
        before, self.state = self.state, decision.state
        self.path.append(decision.record.action)
        check_step(before, decision, self.now)
        check_state(self.state, self.now)
        self.ledger.note(before, decision, deadline)
        self.ledger.check(self.state, self.now)
