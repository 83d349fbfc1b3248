"""One rule an action: what it changes of a case beside state, clock, wait and notices, which ``schemas.settling`` does.

Whether a person's step is possible at all, ``schemas.conditions`` has said before.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from schemas.acts import Act
from schemas.errors import StateConflict
from schemas.image_rules import (
    add_images,
    agree_identity,
    answer_modification,
    confirm_identity,
    covering,
    hold_for_attention,
    hold_late_images,
    keep_report,
    need_seen,
    offer_late_images,
    pass_processing,
    refuse_identity,
    remove_late_images,
    resume_review,
    submit,
)
from schemas.lifecycle import Action, State
from schemas.refusals import InputMissing, NothingToAnswer, OwnReport
from schemas.sla import Cause
from schemas.state import Amendment, CaseState, Grant

_WITHOUT_OFFER: Final = frozenset({State.ATTENTION, State.SIGNED, State.RELEASED, State.AMENDING})
"""A case that was read before goes to its new reader as it stands: there is no offer to accept."""


def _offer_to(state: CaseState, act: Act, now: datetime) -> CaseState:
    reader = act.need(act.facts.radiologist_id, "a radiologist")
    if reader == state.assignee_id:
        raise StateConflict("This radiologist has the case already. Choose another one.")
    update: dict[str, object] = {"assignee_id": reader, "was_offered_to": None}
    if state.was_read_by:
        update |= {"was_read_by": reader}
    if state.state not in _WITHOUT_OFFER:
        update |= {"offer_ends_at": state.policy.offer_expires_at(state.priority, now)}
    return state.model_copy(update=update)


def _claim(state: CaseState, act: Act, now: datetime) -> CaseState:
    return state.model_copy(update={"assignee_id": act.actor.user_id, "offer_ends_at": None, "was_offered_to": None})


def _accept(state: CaseState, act: Act, now: datetime) -> CaseState:
    return state.model_copy(update={"offer_ends_at": None})


def _lose_reader(state: CaseState, act: Act, now: datetime) -> CaseState:
    gone = (state.assignee_id,) if state.assignee_id else ()
    return state.model_copy(
        update={"assignee_id": None, "offer_ends_at": None, "passed_over": (*state.passed_over, *gone)}
    )


def _submit_for_approval(state: CaseState, act: Act, now: datetime) -> CaseState:
    approver = act.need(act.facts.approver_id, "an approver")
    if approver == act.actor.user_id:
        raise OwnReport()
    need_seen(state, act)
    return state.model_copy(update={"author_id": act.actor.user_id, "approver_id": approver})


def _name_approver(state: CaseState, act: Act, now: datetime) -> CaseState:
    approver = act.need(act.facts.approver_id, "an approver")
    if approver == state.author_id:
        raise OwnReport()
    return state.model_copy(update={"approver_id": approver})


def _approve(state: CaseState, act: Act, now: datetime) -> CaseState:
    need_seen(state, act)
    return covering(state).model_copy(update={"version": state.version + 1, "signed_at": now})


def _return_to_author(state: CaseState, act: Act, now: datetime) -> CaseState:
    return state.model_copy(update={"approver_id": None})


def _sign(state: CaseState, act: Act, now: datetime) -> CaseState:
    need_seen(state, act)
    signed = covering(state).model_copy(
        update={"version": state.version + 1, "author_id": act.actor.user_id, "signed_at": now, "approver_id": None}
    )
    if state.state is State.AMENDING and state.amendment is not None:
        return signed.model_copy(
            update={"state": state.amendment.return_to, "amendment": None, "amendment_requested": False}
        )
    return signed.model_copy(update={"state": State.SIGNED})


def _release(state: CaseState, act: Act, now: datetime) -> CaseState:
    grant_id = act.need(act.facts.grant_id, "a recipient")
    expires = now + timedelta(minutes=state.policy.link_life_minutes)
    return state.model_copy(
        update={
            "grants": (*state.grants, Grant(grant_id=grant_id, expires_at=expires)),
            "last_release_at": now,
            "link_locked": False,
        }
    )


def _reopen(state: CaseState, act: Act, now: datetime) -> CaseState:
    """A closed case comes back as released, without a link, and closes again when nothing more happens."""
    return state.model_copy(update={"last_release_at": now})


def _end_grant(state: CaseState, act: Act, now: datetime) -> CaseState:
    left = tuple(grant for grant in state.grants if grant.grant_id != act.facts.grant_id)
    if len(left) == len(state.grants):
        raise NothingToAnswer("This link has ended already.")
    return state.model_copy(update={"grants": left})


def _lock_grant(state: CaseState, act: Act, now: datetime) -> CaseState:
    return _end_grant(state, act, now).model_copy(update={"link_locked": True})


def _request_amendment(state: CaseState, act: Act, now: datetime) -> CaseState:
    return state.model_copy(update={"amendment_requested": True})


def _end_request(state: CaseState, act: Act, now: datetime) -> CaseState:
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
    return state.model_copy(
        update={"grants": (), "link_locked": False, "offer_ends_at": None, "late": None, "facts": ()}
    )


Rule = Callable[[CaseState, Act, datetime], CaseState]

RULES: Final[dict[Action, Rule]] = {
    Action.SUBMIT: submit,
    Action.RESUBMIT: submit,
    Action.CONFIRM_IDENTITY: confirm_identity,
    Action.AGREE_IDENTITY: agree_identity,
    Action.REFUSE_IDENTITY: refuse_identity,
    Action.ASSIGN: _offer_to,
    Action.REASSIGN: _offer_to,
    Action.OFFER: _offer_to,
    Action.CLAIM: _claim,
    Action.ACCEPT: _accept,
    Action.DECLINE: _lose_reader,
    Action.LAPSE_OFFER: _lose_reader,
    Action.ANSWER_MODIFICATION: answer_modification,
    Action.ADD_IMAGES: add_images,
    Action.REMOVE_LATE_IMAGES: remove_late_images,
    Action.KEEP_REPORT: keep_report,
    Action.HOLD_LATE_IMAGES: hold_late_images,
    Action.OFFER_LATE_IMAGES: offer_late_images,
    Action.SUBMIT_FOR_APPROVAL: _submit_for_approval,
    Action.NAME_APPROVER: _name_approver,
    Action.APPROVE: _approve,
    Action.RETURN_TO_AUTHOR: _return_to_author,
    Action.SIGN: _sign,
    Action.RELEASE: _release,
    Action.RELEASE_AFTER_HOLD: _release,
    Action.REOPEN: _reopen,
    Action.REVOKE_RELEASE: _end_grant,
    Action.END_GRANT: _end_grant,
    Action.LOCK_GRANT: _lock_grant,
    Action.REQUEST_AMENDMENT: _request_amendment,
    Action.WITHDRAW_AMENDMENT_REQUEST: _end_request,
    Action.DECLINE_AMENDMENT: _end_request,
    Action.AMEND: _amend,
    Action.DISCARD_AMENDMENT: _discard_amendment,
    Action.ENTER_IN_ERROR: _end,
    Action.CANCEL: _end,
    Action.REJECT: _end,
    Action.LAPSE_INTAKE: _end,
    Action.CLOSE: _end,
    Action.PASS_PROCESSING: pass_processing,
    Action.HOLD_FOR_ATTENTION: hold_for_attention,
    Action.HOLD_FOR_BILLING: pass_processing,
    Action.RESUME_REVIEW: resume_review,
}

TARGET_BY_RULE: Final = frozenset(
    {Action.ANSWER_MODIFICATION, Action.ADD_IMAGES, Action.SIGN, Action.DISCARD_AMENDMENT}
)
"""Actions whose row has several targets: their rule chooses."""
