"""Tells a case's timeline again to the pure rules: what the engine did must be what they say, to the last field."""

from datetime import timedelta

from schemas.actors import ActorEnvelope
from schemas.deadlines import next_deadline
from schemas.decisions import Decision, after_processing, after_verification, decide, decide_step, on_deadline
from schemas.lifecycle import Action
from schemas.messages import Command, CommandFacts, SystemStep
from schemas.state import CaseState, opened
from schemas.tables.case import CaseTransition
from tests.schemas.walking import check_state, check_step
from tests.workflows.engine import Imaging, LiveCase, quiet

_VERDICTS = {Action.PASS_PROCESSING, Action.HOLD_FOR_ATTENTION, Action.HOLD_FOR_BILLING, Action.RESUME_REVIEW}
_VERIFIED = {Action.OFFER_LATE_IMAGES, Action.HOLD_LATE_IMAGES}
_ON_A_FACT = {Action.OFFER, Action.LOCK_GRANT}


def retell(case: LiveCase) -> CaseState:
    """The state to which the timeline leads. Every step is checked against the rules and the invariants on the way."""
    row = case.world.case(case.id)
    state = opened(
        case_id=row.id,
        practice_id=row.practice_id,
        patient_id=row.patient_id,
        priority=case.recorded.priority,
        policy=case.recorded.policy,
        now=row.created_at,
    )
    intents: set[str] = set()
    for number, step in enumerate(case.timeline(), 1):
        assert step.seq == number, "seq grows by one (invariant 2)"
        before, moment = state, step.at
        decision = _decide_again(state, step, case.practice.imaging)
        assert decision.record.action == step.action
        assert (step.from_state, step.to_state) == (before.state, decision.state.state)
        check_step(before, decision, moment)
        check_state(decision.state, moment)
        new = {effect.key for effect in decision.state.effects}
        assert not new & intents, "an effect key names one effect (invariant 13)"
        intents |= new
        state = decision.state.model_copy(update={"effects": ()})
    assert quiet(state) == quiet(case.recorded), "the record is what the timeline leads to"
    assert intents == {effect.key for effect in case.effects()}
    return state


def _decide_again(state: CaseState, step: CaseTransition, imaging: Imaging) -> Decision:
    action, facts = Action(step.action), CommandFacts.model_validate_json(step.facts)
    if step.actor_relation != "system":
        envelope = ActorEnvelope(
            user_id=step.actor_id,
            role=step.actor_role,
            relation=step.actor_relation,
            session_id="ses",
            case_id=state.case_id,
            command_id=step.command_id,
            action=action,
            issued_at=step.at,
            expires_at=step.at + timedelta(minutes=2),
            fresh_auth=True,
            key_id="key",
            mac="0" * 64,
        )
        decision = decide(state, Command(facts=facts, envelope=envelope), step.at)
        return decision.as_written(new_images=facts.new_images)
    if action in _VERDICTS:
        outcome = imaging.of(state.case_id, state.image_set)
        return decide_step(
            state, after_processing(state, outcome, covered=action is not Action.HOLD_FOR_BILLING), step.at
        )
    if action in _VERIFIED:
        return decide_step(state, after_verification(imaging.of(state.case_id, state.image_set)), step.at)
    if action in _ON_A_FACT:
        return decide_step(state, SystemStep(action=action, facts=facts), step.at)
    deadline = next_deadline(state, step.at)
    assert deadline is not None
    assert deadline.at <= step.at, f"{action} came before it was due"
    return on_deadline(state, deadline, step.at)


def check_books(case: LiveCase, refused: int) -> None:
    """What stands beside the timeline: one audit row a step and one a denial, every effect once."""
    done = case.audit("done")
    assert [row.act for row in done] == ["case.create", *(f"case.{step.action}" for step in case.timeline())]
    assert len(case.audit("denied")) == refused, "one denial a refused command (invariant 4)"
    for effect in case.effects():
        assert effect.done_at is not None, f"{effect.key} was never done"
        assert effect.fence == 1, f"{effect.key} was tried {effect.fence} times"
    rendered = [version for case_id, version in case.practice.documents.rendered if case_id == case.id]
    assert rendered == list(range(1, case.recorded.version + 1)), "one document a version"
