"""What an act does to a case: pure functions from state and act to next state and record.

The workflow, its model in the tests and the API's forecasts use the same functions. Nothing here reads a clock, the
database or the world; what only the database knows is checked by ``records.apply`` (DECISIONS 3).
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

from schemas.acts import Act
from schemas.conditions import obstacle
from schemas.deadlines import NUDGES_BEFORE_ESCALATION, Deadline, Due
from schemas.lifecycle import (
    PEOPLES_ACTIONS,
    SIGNED_STATES,
    STATE_WORDS,
    Action,
    Relation,
    State,
    Taker,
    transition,
)
from schemas.messages import SYSTEM_ACTOR, Actor, Command, CommandFacts, FactKind, ProcessOutcome, Record, SystemStep
from schemas.refusals import ActionNotPossible, FreshSignInNeeded, NotYours
from schemas.rules import RULES, TARGET_BY_RULE
from schemas.settling import settle
from schemas.sla import Threshold
from schemas.state import (
    CaseState,
    Frozen,
    IdentityStanding,
    LateCheck,
)


class Decision(Frozen):
    """The next state and what ``records.apply`` has to write for it."""

    state: CaseState
    record: Record

    def as_written(self, *, new_images: bool) -> "Decision":
        """The half of the decision that the record took; see :attr:`Record.if_new_images`."""
        other = self.record.if_new_images
        return Decision(state=other.state, record=other) if other is not None and new_images else self


def decide(state: CaseState, command: Command, now: datetime) -> Decision:
    """The outcome of a person's command, or the fact that refuses it."""
    envelope = command.envelope
    row = transition(Action(envelope.action), state.state) if envelope.action in PEOPLES_ACTIONS else None
    if row is None or row.by_system:
        raise ActionNotPossible(f"This step is not possible now: the case is “{STATE_WORDS[state.state]}”.")
    taker = next((t for t in row.takers if (t.role, t.relation) == (envelope.role, envelope.relation)), None)
    if taker is None or not _stands(state, taker, envelope.user_id):
        raise NotYours()
    if row.fresh and not envelope.fresh_auth:
        raise FreshSignInNeeded()
    fact = obstacle(row.action, state, envelope.user_id)
    if fact is not None:
        raise fact
    actor = Actor(
        user_id=envelope.user_id, role=envelope.role, relation=envelope.relation, session_id=envelope.session_id
    )
    act = Act(action=row.action, facts=command.facts, actor=actor)
    if row.action in {Action.ANSWER_MODIFICATION, Action.ADD_IMAGES}:
        return _in_two_halves(state, act, envelope.command_id, now)
    return _carry_out(state, act, envelope.command_id, now)


def _in_two_halves(state: CaseState, act: Act, command_id: str, now: datetime) -> Decision:
    """Both ways that an answer or an addition may go: new images are checked first, without any the reader goes on."""
    plain, with_images = (
        _carry_out(
            state,
            act.model_copy(update={"facts": act.facts.model_copy(update={"new_images": new_images})}),
            command_id,
            now,
        )
        for new_images in (False, True)
    )
    record = plain.record.model_copy(update={"if_new_images": with_images.record})
    return Decision(state=plain.state, record=record)


def _stands(state: CaseState, taker: Taker, user_id: str) -> bool:
    """Whether the person stands so to the case now.

    The envelope tells how they stood when the API signed it; since then the case may have gone to another reader, and
    then the former one signs nothing any more (invariant 6). Memberships are the database's to check.
    """
    match taker.relation:
        case Relation.ASSIGNED:
            return user_id == state.assignee_id
        case Relation.SECOND:
            return user_id == state.approver_id
        case Relation.POOL:
            return state.assignee_id is None
        case _:
            return True


def decide_step(state: CaseState, step: SystemStep, now: datetime) -> Decision:
    """The outcome of the case's own step (after processing, an offer found, a link ended)."""
    row = transition(step.action, state.state)
    if row is None or not row.by_system:
        raise ActionNotPossible()
    act = Act(
        action=step.action,
        facts=step.facts,
        actor=SYSTEM_ACTOR,
        identity=step.identity,
        threshold=step.threshold,
    )
    return _carry_out(state, act, f"{state.case_id}/{state.seq + 1}", now)


def on_deadline(state: CaseState, deadline: Deadline, now: datetime) -> Decision:
    """What happens when a timer is over."""
    if deadline.due in (Due.SLA, Due.AMENDMENT):
        return _announce_threshold(state, deadline, now)
    if deadline.due is Due.NUDGE:
        nudged = state.model_copy(update={"nudges": state.nudges + 1})
        late = nudged.nudges > NUDGES_BEFORE_ESCALATION
        return decide_step(nudged, SystemStep(action=Action.ESCALATE if late else Action.REMIND), now)
    grant_id = deadline.grant_id
    if deadline.due is Due.HOLD_END:
        # The grant's id follows from the case and the step, so a replay gives the same one.
        grant_id = f"grt_{state.case_id.removeprefix('case_')}{state.seq + 1:04x}"
    return decide_step(state, SystemStep(action=_AT_END[deadline.due], facts=CommandFacts(grant_id=grant_id)), now)


