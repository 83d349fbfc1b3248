"""What happened to a case, in words."""

from collections.abc import Mapping, Sequence
from typing import Final

from schemas import forms
from schemas.lifecycle import Action
from schemas.translation import N_
from ui.assemble.looker import Looker
from ui.views import TimelineEntry
from ui.views.status import Tone

ACTS: Final[Mapping[Action, tuple[str, str, Tone]]] = {
    Action.CREATE: (N_("Created"), "draft", "quiet"),
    Action.SUBMIT: (N_("Submitted"), "released", "accent"),
    Action.RESUBMIT: (N_("Submitted again"), "released", "accent"),
    Action.CONFIRM_IDENTITY: (N_("Confirmed the patient's identity"), "person", "warn"),
    Action.AGREE_IDENTITY: (N_("Agreed with the identity"), "check", "ok"),
    Action.REFUSE_IDENTITY: (N_("Refused the images"), "attention", "warn"),
    Action.RETRY_BILLING: (N_("Asked to check the plan again"), "billing", "quiet"),
    Action.ASSIGN: (N_("Offered to a radiologist"), "assigned", "info"),
    Action.REASSIGN: (N_("Offered to another radiologist"), "assigned", "info"),
    Action.CLAIM: (N_("Took the case"), "assigned", "info"),
    Action.ACCEPT: (N_("Accepted the case"), "assigned", "info"),
    Action.DECLINE: (N_("Declined the case"), "undo", "warn"),
    Action.REQUEST_MODIFICATION: (N_("Asked the practice"), "question", "warn"),
    Action.WITHDRAW_MODIFICATION: (N_("Withdrew the question"), "undo", "quiet"),
    Action.ANSWER_MODIFICATION: (N_("Answered the question"), "chat", "info"),
    Action.ADD_IMAGES: (N_("Added files"), "image", "accent"),
    Action.REMOVE_LATE_IMAGES: (N_("Took the added images out"), "undo", "quiet"),
    Action.KEEP_REPORT: (N_("Signed that the report stands with the added images"), "signed", "ok"),
    Action.SUBMIT_FOR_APPROVAL: (N_("Signed and sent for approval"), "approval", "accent"),
    Action.NAME_APPROVER: (N_("Named another approver"), "person", "quiet"),
    Action.APPROVE: (N_("Approved and signed"), "signed", "ok"),
    Action.RETURN_TO_AUTHOR: (N_("Returned the report to its author"), "undo", "warn"),
    Action.SIGN: (N_("Signed the report"), "signed", "ok"),
    Action.REJECT: (N_("Rejected the case"), "stop", "bad"),
    Action.RELEASE: (N_("Released the report to the patient"), "released", "ok"),
    Action.REVOKE_RELEASE: (N_("Revoked the patient's link"), "stop", "warn"),
    Action.REQUEST_AMENDMENT: (N_("Asked for an amendment"), "amending", "warn"),
    Action.WITHDRAW_AMENDMENT_REQUEST: (N_("Took the request for an amendment back"), "undo", "quiet"),
    Action.DECLINE_AMENDMENT: (N_("Declined the amendment"), "undo", "quiet"),
    Action.AMEND: (N_("Began to amend the report"), "amending", "accent"),
    Action.DISCARD_AMENDMENT: (N_("Discarded the amendment"), "undo", "quiet"),
    Action.REOPEN: (N_("Reopened the case"), "undo", "warn"),
    Action.ENTER_IN_ERROR: (N_("Withdrew the report"), "withdrawn", "bad"),
    Action.CANCEL: (N_("Cancelled the case"), "stop", "quiet"),
    Action.PASS_PROCESSING: (N_("Images checked"), "check", "ok"),
    Action.HOLD_FOR_ATTENTION: (N_("Held: the images need attention"), "attention", "warn"),
    Action.HOLD_FOR_BILLING: (N_("Held: the plan does not cover the case"), "billing", "warn"),
    Action.RESUME_REVIEW: (N_("New images checked, back to the reader"), "check", "ok"),
    Action.HOLD_LATE_IMAGES: (N_("Held: the added images need attention"), "attention", "warn"),
    Action.OFFER_LATE_IMAGES: (N_("Added images checked, the radiologist is asked"), "check", "info"),
    Action.OFFER: (N_("Offered to a radiologist automatically"), "inbox", "info"),
    Action.LAPSE_OFFER: (N_("The offer lapsed"), "clock", "warn"),
    Action.LAPSE_INTAKE: (N_("Cancelled: the draft was left for too long"), "stop", "quiet"),
    Action.RELEASE_AFTER_HOLD: (N_("Released when the hold ended"), "released", "ok"),
    Action.END_GRANT: (N_("The patient's link ended"), "clock", "quiet"),
    Action.LOCK_GRANT: (N_("The patient's link was locked after too many wrong tries"), "lock", "warn"),
    Action.REMIND: (N_("Sent a reminder"), "mail", "quiet"),
    Action.ESCALATE: (N_("Told the scheduler that the case is late"), "flag", "bad"),
    Action.CLOSE: (N_("Closed"), "archive", "quiet"),
}


def timeline_of(entries: Sequence[forms.TimelineEntry], looker: Looker) -> tuple[TimelineEntry, ...]:
    """Newest first. A note is what was typed with the step."""
    return tuple(_entry(entry, looker) for entry in reversed(entries))


def _entry(entry: forms.TimelineEntry, looker: Looker) -> TimelineEntry:
    what, icon, tone = ACTS[Action(entry.action)]
    return TimelineEntry(
        what=looker.say(what), who=entry.actor, when=entry.at, icon=icon, tone=tone, note=entry.text or ""
    )
