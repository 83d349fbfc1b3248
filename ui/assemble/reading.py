"""The reading page, assembled for one person."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlmodel import Session, col, select

from api.case_facts import CaseFacts
from api.imaging.access import images_of, root_of_case
from api.imaging.viewer_state import key_images
from api.reports import Draft, missing_for_signature, read_draft, signed_versions
from api.standing import CaseAccess
from api.waiting import waits_for
from infra.keystore import KeyStore
from schemas.access import Right
from schemas.clinical import PURPOSE_LABELS, Purpose
from schemas.forms import ReportDraftBody
from schemas.lifecycle import State
from schemas.report import ReportContent
from schemas.signed_report import SignedReport
from schemas.sla import AmendmentKind
from schemas.state import IdentityStanding
from schemas.tables.case import Case
from schemas.tables.report import ReportDraft
from schemas.translation import N_
from ui.assemble.case_actions import AT_THE_REPORT, Tried, case_actions
from ui.assemble.case_rows import about_known, purpose_words
from ui.assemble.chats import chat_of
from ui.assemble.clocks import clock_of
from ui.assemble.late import late_note
from ui.assemble.looker import Looker
from ui.assemble.studies import series_of, series_views, study_uids
from ui.assemble.waits import wait_of
from ui.views import Action, FormState, ImagesView, ReadingView, state_chip
from ui.views.reading import AddendumView, KeyImageChoice

_WRITTEN: Final = frozenset({State.IN_REVIEW, State.MODIFICATION_REQUESTED, State.AWAITING_APPROVAL, State.AMENDING})
"""States with a draft; in all others the signed text is what there is to read."""
_PRIORS: Final = 10

NOTES: Final = {
    AmendmentKind.APPENDED: N_("You are writing an addendum. The signed text stays as it is."),
    AmendmentKind.CORRECTED: N_(
        "You are correcting the signed report. The signed version stays in force until you sign."
    ),
    AmendmentKind.AMENDED: N_("You are changing the signed report. The signed version stays in force until you sign."),
}


@dataclass(frozen=True, slots=True)
class Typed:
    """A draft that could not be saved, as it was typed, and why."""

    body: ReportDraftBody
    conflict: str


def reading_page(
    session: Session,
    keys: KeyStore,
    access: CaseAccess,
    facts: CaseFacts,
    looker: Looker,
    *,
    tried: Tried | None = None,
    typed: Typed | None = None,
) -> ReadingView:
    """``tried`` is a step that was refused; ``typed`` a draft that somebody else had changed meanwhile."""
    row, state = access.row, facts.state
    versions = signed_versions(session, keys, row.id) if row.version else []
    draft = read_draft(session, keys, access) if access.state in _WRITTEN else None
    body = typed.body if typed else draft.body if draft else ReportDraftBody(content=_signed(versions))
    editable = draft is not None and access.may(Right.EDIT_DRAFT)
    appending = editable and state.amendment is not None and state.amendment.kind is AmendmentKind.APPENDED
    saved = session.get(ReportDraft, row.id)
    sign, others = _steps(access, facts, looker, draft, tried)
    rows = series_of(session, images_of(access))
    form = facts.form
    return ReadingView(
        case_id=row.id,
        number=row.number,
        patient=facts.person.full_name if facts.person else row.number,
        about=about_known(facts.person, row, looker),
        purpose=_purpose(row, form.teeth if form else [], looker),
        question=form.clinical_question if form else "",
        history=form.history if form else "",
        case_url=f"/cases/{row.id}",
        chip=state_chip(access.state),
        clock=clock_of(state, looker),
        wait=wait_of(
            row,
            looker,
            yours=waits_for(row, access.held, is_owner=access.is_owner),
            names=facts.names,
        ),
        series=series_views(rows, root_of_case(row.id)),
        study_uid=",".join(study_uids(session, images_of(access))),
        series_url=series_url(row.id, looker),
        dicomweb_url=root_of_case(row.id),
        annotations_url=f"/api/v1/cases/{row.id}/annotations",
        report=body.content,
        key_images=key_image_choices(session, access, body.content),
        version=row.version + 1 if draft else max(row.version, 1),
        draft_url=f"/api/v1/cases/{row.id}/report/draft",
        etag=f'"{draft.revision}"' if draft else "",
        editable=editable,
        annotates=access.may(Right.ANNOTATE),
        content_json=body.content.model_dump_json() if appending else "",
        addendum=body.addendum,
        addenda=_addenda(versions),
        saved_at=saved.updated_at if saved and draft else None,
        checks=_checks(session, access, draft, looker) if sign else (),
        sign=sign,
        actions=others,
        chat=chat_of(row, facts.messages, looker) if facts.messages is not None else None,
        prior=_priors(session, access, looker),
        window_url=f"/cases/{row.id}/images",
        note=_note(access, facts, looker) or late_note(session, images_of(access), state, looker),
        image_set=state.readable_up_to,
        identity_note=_identity_note(facts, looker),
        problem=tried.problem if tried else "",
        conflict=typed.conflict if typed else "",
    )


def images_page(session: Session, access: CaseAccess, title: str, about: str, looker: Looker) -> ImagesView:
    """The images alone, for a second screen."""
    rows = series_of(session, images_of(access))
    reads, root = access.may(Right.SEE_DRAFT), root_of_case(access.row.id)
    return ImagesView(
        title=title,
        about=about,
        back_url=f"/cases/{access.row.id}/read" if reads else f"/cases/{access.row.id}",
        back_word=looker.say(N_("Back to the report") if reads else N_("Back to the case")),
        root=root,
        studies=tuple(study_uids(session, images_of(access))),
        series_url=series_url(access.row.id, looker),
        series=series_views(rows, root),
        case_id=access.row.id,
        annotations_url=f"/api/v1/cases/{access.row.id}/annotations",
        editable=access.may(Right.ANNOTATE),
        advanced_url=f"/cases/{access.row.id}/advanced" if rows else "",
    )


def series_url(case_id: str, looker: Looker) -> str:
    """Where the viewer learns in which order the images are read, and under which names."""
    return f"/api/v1/cases/{case_id}/series?notation={looker.notation}"


def _own(access: CaseAccess) -> bool:
    return images_of(access).up_to_set is None


def key_image_choices(session: Session, access: CaseAccess, content: ReportContent) -> tuple[KeyImageChoice, ...]:
    """Those of the report in its order, then the others in the order in which they were taken."""
    stored = {image.id: image for image in key_images(session, images_of(access))}
    chosen = {image.image_id: image.caption for image in content.key_images if image.image_id in stored}
    ordered = [*chosen, *(image_id for image_id in stored if image_id not in chosen)]
    return tuple(
        KeyImageChoice(
            id=image_id,
            caption=chosen.get(image_id) or stored[image_id].caption,
            thumbnail=stored[image_id].thumbnail_url,
            chosen=image_id in chosen,
        )
        for image_id in ordered
    )


def _signed(versions: Sequence[SignedReport]) -> ReportContent:
    return versions[-1].content if versions else ReportContent()


def _addenda(versions: Sequence[SignedReport]) -> tuple[AddendumView, ...]:
    addenda = versions[-1].addenda if versions else ()
    return tuple(AddendumView(text=each.text, author=each.author.name, when=each.author.signed_at) for each in addenda)


def _steps(
    access: CaseAccess, facts: CaseFacts, looker: Looker, draft: Draft | None, tried: Tried | None
) -> tuple[Action | None, tuple[Action, ...]]:
    """The signature, which has a dialog of its own, and every other step."""
    made = [
        replace(action, url=f"/cases/{access.row.id}/read/actions/{action.name}")
        for action in case_actions(access, facts, looker, tried=tried, at_report=True)
    ]
    sign = next((action for action in made if action.name in AT_THE_REPORT), None)
    others = tuple(action for action in made if action is not sign)
    if sign is not None and draft is None:
        seen = str(facts.state.readable_up_to)
        sign = replace(sign, state=replace(sign.state, values={**sign.state.values, "image_set": seen}))
    if sign is not None and draft is not None:
        # A signature names the draft and the images that the signer has before their eyes, also after a refused try.
        seen = str(facts.state.readable_up_to)
        values = {**sign.state.values, "draft_hash": draft.content_hash, "image_set": seen}
        sign = replace(
            sign, state=FormState(values=values, errors=sign.state.errors, nonce=sign.state.nonce), blocked=""
        )
    return sign, others


def _checks(session: Session, access: CaseAccess, draft: Draft | None, looker: Looker) -> tuple[str, ...]:
    if draft is None:
        return ()
    missing = missing_for_signature(session, access, draft.body)
    return tuple(looker.say(item.message, label=looker.say(item.label) if item.label else "") for item in missing)


def _note(access: CaseAccess, facts: CaseFacts, looker: Looker) -> str:
    if facts.state.amendment is not None:
        return looker.say(NOTES[facts.state.amendment.kind])
    if facts.said is not None:
        return f"{facts.said.by}: {facts.said.text}"
    if access.state is State.AWAITING_APPROVAL:
        author = facts.names.get(access.row.author_id or "", "")
        return (
            looker.say(N_("Signed by %(author)s. It waits for the second signature."), author=author) if author else ""
        )
    return ""


def _identity_note(facts: CaseFacts, looker: Looker) -> str:
    if facts.state.identity.standing is not IdentityStanding.OVERRIDDEN:
        return ""
    return looker.say(
        N_(
            "Some images name another patient. The practice confirmed, and a radiologist agreed, that they are this one's."
        )
    )


def _purpose(row: Case, teeth: Sequence[str], looker: Looker) -> str:
    shown = looker.teeth(teeth)
    return f"{purpose_words(row, looker)}, {', '.join(shown)}" if shown else purpose_words(row, looker)


def _priors(session: Session, access: CaseAccess, looker: Looker) -> tuple[tuple[str, str], ...]:
    """Earlier cases of the same patient and practice with images, for the assigned reader (DECISIONS, relation `prior`)."""
    row = access.row
    if row.assignee_id != access.person.user_id:
        return ()
    rows = session.exec(
        select(Case)
        .where(
            Case.patient_id == row.patient_id,
            Case.practice_id == row.practice_id,
            Case.id != row.id,
            col(Case.submitted_at).is_not(None),
            col(Case.verified_set) > 0,
        )
        .order_by(col(Case.created_at).desc())
        .limit(_PRIORS)
    ).all()
    return tuple((_prior_words(prior, looker), f"/cases/{prior.id}/images") for prior in rows)


def _prior_words(prior: Case, looker: Looker) -> str:
    purpose = looker.say(PURPOSE_LABELS[Purpose(prior.purpose)]) if prior.purpose else prior.number
    return f"{purpose}, {looker.day((prior.submitted_at or prior.created_at).date())}"
