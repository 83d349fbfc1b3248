"""Which step checks and writes what, beside the projection that every step writes."""

from functools import partial
from typing import Final

from activities.records import amending, releasing, signing, submission
from activities.records.readers import need_reader
from activities.records.writing import Writer, Writing
from schemas.lifecycle import Action


def _check_offered_reader(writing: Writing) -> None:
    need_reader(writing.session, writing.row.practice_id, writing.record.facts.radiologist_id, writing.record.at)


def _check_acting_reader(writing: Writing) -> None:
    need_reader(writing.session, writing.row.practice_id, writing.record.actor.user_id, writing.record.at)


WRITERS: Final[dict[Action, Writer]] = {
    Action.SUBMIT: submission.submit,
    Action.RESUBMIT: submission.submit,
    Action.ANSWER_MODIFICATION: submission.answer,
    Action.ADD_IMAGES: submission.add,
    Action.REMOVE_LATE_IMAGES: submission.remove_late_images,
    Action.KEEP_REPORT: signing.keep,
    Action.ASSIGN: _check_offered_reader,
    Action.REASSIGN: _check_offered_reader,
    Action.OFFER: _check_offered_reader,
    Action.CLAIM: _check_acting_reader,
    Action.ACCEPT: _check_acting_reader,
    Action.AGREE_IDENTITY: _check_acting_reader,
    Action.SUBMIT_FOR_APPROVAL: signing.submit_for_approval,
    Action.NAME_APPROVER: signing.name_approver,
    Action.APPROVE: signing.approve,
    Action.SIGN: signing.sign,
    Action.AMEND: amending.begin_amendment,
    Action.DISCARD_AMENDMENT: amending.discard_amendment,
    Action.RELEASE: releasing.release,
    Action.RELEASE_AFTER_HOLD: releasing.release,
    Action.REVOKE_RELEASE: partial(releasing.end_grant, "revoked"),
    Action.END_GRANT: partial(releasing.end_grant, "expired"),
    Action.ENTER_IN_ERROR: releasing.end_all_grants,
    Action.CLOSE: releasing.end_all_grants,
}
