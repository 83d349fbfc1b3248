"""Who is told what when a case moves: one table, read by the decisions and by the mail and notification texts.

Texts name no patient and no finding: a mail says that a case needs somebody, the page says why (PHI containment).
"""

from typing import Final

from schemas.lifecycle import Action
from schemas.state import Audience
from schemas.translation import N_

NOTICES: Final[dict[Action, tuple[Audience, ...]]] = {
    Action.HOLD_FOR_ATTENTION: (Audience.PRACTICE,),
    Action.CONFIRM_IDENTITY: (Audience.POOL,),
    Action.REFUSE_IDENTITY: (Audience.PRACTICE,),
    Action.HOLD_FOR_BILLING: (Audience.BILLING_OWNER,),
    Action.PASS_PROCESSING: (Audience.SCHEDULERS,),
    Action.RESUME_REVIEW: (Audience.ASSIGNEE,),
    Action.ASSIGN: (Audience.ASSIGNEE,),
    Action.REASSIGN: (Audience.ASSIGNEE,),
    Action.OFFER: (Audience.ASSIGNEE,),
    Action.DECLINE: (Audience.SCHEDULERS,),
    Action.LAPSE_OFFER: (Audience.SCHEDULERS,),
    Action.REQUEST_MODIFICATION: (Audience.PRACTICE,),
    Action.WITHDRAW_MODIFICATION: (Audience.PRACTICE,),
    Action.ANSWER_MODIFICATION: (Audience.ASSIGNEE,),
    Action.SUBMIT_FOR_APPROVAL: (Audience.APPROVER,),
    Action.NAME_APPROVER: (Audience.APPROVER,),
    Action.RETURN_TO_AUTHOR: (Audience.ASSIGNEE,),
    Action.APPROVE: (Audience.PRACTICE, Audience.ASSIGNEE),
    Action.SIGN: (Audience.PRACTICE,),
    Action.REJECT: (Audience.PRACTICE,),
    Action.REQUEST_AMENDMENT: (Audience.ASSIGNEE,),
    Action.WITHDRAW_AMENDMENT_REQUEST: (Audience.ASSIGNEE,),
    Action.DECLINE_AMENDMENT: (Audience.PRACTICE,),
    Action.AMEND: (Audience.PRACTICE,),
    Action.DISCARD_AMENDMENT: (Audience.PRACTICE,),
    Action.ENTER_IN_ERROR: (Audience.PRACTICE,),
    Action.REOPEN: (Audience.PRACTICE, Audience.ASSIGNEE),
    Action.LAPSE_INTAKE: (Audience.PRACTICE,),
    Action.RELEASE_AFTER_HOLD: (Audience.PRACTICE,),
    Action.END_GRANT: (Audience.PRACTICE,),
    Action.ESCALATE: (Audience.SCHEDULERS,),
}
"""Audiences by act. Reminders and escalations go to whoever is awaited, too; those of a clock also to the schedulers."""

SUBJECTS: Final[dict[Action, str]] = {
    Action.HOLD_FOR_ATTENTION: N_("A case needs your attention: its images"),
    Action.CONFIRM_IDENTITY: N_("A case needs a second person: identity of the images"),
    Action.REFUSE_IDENTITY: N_("A case needs your attention: identity of the images"),
    Action.HOLD_FOR_BILLING: N_("A case waits for your plan"),
    Action.PASS_PROCESSING: N_("A new case is ready to be read"),
    Action.RESUME_REVIEW: N_("The images you asked for have arrived"),
    Action.ASSIGN: N_("A case is offered to you"),
    Action.REASSIGN: N_("A case is offered to you"),
    Action.OFFER: N_("A case is offered to you"),
    Action.DECLINE: N_("A case was declined and has no reader"),
    Action.LAPSE_OFFER: N_("An offer was not answered; the case has no reader"),
    Action.REQUEST_MODIFICATION: N_("The radiologist asks you for something more"),
    Action.WITHDRAW_MODIFICATION: N_("The radiologist's question is withdrawn"),
    Action.ANSWER_MODIFICATION: N_("The practice answered your question"),
    Action.SUBMIT_FOR_APPROVAL: N_("A report waits for your approval"),
    Action.NAME_APPROVER: N_("A report waits for your approval"),
    Action.RETURN_TO_AUTHOR: N_("A report came back to you"),
    Action.APPROVE: N_("A report is signed"),
    Action.SIGN: N_("A report is signed"),
    Action.REJECT: N_("A case was rejected"),
    Action.REQUEST_AMENDMENT: N_("An amendment of your report is asked for"),
    Action.WITHDRAW_AMENDMENT_REQUEST: N_("The amendment of your report is no longer asked for"),
    Action.DECLINE_AMENDMENT: N_("The amendment you asked for was declined"),
    Action.AMEND: N_("A signed report is being amended"),
    Action.DISCARD_AMENDMENT: N_("The amendment was discarded; the report stands"),
    Action.ENTER_IN_ERROR: N_("A report was withdrawn"),
    Action.REOPEN: N_("A closed case was reopened"),
    Action.LAPSE_INTAKE: N_("A draft case was cancelled because nothing happened"),
    Action.RELEASE_AFTER_HOLD: N_("A report was released when its hold ended"),
    Action.END_GRANT: N_("A patient's link has ended"),
    Action.REMIND: N_("A case waits"),
    Action.ESCALATE: N_("A case is late"),
}
