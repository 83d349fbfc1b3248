"""The wait in words: who is waited for, why, since when, until when, and what happens then."""

from collections.abc import Mapping
from typing import Final

from schemas.lifecycle import WAIT_SENTENCES, WaitReason
from schemas.state import Then
from schemas.tables.case import Case
from schemas.translation import N_
from ui.assemble.looker import Looker
from ui.views import Wait

YOURS: Final[Mapping[str, str]] = {
    WaitReason.INTAKE: N_("Waiting for you: submit the case once its images and its form are complete."),
    WaitReason.UNREADABLE_IMAGES: N_("Waiting for you: no image could be read. Add readable images and submit again."),
    WaitReason.IDENTITY_MISMATCH: N_(
        "Waiting for you: the images name another patient. Replace them, or confirm that they are right."
    ),
    WaitReason.IDENTITY_SECOND_PERSON: N_("Waiting for you: agree that the images are this patient's, or refuse them."),
    WaitReason.PLAN: N_("Waiting for you: the plan does not cover this case."),
    WaitReason.NO_READER: N_("Waiting for you: no radiologist is assigned yet."),
    WaitReason.OFFERED: N_("Waiting for you to accept the case."),
    WaitReason.READING: N_("Waiting for your report."),
    WaitReason.QUESTION: N_("Waiting for you: the radiologist asked for something more."),
    WaitReason.APPROVAL: N_("Waiting for your approval."),
    WaitReason.TO_RELEASE: N_("Waiting for you to release the signed report to the patient."),
    WaitReason.LINK_LOCKED: N_(
        "Waiting for you: the patient's link is locked after too many wrong tries. Ask the patient whether it was them, "
        "and release the report again."
    ),
    WaitReason.AMENDMENT_REQUESTED: N_("Waiting for you: the practice asked for an amendment."),
    WaitReason.AMENDMENT: N_("Waiting for your amended report."),
    WaitReason.LATE_UNREADABLE: N_(
        "Waiting for you: the files that were added after the signature cannot be read. Take them out, or add readable "
        "ones."
    ),
    WaitReason.LATE_IMAGES: N_(
        "Waiting for you: images were added after the signature. Look at them; the report stands, or you amend it."
    ),
}
NAMED: Final[Mapping[str, str]] = {
    WaitReason.OFFERED: N_("Waiting for %(reader)s to accept the case."),
    WaitReason.READING: N_("Waiting for the report of %(reader)s."),
    WaitReason.AMENDMENT_REQUESTED: N_("Waiting for %(reader)s: the practice asked for an amendment."),
    WaitReason.AMENDMENT: N_("Waiting for the amended report of %(reader)s."),
    WaitReason.LATE_IMAGES: N_(
        "Waiting for %(reader)s: images were added after the signature. The report stands, or is amended."
    ),
}
"""Where the assigned radiologist's name is known."""

_CLAUSES: Final[Mapping[str, str]] = {
    Then.DRAFT_ENDS: N_("the draft is cancelled"),
    Then.OFFERED_TO_ANOTHER: N_("it is offered to another radiologist"),
    Then.LATE: N_("the report is late and the scheduler is told"),
    Then.RELEASED: N_("the report is released to the patient"),
    Then.LINK_ENDS: N_("the patient's link ends"),
    Then.REMINDED: N_("a reminder is sent"),
}
_OWN_CLAUSES: Final[Mapping[str, str]] = {**_CLAUSES, Then.LATE: N_("the report is late")}
"""For a scheduler who is waited for."""
_SILENT: Final = frozenset({WaitReason.OVER, WaitReason.WITH_PATIENT})


def wait_of(row: Case, looker: Looker, *, yours: bool, names: Mapping[str, str], always: bool = False) -> Wait | None:
    """None where nothing is awaited; ``always`` also says so of what the patient has in hand."""
    if row.wait_reason == WaitReason.OVER or (row.wait_reason in _SILENT and not always):
        return None
    reader, approver = names.get(row.assignee_id or "", ""), names.get(row.approver_id or "", "")
    if yours and row.wait_reason in YOURS:
        sentence = looker.say(YOURS[row.wait_reason])
    elif reader and row.wait_reason in NAMED:
        sentence = looker.say(NAMED[row.wait_reason], reader=reader)
    elif approver and row.wait_reason == WaitReason.APPROVAL:
        sentence = looker.say(N_("Waiting for the approval of %(reader)s."), reader=approver)
    else:
        sentence = looker.say(WAIT_SENTENCES[WaitReason(row.wait_reason)])
    clauses = _OWN_CLAUSES if yours and row.wait_reason == WaitReason.NO_READER else _CLAUSES
    return Wait(
        sentence=sentence,
        since=row.wait_since,
        until=row.wait_until,
        then=looker.say(clauses[row.wait_then]) if row.wait_then in clauses else "",
        yours=yours,
        late=row.wait_until is not None and row.wait_until < looker.moment,
    )
