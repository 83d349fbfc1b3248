"""Drafts and versions as the API and the pages read them."""

from dataclasses import dataclass

from sqlmodel import Session

from activities.documents.assembly import signed_versions
from activities.records.opening import form_of
from activities.records.projection import state_of
from activities.records.questions import count_open_questions
from activities.records.signing import (
    AddendumMissing,
    KeyImageGone,
    QuestionOpen,
    draft_hash,
    draft_of,
    has_all_key_images,
)
from api.examinations import examination_of_case
from api.holding import hold
from api.patients import EditedMeanwhile
from api.standing import CaseAccess
from infra.database import now
from infra.feed import publish
from infra.keystore import KeyStore
from infra.sealing import column_aad, seal_json
from schemas.access import Right
from schemas.errors import StateConflict
from schemas.forms import Missing, ReportDraftBody
from schemas.report import blank_report
from schemas.sla import AmendmentKind
from schemas.tables.report import ReportDraft
from schemas.translation import N_

__all__ = ["Draft", "TextFixed", "missing_for_signature", "read_draft", "save_draft", "signed_versions"]


class TextFixed(StateConflict):
    code = "text_fixed"
    title = N_(
        "An addendum leaves the signed text as it is. Write in the addendum, or discard it and choose a correction."
    )


@dataclass(frozen=True)
class Draft:
    """``revision`` 0: nothing is saved yet, the body is the blank report of the study's purpose."""

    body: ReportDraftBody
    revision: int
    content_hash: str


def read_draft(session: Session, keys: KeyStore, access: CaseAccess) -> Draft:
    found = draft_of(session, keys, access.row.id)
    if found is None:
        form = form_of(keys, access.row)
        seen = examination_of_case(session, access)
        field = form.field_of_view_mm or seen.field_of_view_mm
        content = blank_report(form.purpose, field)
        examination = seen.model_copy(update={"indication": form.clinical_question, "field_of_view_mm": field})
        body = ReportDraftBody(content=content.model_copy(update={"examination": examination}))
        return Draft(body, 0, draft_hash(body))
    row, body = found
    return Draft(body, row.revision, row.content_hash)


def missing_for_signature(session: Session, access: CaseAccess, body: ReportDraftBody) -> list[Missing]:
    """What stands between this draft and a signature: the same rules refuse the signature in the record."""
    missing = [Missing(**item._asdict()) for item in body.content.missing_for_signature()]
    if not has_all_key_images(session, access.row.id, body.content):
        missing.append(Missing(field="key_images", message=KeyImageGone.title))
    amendment = state_of(access.row).amendment
    if amendment is not None and amendment.kind is AmendmentKind.APPENDED and not body.addendum.strip():
        missing.append(Missing(field="addendum", message=AddendumMissing.title))
    if count_open_questions(session, access.row.id):
        missing.append(Missing(field="messages", message=QuestionOpen.title))
    return missing


def save_draft(session: Session, keys: KeyStore, access: CaseAccess, body: ReportDraftBody, revision: int) -> Draft:
    """Saves in the caller's transaction. Raises EditedMeanwhile with the revision that stands, TextFixed, or Forbidden for
    somebody who no longer writes the report.
    """
    access = hold(session, keys, access, Right.EDIT_DRAFT)
    case_id = access.row.id
    row = session.get(ReportDraft, case_id, with_for_update=True)
    if (row.revision if row else 0) != revision:
        raise EditedMeanwhile(revision=row.revision if row else 0)
    amendment = state_of(access.row).amendment
    if amendment is not None and amendment.kind is AmendmentKind.APPENDED:
        before = draft_of(session, keys, case_id)
        if before is not None and before[1].content != body.content:
            raise TextFixed()
    place = column_aad("report_draft", case_id, "content")
    moment = now()
    if row is None:
        row = ReportDraft(
            case_id=case_id,
            content=b"",
            content_hash="",
            revision=0,
            updated_by=access.person.user_id,
            updated_at=moment,
        )
        session.add(row)
    row.content = seal_json(access.key, body.model_dump(mode="json"), place)
    row.content_hash = draft_hash(body)
    row.revision += 1
    row.updated_by = access.person.user_id
    row.updated_at = moment
    session.flush()
    if row.revision == 1:
        # The first save is news (the report is now partial); later ones are typing and nobody else's business.
        publish(session, "report.draft", at=moment, practice_id=access.row.practice_id, case_id=case_id)
    return Draft(body, row.revision, row.content_hash)
