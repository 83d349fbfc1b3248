"""The page of one case, assembled for one person."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from api.case_facts import CaseFacts, FoundName, sees_files
from api.standing import CaseAccess
from api.waiting import waits_for
from schemas.access import Right, may
from schemas.clinical import FIELD_LABELS, PREGNANCY_LABELS, REGION_LABELS, ClinicalForm
from schemas.lifecycle import Action, Relation, State, transition
from schemas.state import IdentityStanding, LateCheck
from schemas.translation import N_
from ui.assemble.case_actions import Tried, case_actions
from ui.assemble.case_rows import about_known, case_url, modality_words, purpose_words
from ui.assemble.chats import chat_of
from ui.assemble.clocks import clock_of
from ui.assemble.files import files_of
from ui.assemble.looker import Looker
from ui.assemble.report import local_dates, report_view
from ui.assemble.timelines import timeline_of
from ui.assemble.waits import wait_of
from ui.views import CaseView, ChatView, FilesView, FormState, ReportView, Step, state_chip

_STEPS: Final = (N_("Request"), N_("Images checked"), N_("Reading"), N_("Signed"), N_("Released"))
_AT: Final = {
    State.DRAFT: 0,
    State.PROCESSING: 1,
    State.ATTENTION: 1,
    State.BILLING_HOLD: 1,
    State.UNASSIGNED: 2,
    State.ASSIGNED: 2,
    State.IN_REVIEW: 2,
    State.MODIFICATION_REQUESTED: 2,
    State.AWAITING_APPROVAL: 2,
    State.AMENDING: 3,
    State.SIGNED: 4,
    State.RELEASED: 5,
    State.CLOSED: 5,
}
"""Which step a state is at; a case that ended without a report is at none."""
_WAITING_HINT: Final = N_(
    "The report is being amended. New files are seen by your practice alone; you can add them once the amendment is signed."
)
_NEW: Final = N_("New, not added yet")
_LATE_HINT: Final = N_("New files are seen by your practice alone until you choose “Add the new files”.")


def case_page(
    access: CaseAccess,
    facts: CaseFacts,
    looker: Looker,
    *,
    tried: Tried | None = None,
    message: FormState | None = None,
    pending: str = "",
    trace_url: str = "",
) -> CaseView:
    """``tried`` is a step that was refused, ``message`` a chat message that could not be sent: both come back as typed."""
    row, form, person = access.row, facts.form, facts.person
    knows = person is not None
    yours = waits_for(row, access.held, is_owner=access.is_owner)
    url = case_url(row, access.held)
    return CaseView(
        id=row.id,
        number=row.number,
        patient=person.full_name if person else "",
        patient_url=f"/patients/{row.patient_id}" if knows and _is_of_practice(access) else "",
        about=_about(access, facts, looker),
        purpose=purpose_words(row, looker) if access.may(Right.SEE_ROW) else "",
        modality=modality_words(facts.modalities, looker),
        teeth=looker.teeth(form.teeth) if form else (),
        priority=row.priority,
        practice=facts.practice.name,
        referrer=form.referrer if form else "",
        radiologist=facts.names.get(row.assignee_id or "", ""),
        question=form.clinical_question if form else "",
        history=form.history if form else "",
        facts=_facts(access, facts, looker),
        chip=state_chip(access.state),
        wait=wait_of(row, looker, yours=yours, names=facts.names, always=True),
        clock=clock_of(facts.state, looker),
        steps=steps_of(access.state, looker),
        actions=case_actions(access, facts, looker, tried=tried),
        files=_files(access, facts, looker),
        report=_report(access, facts, looker),
        chat=_chat(access, facts, looker, message),
        timeline=timeline_of(facts.timeline, looker) if facts.timeline is not None else (),
        banner=_banner(access, facts, looker),
        banner_text=_vouched_words(facts, looker),
        banner_tone="info" if access.state is State.IN_REVIEW else "warn",
        trace_url=trace_url,
        links_url=_links_url(access, facts),
        edit_url=f"/cases/{row.id}/form" if access.may(Right.EDIT_FORM) else "",
        read_url=url if url.endswith("/read") else "",
        problem=tried.problem if tried else "",
        pending=pending,
    )


def steps_of(state: State, looker: Looker) -> tuple[Step, ...]:
    at = _AT.get(state)
    if at is None:
        return ()
    return tuple(Step(word=looker.say(word), done=index < at, current=index == at) for index, word in enumerate(_STEPS))


def _is_of_practice(access: CaseAccess) -> bool:
    return any(member.organization_id == access.row.practice_id for member in access.person.members)


def _about(access: CaseAccess, facts: CaseFacts, looker: Looker) -> str:
    if not access.may(Right.SEE_ROW):
        return facts.practice.name
    return about_known(facts.person, access.row, looker)


def _facts(access: CaseAccess, facts: CaseFacts, looker: Looker) -> tuple[tuple[str, str], ...]:
    reader = facts.names.get(access.row.assignee_id or "", "")
    common = [
        (N_("Case number"), access.row.number),
        (N_("Practice"), facts.practice.name),
        (N_("Radiologist"), reader),
        (N_("Second reader"), facts.names.get(access.row.approver_id or "", "")),
    ]
    asked = _asked(facts.form, looker) if facts.form else []
    return tuple((name, value) for name, value in [*asked, *common] if value)


def _asked(form: ClinicalForm, looker: Looker) -> list[tuple[str, str]]:
    return [
        (FIELD_LABELS["referrer"], form.referrer),
        (FIELD_LABELS["copies_to"], ", ".join(form.copies_to)),
        (FIELD_LABELS["region"], looker.say(REGION_LABELS[form.region]) if form.region else ""),
        (FIELD_LABELS["site_note"], form.site_note),
        (FIELD_LABELS["prior_images"], form.prior_images),
        (FIELD_LABELS["pregnancy"], looker.say(PREGNANCY_LABELS[form.pregnancy]) if form.pregnancy else ""),
        (FIELD_LABELS["field_of_view_mm"], f"{form.field_of_view_mm:g}" if form.field_of_view_mm else ""),
        (FIELD_LABELS["consent"], looker.say(N_("Given")) if form.consent else looker.say(N_("Not confirmed yet"))),
    ]


def _files(access: CaseAccess, facts: CaseFacts, looker: Looker) -> FilesView | None:
    if facts.files is None or not sees_files(access):
        return None
    if access.state is State.ATTENTION and not access.may(Right.UPLOAD) and not facts.files.usable:
        return None  # readers see what was checked: "No images" would be said of a case that has some
    shown = files_of(
        access.row.id,
        facts.files,
        looker,
        mixed=facts.mixed,
        may_upload=access.may(Right.UPLOAD),
        may_upload_later=any(may(Right.UPLOAD, access.held, state) for state in State),
        may_remove=access.may(Right.DELETE_FILES),
        may_see=access.may(Right.SEE_IMAGES),
    )
    if transition(Action.ADD_IMAGES, access.state) is not None:
        # After submission only what is in no set yet can be removed: that is what is new.
        lines = (replace(line, note=looker.say(_NEW)) if line.remove_url else line for line in shown.studies)
        return replace(shown, hint=looker.say(_LATE_HINT), studies=tuple(lines))
    return replace(shown, hint=looker.say(_WAITING_HINT)) if access.state is State.AMENDING else shown


def _chat(access: CaseAccess, facts: CaseFacts, looker: Looker, message: FormState | None) -> ChatView | None:
    if facts.messages is None:
        return None
    return chat_of(access.row, facts.messages, looker, form=message)


def _links_url(access: CaseAccess, facts: CaseFacts) -> str:
    """The patient's links, for the practice that released the report."""
    own = any(taker.relation is Relation.OWN for taker in access.held)
    return f"{case_url(access.row, access.held)}/links" if own and facts.state.last_release_at is not None else ""


