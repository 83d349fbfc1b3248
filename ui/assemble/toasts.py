"""What a toast says about a thing that was just done."""

from typing import Final

from schemas.clinical import N_
from schemas.lifecycle import Action

DONE: Final[dict[str, str]] = {
    "patient.added": N_("The patient was added."),
    "patient.saved": N_("The patient's details were saved."),
    "case.opened": N_("The draft is saved. Add the images, then submit it."),
    "case.saved": N_("The clinical form was saved."),
    "draft.saved": N_("The draft is saved."),
    "message.sent": N_("The message was sent."),
    "message.answered": N_("The question is marked as answered."),
    "file.removed": N_("The files were removed."),
    "user.invited": N_("The invitation was sent."),
    "user.disabled": N_("The account is disabled. Every session of the person has ended."),
    "user.enabled": N_("The account is active again."),
    "user.saved": N_("The role was saved."),
    "user.welcome": N_("Your password is saved. Welcome to OdontoFlow."),
    "notices.read": N_("All notices are marked as read."),
    Action.SUBMIT: N_("The case was submitted. Its images are being checked."),
    Action.RESUBMIT: N_("The case was submitted again. Its images are being checked."),
    Action.CONFIRM_IDENTITY: N_("You confirmed the identity. A radiologist is asked to agree."),
    Action.AGREE_IDENTITY: N_("You agreed that the images are this patient's."),
    Action.REFUSE_IDENTITY: N_("You refused the images. The practice is told why."),
    Action.RETRY_BILLING: N_("The plan is being checked again."),
    Action.ASSIGN: N_("The case was offered to the radiologist."),
    Action.REASSIGN: N_("The case was offered to another radiologist."),
    Action.CLAIM: N_("The case is yours to read."),
    Action.ACCEPT: N_("The case is yours to read."),
    Action.DECLINE: N_("You declined the case. The scheduler is told."),
    Action.REQUEST_MODIFICATION: N_("Your question was sent. Your clock is paused until the answer."),
    Action.WITHDRAW_MODIFICATION: N_("Your question was withdrawn."),
    Action.ANSWER_MODIFICATION: N_("Your answer was sent to the radiologist."),
    Action.SUBMIT_FOR_APPROVAL: N_("The report was signed and waits for the second signature."),
    Action.NAME_APPROVER: N_("Another approver was named."),
    Action.APPROVE: N_("The report is signed by both of you."),
    Action.RETURN_TO_AUTHOR: N_("The report went back to its author."),
    Action.SIGN: N_("The report is signed."),
    Action.REJECT: N_("The case was rejected. The practice reads your reason."),
    Action.RELEASE: N_("The report was released to the patient."),
    Action.REVOKE_RELEASE: N_("The patient's link no longer opens."),
    Action.REQUEST_AMENDMENT: N_("The radiologist is asked for an amendment."),
    Action.DECLINE_AMENDMENT: N_("You declined the amendment. The practice reads your reason."),
    Action.AMEND: N_("The amendment is open. The signed version stays in force until you sign the new one."),
    Action.DISCARD_AMENDMENT: N_("The amendment was discarded. The signed report stands."),
    Action.REOPEN: N_("The case is open again."),
    Action.ENTER_IN_ERROR: N_("The report was withdrawn."),
    Action.CANCEL: N_("The case was cancelled."),
}
"""By the name in the cookie; the case's actions are names of their own."""
