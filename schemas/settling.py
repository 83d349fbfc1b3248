"""What every step shares: the clock of the new state, the wait in words, and who is told."""

from datetime import datetime
from typing import Final

from schemas.acts import Act
from schemas.deadlines import in_question, wait_end
from schemas.lifecycle import SIGNATURES, STATES, Action, ClockRule, State, WaitOwner, WaitReason
from schemas.notices import NOTICES
from schemas.sla import Clock
from schemas.state import Audience, CaseState, Effect, EffectKind, IdentityStanding, LateCheck, LateImages, Wait


def settle(old: CaseState, new: CaseState, act: Act, now: datetime) -> CaseState:
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
        case State.SIGNED | State.RELEASED if in_question(state):
            late = None if state.amendment_requested else state.late
            return _late(late) if late else (WaitOwner.RADIOLOGIST, WaitReason.AMENDMENT_REQUESTED)
        case State.SIGNED if state.policy.hold_days is not None:
            return WaitOwner.SYSTEM, WaitReason.HOLD
        case State.RELEASED if not state.grants:
            locked = (WaitOwner.PRACTICE, WaitReason.LINK_LOCKED)
            return locked if state.link_locked else (WaitOwner.NOBODY, WaitReason.NO_ACTIVE_LINK)
        case _:
            return rule.owner, rule.reason


def _late(late: LateImages) -> tuple[WaitOwner, WaitReason]:
    match late.check:
        case LateCheck.UNCHECKED:
            return WaitOwner.SYSTEM, WaitReason.LATE_CHECKING
        case LateCheck.UNREADABLE:
            return WaitOwner.PRACTICE, WaitReason.LATE_UNREADABLE
        case LateCheck.MISMATCHED if late.confirmed_by is None:
            return WaitOwner.PRACTICE, WaitReason.IDENTITY_MISMATCH
        case LateCheck.MISMATCHED:  # the reader of a signed case is the second person
            return WaitOwner.RADIOLOGIST, WaitReason.IDENTITY_SECOND_PERSON
        case LateCheck.OFFERED:
            return WaitOwner.RADIOLOGIST, WaitReason.LATE_IMAGES


_WAIT_AUDIENCE: Final[dict[WaitOwner, Audience]] = {
    WaitOwner.PRACTICE: Audience.PRACTICE,
    WaitOwner.BILLING_OWNER: Audience.BILLING_OWNER,
    WaitOwner.SCHEDULER: Audience.SCHEDULERS,
    WaitOwner.RADIOLOGIST: Audience.ASSIGNEE,
    WaitOwner.APPROVER: Audience.APPROVER,
    WaitOwner.SECOND_PERSON: Audience.POOL,
    WaitOwner.SYSTEM: Audience.ADMINS,
}


def _told_of_late_images(action: Action) -> tuple[Audience, ...] | None:
    """Where a signed case tells others than an unsigned one: its reader hears of images that are checked."""
    match action:
        case Action.ADD_IMAGES:
            return ()
        case Action.CONFIRM_IDENTITY:
            return (Audience.ASSIGNEE,)
        case _:
            return None


def _effects(state: CaseState, act: Act) -> tuple[Effect, ...]:
    audiences = _told_of_late_images(act.action) if state.late is not None else None
    if audiences is None:
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
    if act.action in SIGNATURES:
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