def _report(access: CaseAccess, facts: CaseFacts, looker: Looker) -> ReportView | None:
    if not facts.versions:
        return None
    withdrawn = facts.said.text if facts.said and access.state is State.ENTERED_IN_ERROR else ""
    base = f"/api/v1/cases/{access.row.id}/report.pdf?version="
    dates = local_dates(looker.reader.zone, looker.reader.locale)
    return report_view(facts.versions, lambda version: f"{base}{version}", dates, withdrawn)


def _banner(access: CaseAccess, facts: CaseFacts, looker: Looker) -> str:
    """What has to be read before anything else on the page: somebody's words, or what is wrong with the images."""
    if facts.said is not None:
        return f"{facts.said.by}: {facts.said.text}"
    late = facts.state.late
    late_mismatch = late is not None and late.check is LateCheck.MISMATCHED
    if late_mismatch or facts.state.identity.standing is IdentityStanding.MISMATCHED:
        return _named_in_images([found for found in facts.found_names if found.contradicts], looker)
    return ""


def _vouched_words(facts: CaseFacts, looker: Looker) -> str:
    """What the second person compares and reads; the first has the patient's name at the head of the page."""
    if facts.vouched is None:
        return ""
    return looker.say(
        N_(
            "This case is of %(name)s, born %(day)s. %(who)s confirmed that the images are this patient's: “%(reason)s”"
        ),
        name=facts.vouched.name,
        day=looker.day(facts.vouched.birth_date),
        who=facts.vouched.said.by,
        reason=facts.vouched.said.text,
    )


def _named_in_images(found: Sequence[FoundName], looker: Looker) -> str:
    if not found:
        return ""
    people = "; ".join(
        looker.say(N_("“%(name)s”, born %(day)s"), name=each.name, day=_day(each.birth_date, looker))
        if each.birth_date
        else f"“{each.name}”"
        for each in found
    )
    return looker.say(N_("The images name another patient: %(people)s."), people=people)


def _day(text: str, looker: Looker) -> str:
    try:
        return looker.day(date.fromisoformat(text))
    except ValueError:
        return text
