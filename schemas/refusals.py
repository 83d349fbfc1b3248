"""The facts that refuse a step of a case, known from its state alone."""

from schemas.errors import Forbidden, OdontoError, StateConflict
from schemas.translation import N_


class ActionNotPossible(StateConflict):
    """The table has no such step from the present state."""

    code = "action_not_possible"


class NotYours(Forbidden):
    code = "not_yours"


class FreshSignInNeeded(OdontoError):
    code = "fresh_sign_in_needed"
    status = 403
    title = N_("Please confirm this step with your password.")


class ApprovalNeeded(StateConflict):
    code = "approval_needed"
    title = N_("This practice's contract asks for a second signature: submit the report for approval.")


class ApprovalNotNeeded(StateConflict):
    code = "approval_not_needed"
    title = N_("This practice's contract asks for one signature: sign the report.")


class OwnReport(Forbidden):
    code = "own_report"
    title = N_("Nobody approves their own report. Another approver has to do it.")


class SecondPersonNeeded(StateConflict):
    code = "second_person_needed"
    title = N_("A mismatch of identity needs two people: first the practice confirms, then a radiologist agrees.")


class ImagesAdded(StateConflict):
    code = "images_added"
    title = N_("Files were added since you opened this page. Look at them first, then sign.")


class NothingToAnswer(StateConflict):
    code = "nothing_to_answer"
    title = N_("There is nothing open that this step would answer.")


class InputMissing(StateConflict):
    code = "input_missing"
    status = 422