_AT_END: Final[dict[Due, Action]] = {
    Due.INTAKE_EXPIRY: Action.LAPSE_INTAKE,
    Due.OFFER_END: Action.LAPSE_OFFER,
    Due.CASE_END: Action.CLOSE,
    Due.GRANT_END: Action.END_GRANT,
    Due.HOLD_END: Action.RELEASE_AFTER_HOLD,
}


def after_processing(state: CaseState, outcome: ProcessOutcome, *, covered: bool) -> SystemStep:
    """Where a checked image set leads: attention first, then the plan, then a reader (invariant 12)."""
    overridden = state.identity.standing is IdentityStanding.OVERRIDDEN
    if outcome.readable == 0 or (outcome.identity is IdentityStanding.MISMATCHED and not overridden):
        action = Action.HOLD_FOR_ATTENTION
    elif not covered:
        action = Action.HOLD_FOR_BILLING
    elif state.was_read_by:
        action = Action.RESUME_REVIEW
    else:
        action = Action.PASS_PROCESSING
    return SystemStep(action=action, identity=outcome.identity)


def after_verification(outcome: ProcessOutcome) -> SystemStep:
    """Where images that came after the signature lead: to the practice while they are not right, else to the reader."""
    right = outcome.readable > 0 and outcome.identity is not IdentityStanding.MISMATCHED
    action = Action.OFFER_LATE_IMAGES if right else Action.HOLD_LATE_IMAGES
    return SystemStep(action=action, identity=outcome.identity)


def files_fact(state: State) -> FactKind:
    """What a case in this state is told when files have come to it."""
    return FactKind.LATE_FILES_SETTLED if state in _LATE_FILES_WELCOME else FactKind.FILES_SETTLED


class Work(StrEnum):
    """What the case has to do by itself before it may wait."""

    INGEST = "ingest"
    PROCESS = "process"
    VERIFY = "verify"
    """To check images that came after the signature."""
    FIND_READER = "find_reader"


def next_work(state: CaseState) -> Work | None:
    """The work that is open in this state; None when the next move is somebody's or a timer's."""
    if state.state is State.PROCESSING:
        return Work.PROCESS
    if state.state is State.UNASSIGNED and not state.reader_sought:
        return Work.FIND_READER
    if state.state in SIGNED_STATES and state.late is not None and state.late.check is LateCheck.UNCHECKED:
        return Work.VERIFY
    if state.files_arrived and state.state in _FILES_WELCOME:
        return Work.INGEST
    if state.late_files_arrived and state.state in _LATE_FILES_WELCOME:
        return Work.INGEST
    return None


_FILES_WELCOME: Final = frozenset({State.DRAFT, State.ATTENTION, State.MODIFICATION_REQUESTED})
"""States in which the practice may add images, so that they are checked as they come."""
_LATE_FILES_WELCOME: Final = frozenset(
    {State.UNASSIGNED, State.ASSIGNED, State.IN_REVIEW, State.AWAITING_APPROVAL, *SIGNED_STATES, State.AMENDING}
)
"""The same after submission. Apart from the others, because histories of before have no such work there."""


def _announce_threshold(state: CaseState, deadline: Deadline, now: datetime) -> Decision:
    """One announcement a threshold, for ever (invariant 18); at a breach the scheduler takes it up."""
    threshold = deadline.threshold
    if threshold is None:
        raise ValueError("an SLA deadline names its threshold")
    if deadline.due is Due.SLA:
        told = state.model_copy(update={"thresholds": (*state.thresholds, threshold), "reader_sought": False})
    else:
        amendment = state.amendment
        if amendment is None:
            raise ValueError("an amendment deadline needs an amendment")
        noted = amendment.model_copy(update={"thresholds": (*amendment.thresholds, threshold)})
        told = state.model_copy(update={"amendment": noted})
    action = Action.ESCALATE if threshold is Threshold.BREACH else Action.REMIND
    return decide_step(told, SystemStep(action=action, threshold=threshold), now)


def _carry_out(state: CaseState, act: Act, command_id: str, now: datetime) -> Decision:
    rule = RULES.get(act.action)
    changed = rule(state, act, now) if rule else state
    row = transition(act.action, state.state)
    target = changed.state
    if act.action not in TARGET_BY_RULE:
        if row is None or len(row.targets) != 1:
            raise ValueError(f"the rule of {act.action} must choose among its targets")
        target = row.targets[0]
    if row is None or target not in row.targets:
        raise ValueError(f"{act.action} may not lead from {state.state} to {target}")
    settled = settle(state, changed.model_copy(update={"state": target, "seq": state.seq + 1}), act, now)
    record = Record(
        case_id=state.case_id,
        seq=settled.seq,
        command_id=command_id,
        action=act.action,
        from_state=state.state,
        actor=act.actor,
        at=now,
        facts=act.facts,
        state=settled,
    )
    return Decision(state=settled, record=record)
