"""The rules of a case's image sets: how one is submitted, checked, added to late, and covered by a signature.

The newest set is ``CaseState.image_set``; readers see up to the verified one, the patient what the latest version covers.
"""

from datetime import datetime

from schemas.acts import Act
from schemas.lifecycle import SIGNED_STATES, State
from schemas.refusals import ImagesAdded, NothingToAnswer
from schemas.state import CaseState, Identity, IdentityStanding, LateCheck, LateImages


def _next_set(state: CaseState) -> CaseState:
    """A new image set; nobody has looked yet whose it is."""
    return state.model_copy(
        update={"image_set": state.image_set + 1, "files_arrived": False, "late_files_arrived": False}
    )


def submit(state: CaseState, act: Act, now: datetime) -> CaseState:
    # What readers saw before, they go on seeing: up to the last set that was checked.
    return _next_set(state).model_copy(update={"identity": Identity(), "verified_set": state.readable_up_to})


def answer_modification(state: CaseState, act: Act, now: datetime) -> CaseState:
    if not act.facts.new_images:
        return state.model_copy(update={"state": State.IN_REVIEW})
    return submit(state, act, now).model_copy(update={"state": State.PROCESSING, "was_read_by": state.assignee_id})


def add_images(state: CaseState, act: Act, now: datetime) -> CaseState:
    """Files of the practice after submission. What it means depends on how far the case is."""
    if state.state in SIGNED_STATES:
        since = state.late.since if state.late else now
        signed = {"verified_set": state.readable_up_to, "signed_set": state.signed_up_to}
        return _next_set(state).model_copy(update={**signed, "late": LateImages(since=since)})
    # The author signed over the images of before: the approver would sign over others.
    back = {"state": State.IN_REVIEW, "approver_id": None} if state.state is State.AWAITING_APPROVAL else {}
    if not act.facts.new_images:
        added = _next_set(state)
        return added.model_copy(update={"verified_set": added.image_set, **back})
    reader = {"was_read_by": state.assignee_id}
    if state.state is State.ASSIGNED:
        reader = {"was_offered_to": state.assignee_id, "assignee_id": None}
    return submit(state, act, now).model_copy(
        update={"approver_id": None, "offer_ends_at": None, **reader, "state": State.PROCESSING}
    )


def confirm_identity(state: CaseState, act: Act, now: datetime) -> CaseState:
    if state.late is not None:
        return _with_late(state, confirmed_by=act.actor.user_id)
    confirmed = state.identity.model_copy(update={"confirmed_by": act.actor.user_id})
    return state.model_copy(update={"identity": confirmed})


def agree_identity(state: CaseState, act: Act, now: datetime) -> CaseState:
    first = state.late.confirmed_by if state.late else state.identity.confirmed_by
    agreed = Identity(standing=IdentityStanding.OVERRIDDEN, confirmed_by=first, agreed_by=act.actor.user_id)
    agreed_to = state.model_copy(update={"identity": agreed})
    return agreed_to if state.late is None else offer_late_images(agreed_to, act, now)


def refuse_identity(state: CaseState, act: Act, now: datetime) -> CaseState:
    if state.late is not None:
        return _with_late(state, confirmed_by=None)
    return state.model_copy(update={"identity": Identity(standing=IdentityStanding.MISMATCHED)})


def pass_processing(state: CaseState, act: Act, now: datetime) -> CaseState:
    return hold_for_attention(state, act, now).model_copy(update={"verified_set": state.image_set})


def hold_for_attention(state: CaseState, act: Act, now: datetime) -> CaseState:
    if act.identity is None:
        raise ValueError("processing ends with a verdict on identity")
    if act.identity is IdentityStanding.OVERRIDDEN:
        raise ValueError("only two people override an identity")
    if state.identity.standing is IdentityStanding.OVERRIDDEN:
        return state
    return state.model_copy(update={"identity": Identity(standing=act.identity)})


def resume_review(state: CaseState, act: Act, now: datetime) -> CaseState:
    return pass_processing(state, act, now).model_copy(update={"was_read_by": None})


def hold_late_images(state: CaseState, act: Act, now: datetime) -> CaseState:
    foreign = act.identity is IdentityStanding.MISMATCHED
    return _with_late(state, check=LateCheck.MISMATCHED if foreign else LateCheck.UNREADABLE)


def offer_late_images(state: CaseState, act: Act, now: datetime) -> CaseState:
    """Readers see them from now on; the patient does not."""
    fits = act.identity is IdentityStanding.MATCHED
    identity = Identity(standing=IdentityStanding.MATCHED) if fits else state.identity
    return _with_late(state, check=LateCheck.OFFERED).model_copy(
        update={"verified_set": state.image_set, "identity": identity}
    )


def remove_late_images(state: CaseState, act: Act, now: datetime) -> CaseState:
    """The unverified ones leave the record, so that the newest set is the last verified one again."""
    uncovered = state.readable_up_to > state.signed_up_to
    before = _with_late(state, check=LateCheck.OFFERED, confirmed_by=None).late if uncovered else None
    return state.model_copy(update={"late": before, "verified_set": state.image_set})


def keep_report(state: CaseState, act: Act, now: datetime) -> CaseState:
    """The next version says that the report stands, and covers the new images."""
    need_seen(state, act)
    return covering(state).model_copy(
        update={"version": state.version + 1, "author_id": act.actor.user_id, "signed_at": now, "approver_id": None}
    )


def covering(state: CaseState) -> CaseState:
    """A signature covers what was verified; late images that were not stay late."""
    covers_all = state.late is not None and state.late.check is LateCheck.OFFERED
    return state.model_copy(update={"signed_set": state.readable_up_to, "late": None if covers_all else state.late})


def need_seen(state: CaseState, act: Act) -> None:
    """Nobody signs over images that came after they had opened the page."""
    if act.facts.image_set is not None and act.facts.image_set < state.readable_up_to:
        raise ImagesAdded()


def _with_late(state: CaseState, **changes: object) -> CaseState:
    if state.late is None:
        raise NothingToAnswer()
    return state.model_copy(update={"late": state.late.model_copy(update=changes)})
