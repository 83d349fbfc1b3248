"""What a step needs of a case beside its state, and so what somebody can do with it now.

The decision, the API's list of actions and the buttons of the pages have this one answer. What a form has to say is the
rules' to check, and what only the database knows the record's.
"""

from collections.abc import Callable
from typing import Final

from schemas.errors import OdontoError, StateConflict
from schemas.lifecycle import SIGNED_STATES, Action, State, Taker, allowed_actions
from schemas.refusals import (
    ApprovalNeeded,
    ApprovalNotNeeded,
    NothingToAnswer,
    OwnReport,
    SecondPersonNeeded,
)
from schemas.state import CaseState, IdentityStanding, LateCheck

Condition = Callable[[CaseState, str], OdontoError | None]
"""The fact that refuses the step to this user, or None."""


def obstacle(action: Action, case: CaseState, user_id: str) -> OdontoError | None:
    """What refuses the step whatever its form says; None when nothing does. The table has been asked before."""
    condition = _CONDITIONS.get(action)
    return condition(case, user_id) if condition else None


def possible_actions(
    case: CaseState, held: frozenset[Taker], user_id: str, *, is_owner: bool = False
) -> tuple[Action, ...]:
    """The steps that this person, who stands so to the case, can take now; in the table's order."""
    allowed = allowed_actions(case.state, held, is_owner=is_owner)
    return tuple(action for action in allowed if obstacle(action, case, user_id) is None)


def _open_mismatch(case: CaseState) -> tuple[bool, str | None]:
    """Whether images wait for two people, and who of the practice has confirmed them."""
    if case.state in SIGNED_STATES:
        late = case.late
        return late is not None and late.check is LateCheck.MISMATCHED, late.confirmed_by if late else None
    return case.identity.standing is IdentityStanding.MISMATCHED, case.identity.confirmed_by


def _confirm_identity(case: CaseState, user_id: str) -> OdontoError | None:
    is_open, confirmed_by = _open_mismatch(case)
    return NothingToAnswer() if not is_open or confirmed_by is not None else None


def _judge_identity(case: CaseState, user_id: str) -> OdontoError | None:
    is_open, confirmed_by = _open_mismatch(case)
    if not is_open:
        return NothingToAnswer()
    return SecondPersonNeeded() if confirmed_by in {None, user_id} else None


def _remove_late_images(case: CaseState, user_id: str) -> OdontoError | None:
    if case.late is None:
        return NothingToAnswer()
    if case.late.check is LateCheck.OFFERED:
        return StateConflict("The radiologist has been shown these images; they belong to the record.")
    return None


def _keep_report(case: CaseState, user_id: str) -> OdontoError | None:
    return None if case.late is not None and case.late.check is LateCheck.OFFERED else NothingToAnswer()


def _reassign(case: CaseState, user_id: str) -> OdontoError | None:
    if case.assignee_id is None:
        return NothingToAnswer("No radiologist has this case yet.")
    if case.state in SIGNED_STATES and not case.amendment_requested and case.late is None:
        return StateConflict(
            "The report is signed. Another radiologist is named when an amendment is asked for or images are added."
        )
    return None


def _submit_for_approval(case: CaseState, user_id: str) -> OdontoError | None:
    return None if case.policy.requires_approval else ApprovalNotNeeded()


def _sign(case: CaseState, user_id: str) -> OdontoError | None:
    needs_two = case.policy.requires_approval and case.state is not State.AMENDING
    return ApprovalNeeded() if needs_two else None


def _approve(case: CaseState, user_id: str) -> OdontoError | None:
    return OwnReport() if user_id == case.author_id else None


def _revoke_release(case: CaseState, user_id: str) -> OdontoError | None:
    return None if case.grants else NothingToAnswer("There is no active link.")


def _request_amendment(case: CaseState, user_id: str) -> OdontoError | None:
    if case.amendment_requested:
        return StateConflict("An amendment has been asked for already; the radiologist has been told.")
    return None


def _answer_request(case: CaseState, user_id: str) -> OdontoError | None:
    return None if case.amendment_requested else NothingToAnswer()


_CONDITIONS: Final[dict[Action, Condition]] = {
    Action.CONFIRM_IDENTITY: _confirm_identity,
    Action.AGREE_IDENTITY: _judge_identity,
    Action.REFUSE_IDENTITY: _judge_identity,
    Action.REMOVE_LATE_IMAGES: _remove_late_images,
    Action.KEEP_REPORT: _keep_report,
    Action.REASSIGN: _reassign,
    Action.SUBMIT_FOR_APPROVAL: _submit_for_approval,
    Action.SIGN: _sign,
    Action.APPROVE: _approve,
    Action.REVOKE_RELEASE: _revoke_release,
    Action.REQUEST_AMENDMENT: _request_amendment,
    Action.WITHDRAW_AMENDMENT_REQUEST: _answer_request,
    Action.DECLINE_AMENDMENT: _answer_request,
}
