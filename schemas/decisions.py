"""What an act does to a case: pure functions from state and act to next state and record.

The workflow, its model in the tests and the API's forecasts use the same functions. Nothing here reads a clock, the
database or the world; what only the database knows is checked by ``records.apply`` (DECISIONS 3).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from schemas.deadlines import NUDGES_BEFORE_ESCALATION, Deadline, Due, wait_end
from schemas.errors import Forbidden, OdontoError, StateConflict
from schemas.lifecycle import (
    PEOPLES_ACTIONS,
    STATE_WORDS,
    STATES,
    Action,
    ClockRule,
    Relation,
    State,
    Taker,
    WaitOwner,
    WaitReason,
    transition,
)
from schemas.messages import SYSTEM_ACTOR, Actor, Command, CommandFacts, ProcessOutcome, Record, SystemStep
from schemas.notices import NOTICES
from schemas.sla import Cause, Clock, Threshold
from schemas.state import (
    Amendment,
    Audience,
    CaseState,
    Effect,
    EffectKind,
    Frozen,
    Grant,
    Identity,
    IdentityStanding,
    Wait,
)


class ActionNotPossible(StateConflict):
    """The table has no such step from the present state."""

    code = "action_not_possible"


class NotYours(Forbidden):
    code = "not_yours"


class FreshSignInNeeded(OdontoError):
    code = "fresh_sign_in_needed"
    status = 403
    title = "Please confirm this step with your password."


class ApprovalNeeded(StateConflict):
    code = "approval_needed"
    title = "This practice's contract asks for a second signature: submit the report for approval."


class OwnReport(Forbidden):
    code = "own_report"
    title = "Nobody approves their own report. Another approver has to do it."


class SecondPersonNeeded(StateConflict):
    code = "second_person_needed"
    title = "A mismatch of identity needs two people: first the practice confirms, then a radiologist agrees."


class NothingToAnswer(StateConflict):
    code = "nothing_to_answer"
    title = "There is nothing open that this step would answer."


class InputMissing(StateConflict):
    code = "input_missing"
    status = 422


class Decision(Frozen):
    """The next state and what ``records.apply`` has to write for it."""

    state: CaseState
    record: Record


class Act(Frozen):
    """An act as the rules see it, from a person or from the case itself."""

    action: Action
    facts: CommandFacts
    actor: Actor
    identity: IdentityStanding | None = None
    threshold: Threshold | None = None

    def need(self, value: str | None, what: str) -> str:
        if not value:
            raise InputMissing(f"Please choose {what}.")
        return value


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
    actor = Actor(
        user_id=envelope.user_id, role=envelope.role, relation=envelope.relation, session_id=envelope.session_id
    )
    return _carry_out(state, Act(action=row.action, facts=command.facts, actor=actor), envelope.command_id, now)


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


class Work(StrEnum):
    """What the case has to do by itself before it may wait."""

    INGEST = "ingest"
    PROCESS = "process"
    FIND_READER = "find_reader"


def next_work(state: CaseState) -> Work | None:
    """The work that is open in this state; None when the next move is somebody's or a timer's."""
    if state.state is State.PROCESSING:
        return Work.PROCESS
    if state.state is State.UNASSIGNED and not state.reader_sought:
        return Work.FIND_READER
    if state.files_arrived and state.state in _FILES_WELCOME:
        return Work.INGEST
    return None


_FILES_WELCOME: Final = frozenset({State.DRAFT, State.ATTENTION, State.MODIFICATION_REQUESTED})
"""States in which the practice may add images, so that they are checked as they come."""


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
    rule = _RULES.get(act.action)
    changed = rule(state, act, now) if rule else state
    row = transition(act.action, state.state)
    target = changed.state
    if act.action not in _TARGET_BY_RULE:
        if row is None or len(row.targets) != 1:
            raise ValueError(f"the rule of {act.action} must choose among its targets")
        target = row.targets[0]
    if row is None or target not in row.targets:
        raise ValueError(f"{act.action} may not lead from {state.state} to {target}")
    settled = _settle(state, changed.model_copy(update={"state": target, "seq": state.seq + 1}), act, now)
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


def _settle(old: CaseState, new: CaseState, act: Act, now: datetime) -> CaseState:
    """What every act shares: the clock of the new state, the wait in words, and who is told."""
    rule = STATES[new.state]
    moved = new.state is not old.state
    owner, reason = _owner_and_reason(new)
    fresh_wait = moved or reason is not old.wait.reason or act.action in {Action.REASSIGN, Action.NAME_APPROVER}
    new = new.model_copy(
        update={
            "clock": _clock_after(old.clock, rule.clock, new, now) if moved else old.clock,
            "nudges": 0 if fresh_wait else new.nudges,
            "wait": Wait(owner=owner, reason=reason, since=now if fresh_wait else old.wait.since),
            "reader_sought": False if moved else new.reader_sought,
        }
    )
    until, then = wait_end(new, now)
    new = new.model_copy(update={"wait": new.wait.model_copy(update={"until": until, "then": then})})
    return new.model_copy(update={"effects": (*old.effects, *_effects(new, act))})


def _clock_after(clock: Clock, rule: ClockRule, new: CaseState, now: datetime) -> Clock:
    cause = STATES[new.state].cause
    if rule is ClockRule.RUNS and cause is not None:
        return clock.run(now, cause)
    if rule is ClockRule.PAUSED and cause is not None:
        return clock.pause(now, cause)
    return clock.stop(now) if rule is ClockRule.STOPPED and clock.started_at else clock


def _owner_and_reason(state: CaseState) -> tuple[WaitOwner, WaitReason]:
    rule = STATES[state.state]
    match state.state:
        case State.ATTENTION if state.identity.standing is IdentityStanding.MISMATCHED:
            if state.identity.confirmed_by:
                return WaitOwner.SECOND_PERSON, WaitReason.IDENTITY_SECOND_PERSON
            return WaitOwner.PRACTICE, WaitReason.IDENTITY_MISMATCH
        case State.SIGNED | State.RELEASED if state.amendment_requested:
            return WaitOwner.RADIOLOGIST, WaitReason.AMENDMENT_REQUESTED
        case State.SIGNED if state.policy.hold_days is not None:
            return WaitOwner.SYSTEM, WaitReason.HOLD
        case State.RELEASED if not state.grants:
            return WaitOwner.NOBODY, WaitReason.NO_ACTIVE_LINK
        case _:
            return rule.owner, rule.reason


_WAIT_AUDIENCE: Final[dict[WaitOwner, Audience]] = {
    WaitOwner.PRACTICE: Audience.PRACTICE,
    WaitOwner.BILLING_OWNER: Audience.BILLING_OWNER,
    WaitOwner.SCHEDULER: Audience.SCHEDULERS,
    WaitOwner.RADIOLOGIST: Audience.ASSIGNEE,
    WaitOwner.APPROVER: Audience.APPROVER,
    WaitOwner.SECOND_PERSON: Audience.POOL,
    WaitOwner.SYSTEM: Audience.ADMINS,
}


def _effects(state: CaseState, act: Act) -> tuple[Effect, ...]:
    audiences = NOTICES.get(act.action, ())
    if act.action in {Action.REMIND, Action.ESCALATE}:
        owner = _WAIT_AUDIENCE.get(state.wait.owner)
        told = [owner] if owner else []
        # A clock's thresholds concern who has to keep the promise, too; a plain reminder only who is awaited.
        told += [Audience.SCHEDULERS] if act.threshold else []
        audiences = tuple(dict.fromkeys((*told, *audiences)))
    effects = [
        Effect(
            key=f"{state.case_id}:notify-{audience}:{state.seq}",
            kind=EffectKind.NOTIFY,
            notice=act.action,
            audience=audience,
            seq=state.seq,
        )
        for audience in audiences
    ]
    if act.action in {Action.SIGN, Action.APPROVE}:
        effects.append(
            Effect(
                key=f"{state.case_id}:pdf:{state.version}",
                kind=EffectKind.RENDER_PDF,
                version=state.version,
                seq=state.seq,
            )
        )
    if act.action in {Action.RELEASE, Action.RELEASE_AFTER_HOLD}:
        effects.append(
            Effect(
                key=f"{state.case_id}:link:{act.facts.grant_id}",
                kind=EffectKind.MAIL_LINK,
                grant_id=act.facts.grant_id,
                seq=state.seq,
            )
        )
    return tuple(effects)


# One rule an action: what it changes beside state, clock, wait and notices, which `_settle` does for all.


def _submit(state: CaseState, act: Act, now: datetime) -> CaseState:
    return state.model_copy(update={"image_set": state.image_set + 1, "files_arrived": False, "identity": Identity()})


def _confirm_identity(state: CaseState, act: Act, now: datetime) -> CaseState:
    if state.identity.standing is not IdentityStanding.MISMATCHED or state.identity.confirmed_by:
        raise NothingToAnswer()
    confirmed = state.identity.model_copy(update={"confirmed_by": act.actor.user_id})
    return state.model_copy(update={"identity": confirmed})


def _agree_identity(state: CaseState, act: Act, now: datetime) -> CaseState:
    first = state.identity.confirmed_by
    if first is None or first == act.actor.user_id:
        raise SecondPersonNeeded()
    agreed = Identity(standing=IdentityStanding.OVERRIDDEN, confirmed_by=first, agreed_by=act.actor.user_id)
    return state.model_copy(update={"identity": agreed})


def _refuse_identity(state: CaseState, act: Act, now: datetime) -> CaseState:
    if state.identity.confirmed_by is None:
        raise SecondPersonNeeded()
    return state.model_copy(update={"identity": Identity(standing=IdentityStanding.MISMATCHED)})


def _offer_to(state: CaseState, act: Act, now: datetime) -> CaseState:
    reader = act.need(act.facts.radiologist_id, "a radiologist")
    if reader == state.assignee_id:
        raise StateConflict("This radiologist has the case already. Choose another one.")
    update: dict[str, object] = {"assignee_id": reader}
    if state.state is not State.AMENDING:
        update |= {"offer_ends_at": state.policy.offer_expires_at(state.priority, now)}
    return state.model_copy(update=update)


def _claim(state: CaseState, act: Act, now: datetime) -> CaseState:
    return state.model_copy(update={"assignee_id": act.actor.user_id, "offer_ends_at": None})


def _accept(state: CaseState, act: Act, now: datetime) -> CaseState:
    return state.model_copy(update={"offer_ends_at": None})


def _lose_reader(state: CaseState, act: Act, now: datetime) -> CaseState:
    gone = (state.assignee_id,) if state.assignee_id else ()
    return state.model_copy(
        update={"assignee_id": None, "offer_ends_at": None, "passed_over": (*state.passed_over, *gone)}
    )


def _answer_modification(state: CaseState, act: Act, now: datetime) -> CaseState:
    if not act.facts.new_images:
        return state.model_copy(update={"state": State.IN_REVIEW})
    return _submit(state, act, now).model_copy(update={"state": State.PROCESSING, "was_read_by": state.assignee_id})


def _resume_review(state: CaseState, act: Act, now: datetime) -> CaseState:
    return _pass_processing(state, act, now).model_copy(update={"was_read_by": None})


def _submit_for_approval(state: CaseState, act: Act, now: datetime) -> CaseState:
    approver = act.need(act.facts.approver_id, "an approver")
    if approver == act.actor.user_id:
        raise OwnReport()
    return state.model_copy(update={"author_id": act.actor.user_id, "approver_id": approver})


def _name_approver(state: CaseState, act: Act, now: datetime) -> CaseState:
    approver = act.need(act.facts.approver_id, "an approver")
    if approver == state.author_id:
        raise OwnReport()
    return state.model_copy(update={"approver_id": approver})


def _approve(state: CaseState, act: Act, now: datetime) -> CaseState:
    if act.actor.user_id == state.author_id:
        raise OwnReport()
    return state.model_copy(update={"version": state.version + 1, "signed_at": now})


def _return_to_author(state: CaseState, act: Act, now: datetime) -> CaseState:
    return state.model_copy(update={"approver_id": None})


def _sign(state: CaseState, act: Act, now: datetime) -> CaseState:
    signed = state.model_copy(
        update={"version": state.version + 1, "author_id": act.actor.user_id, "signed_at": now, "approver_id": None}
    )
    if state.state is State.AMENDING and state.amendment is not None:
        return signed.model_copy(
            update={"state": state.amendment.return_to, "amendment": None, "amendment_requested": False}
        )
    if state.policy.requires_approval:
        raise ApprovalNeeded()
    return signed.model_copy(update={"state": State.SIGNED})


def _release(state: CaseState, act: Act, now: datetime) -> CaseState:
    grant_id = act.need(act.facts.grant_id, "a recipient")
    expires = now + timedelta(minutes=state.policy.link_life_minutes)
    return state.model_copy(
        update={"grants": (*state.grants, Grant(grant_id=grant_id, expires_at=expires)), "last_release_at": now}
    )


def _end_grant(state: CaseState, act: Act, now: datetime) -> CaseState:
    left = tuple(grant for grant in state.grants if grant.grant_id != act.facts.grant_id)
    if len(left) == len(state.grants):
        raise NothingToAnswer("This link has ended already.")
    return state.model_copy(update={"grants": left})


def _request_amendment(state: CaseState, act: Act, now: datetime) -> CaseState:
    if state.amendment_requested:
        raise StateConflict("An amendment has been asked for already; the radiologist has been told.")
    return state.model_copy(update={"amendment_requested": True})


def _decline_amendment(state: CaseState, act: Act, now: datetime) -> CaseState:
    if not state.amendment_requested:
        raise NothingToAnswer()
    return state.model_copy(update={"amendment_requested": False})


def _amend(state: CaseState, act: Act, now: datetime) -> CaseState:
    kind = act.facts.amendment_kind
    if kind is None:
        raise InputMissing("Please choose the kind of amendment: appended, corrected or amended.")
    clock = state.policy.amendment_clock(kind).start(now, Cause.RADIOLOGIST)
    return state.model_copy(update={"amendment": Amendment(kind=kind, return_to=state.state, clock=clock)})


def _discard_amendment(state: CaseState, act: Act, now: datetime) -> CaseState:
    if state.amendment is None:
        raise NothingToAnswer()
    return state.model_copy(
        update={"state": state.amendment.return_to, "amendment": None, "amendment_requested": False}
    )


def _end(state: CaseState, act: Act, now: datetime) -> CaseState:
    """A terminal state leaves no link and no offer alive (invariant 16)."""
    return state.model_copy(update={"grants": (), "offer_ends_at": None, "facts": ()})


def _pass_processing(state: CaseState, act: Act, now: datetime) -> CaseState:
    if act.identity is None:
        raise ValueError("processing ends with a verdict on identity")
    if act.identity is IdentityStanding.OVERRIDDEN:
        raise ValueError("only two people override an identity")
    if state.identity.standing is IdentityStanding.OVERRIDDEN:
        return state
    return state.model_copy(update={"identity": Identity(standing=act.identity)})


Rule = Callable[[CaseState, Act, datetime], CaseState]

_RULES: Final[dict[Action, Rule]] = {
    Action.SUBMIT: _submit,
    Action.RESUBMIT: _submit,
    Action.CONFIRM_IDENTITY: _confirm_identity,
    Action.AGREE_IDENTITY: _agree_identity,
    Action.REFUSE_IDENTITY: _refuse_identity,
    Action.ASSIGN: _offer_to,
    Action.REASSIGN: _offer_to,
    Action.OFFER: _offer_to,
    Action.CLAIM: _claim,
    Action.ACCEPT: _accept,
    Action.DECLINE: _lose_reader,
    Action.LAPSE_OFFER: _lose_reader,
    Action.ANSWER_MODIFICATION: _answer_modification,
    Action.SUBMIT_FOR_APPROVAL: _submit_for_approval,
    Action.NAME_APPROVER: _name_approver,
    Action.APPROVE: _approve,
    Action.RETURN_TO_AUTHOR: _return_to_author,
    Action.SIGN: _sign,
    Action.RELEASE: _release,
    Action.RELEASE_AFTER_HOLD: _release,
    Action.REVOKE_RELEASE: _end_grant,
    Action.END_GRANT: _end_grant,
    Action.REQUEST_AMENDMENT: _request_amendment,
    Action.DECLINE_AMENDMENT: _decline_amendment,
    Action.AMEND: _amend,
    Action.DISCARD_AMENDMENT: _discard_amendment,
    Action.ENTER_IN_ERROR: _end,
    Action.CANCEL: _end,
    Action.REJECT: _end,
    Action.LAPSE_INTAKE: _end,
    Action.CLOSE: _end,
    Action.PASS_PROCESSING: _pass_processing,
    Action.HOLD_FOR_ATTENTION: _pass_processing,
    Action.HOLD_FOR_BILLING: _pass_processing,
    Action.RESUME_REVIEW: _resume_review,
}

_TARGET_BY_RULE: Final = frozenset({Action.ANSWER_MODIFICATION, Action.SIGN, Action.DISCARD_AMENDMENT})
"""Actions whose row has several targets: their rule chooses."""
