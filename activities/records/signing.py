"""Signing: a version is made of the draft that the signer read, and never changes (invariants 6, 7, 8)."""

import hashlib
from datetime import datetime

from sqlmodel import Session, col, select

from activities.imaging.contradictions import contradicted, people_in_images
from activities.imaging.identity import case_identity
from activities.imaging.image_sets import image_set_hash
from activities.records.commands import stored_form
from activities.records.covered import (
    marks_of,
    patient_facts,
    pictures_of,
    practice_facts,
    study_facts,
)
from activities.records.projection import state_of
from activities.records.questions import count_open_questions
from activities.records.readers import Reader, need_approver, need_reader
from activities.records.statements import report_stands
from activities.records.writing import Writing
from infra.keystore import KeyStore
from infra.sealing import column_aad, open_json, seal, seal_json
from schemas.errors import StateConflict
from schemas.forms import ReportDraftBody
from schemas.ids import new_id
from schemas.lifecycle import Action
from schemas.report import ReportContent
from schemas.signed_facts import CoveredImages, CoveredPicture
from schemas.signed_report import Addendum, Signature, SignedReport, VersionToSign, check_succession, sha256_hex
from schemas.sla import AmendmentKind
from schemas.state import Amendment, IdentityStanding
from schemas.tables.case import CaseTransition
from schemas.tables.imaging import KeyImage
from schemas.tables.people import Organization
from schemas.tables.report import ReportDraft, ReportVersion
from schemas.translation import N_


class DraftChanged(StateConflict):
    code = "draft_changed"
    title = N_("The draft has changed since you read it. Read it again and sign.")


class ReportIncomplete(StateConflict):
    code = "report_incomplete"
    title = N_("The report is not complete.")


class QuestionOpen(StateConflict):
    code = "question_open"
    title = N_("A question to the practice is still open. Wait for the answer, or mark it as answered, and sign again.")


class KeyImageGone(StateConflict):
    code = "key_image_gone"
    title = N_("The report shows a key image that was removed. Take it out of the report, or choose another one.")


class ImagesOfAnother(StateConflict):
    code = "images_of_another"
    title = N_(
        "The patient's record no longer fits the images of this case. Ask the practice to look at it, then sign."
    )


class AddendumMissing(StateConflict):
    code = "addendum_missing"
    title = N_("Write the addendum before you sign it.")


def draft_of(session: Session, keys: KeyStore, case_id: str) -> tuple[ReportDraft, ReportDraftBody] | None:
    row = session.get(ReportDraft, case_id)
    if row is None:
        return None
    body = open_json(keys, row.content, column_aad("report_draft", case_id, "content"))
    return row, ReportDraftBody.model_validate(body)


def version_of(session: Session, keys: KeyStore, case_id: str, version: int) -> SignedReport | None:
    row = version_row(session, case_id, version)
    return None if row is None else opened_version(keys, row)


def version_row(session: Session, case_id: str, version: int) -> ReportVersion | None:
    return session.exec(
        select(ReportVersion).where(ReportVersion.case_id == case_id, ReportVersion.version == version)
    ).one_or_none()


def opened_version(keys: KeyStore, row: ReportVersion) -> SignedReport:
    return SignedReport.model_validate(open_json(keys, row.document, version_place(row.id, "document")))


def version_place(version_id: str, column: str) -> str:
    """What a sealed column of a version is bound to."""
    return column_aad("report_version", version_id, column)


def write_draft(writing: Writing, body: ReportDraftBody, revision: int) -> None:
    """Lays a draft down in place of what was there."""
    session, row = writing.session, writing.row
    draft = session.get(ReportDraft, row.id) or ReportDraft(
        case_id=row.id, content=b"", content_hash="", updated_by="", updated_at=writing.record.at
    )
    draft.content = seal_json(
        writing.case_key, body.model_dump(mode="json"), column_aad("report_draft", row.id, "content")
    )
    draft.content_hash = draft_hash(body)
    draft.revision = revision
    draft.updated_by = writing.record.actor.user_id
    draft.updated_at = writing.record.at
    session.add(draft)


def draft_hash(body: ReportDraftBody) -> str:
    return hashlib.sha256(body.model_dump_json().encode()).hexdigest()


def has_all_key_images(session: Session, case_id: str, content: ReportContent) -> bool:
    """Whether every picture that the report shows is stored with the case: without one its document cannot be made."""
    wanted = {image.image_id for image in content.key_images}
    if not wanted:
        return True
    stored = session.exec(select(KeyImage.id).where(KeyImage.case_id == case_id, col(KeyImage.id).in_(wanted))).all()
    return len(stored) == len(wanted)


def _read_draft(writing: Writing) -> ReportDraftBody:
    """The draft that the command names, complete and without an open question."""
    found = draft_of(writing.session, writing.keys, writing.row.id)
    if found is None:
        raise ReportIncomplete("There is no draft yet. Write the report before you sign it.")
    draft, body = found
    if draft.content_hash != writing.record.facts.draft_hash:
        raise DraftChanged()
    missing = body.content.missing_for_signature()
    if missing:
        first = missing[0].sentence
        raise ReportIncomplete(f"{first} ({len(missing)} open)" if len(missing) > 1 else first, missing=len(missing))
    if not has_all_key_images(writing.session, writing.row.id, body.content):
        raise KeyImageGone()
    _need_same_patient(writing)
    if count_open_questions(writing.session, writing.row.id):
        raise QuestionOpen()
    return body


def _need_same_patient(writing: Writing) -> None:
    """The version names the patient as on record now: that may have been edited while the case was closed."""
    session, keys, row = writing.session, writing.keys, writing.row
    if state_of(row).identity.standing is IdentityStanding.OVERRIDDEN:
        return
    people = people_in_images(session, keys, row, writing.record.state.signed_up_to)
    if contradicted(case_identity(session, keys, row), people):
        raise ImagesOfAnother()


def _signature(session: Session, reader: Reader, practice_id: str, at: datetime) -> Signature:
    practice = session.get_one(Organization, practice_id)
    return Signature(
        user_id=reader.user.id,
        name=reader.user.name,
        registration_number=reader.registration.number,
        jurisdiction=practice.jurisdiction,
        signed_at=at,
    )


def sign(writing: Writing) -> None:
    """The assignee's signature over the first report, or over an amendment."""
    session, row, record = writing.session, writing.row, writing.record
    reader = need_reader(session, row.practice_id, record.actor.user_id, record.at)
    body = _read_draft(writing)
    author = _signature(session, reader, row.practice_id, record.at)
    amendment = _amendment_before(writing)
    if amendment is None:
        _add_version(writing, body.content, author=author)
        return
    before = version_of(session, writing.keys, row.id, record.state.version - 1)
    if before is None:
        raise ReportIncomplete("The version to be amended is not there.")
    addenda = before.addenda
    if amendment.kind is AmendmentKind.APPENDED:
        if not body.addendum.strip():
            raise AddendumMissing()
        addenda = (*addenda, Addendum(text=body.addendum, author=author, version=record.state.version))
    _add_version(
        writing,
        body.content,
        author=author,
        before=before,
        kind=amendment.kind,
        addenda=addenda,
        reason=_amendment_reason(writing),
    )


def keep(writing: Writing) -> None:
    """The report stands over images that came after its signature: a version that says so, and covers them."""
    session, row, record = writing.session, writing.row, writing.record
    reader = need_reader(session, row.practice_id, record.actor.user_id, record.at)
    before = version_of(session, writing.keys, row.id, record.state.version - 1)
    if before is None:
        raise ReportIncomplete("The version that stands is not there.")
    _need_same_patient(writing)
    if count_open_questions(session, row.id):
        raise QuestionOpen()
    author = _signature(session, reader, row.practice_id, record.at)
    words = report_stands(session, row, before, up_to=record.state.signed_up_to)
    _add_version(
        writing,
        before.content,
        author=author,
        before=before,
        kind=AmendmentKind.APPENDED,
        addenda=(*before.addenda, Addendum(text=words.statement, author=author, version=record.state.version)),
        reason=words.reason,
    )


def submit_for_approval(writing: Writing) -> None:
    session, row, record = writing.session, writing.row, writing.record
    need_reader(session, row.practice_id, record.actor.user_id, record.at)
    need_approver(session, row.practice_id, record.facts.approver_id, record.at)
    _read_draft(writing)


def name_approver(writing: Writing) -> None:
    need_approver(writing.session, writing.row.practice_id, writing.record.facts.approver_id, writing.record.at)


def approve(writing: Writing) -> None:
    """The approver's signature beside the author's; both are over the same draft."""
    session, row, record = writing.session, writing.row, writing.record
    approver = need_approver(session, row.practice_id, record.actor.user_id, record.at)
    submitted = session.exec(
        select(CaseTransition)
        .where(CaseTransition.case_id == row.id, CaseTransition.action == Action.SUBMIT_FOR_APPROVAL)
        .order_by(col(CaseTransition.seq).desc())
        .limit(1)
    ).one()
    body = _read_draft(writing)
    author = need_reader(session, row.practice_id, submitted.actor_id, record.at)
    _add_version(
        writing,
        body.content,
        author=_signature(session, author, row.practice_id, submitted.at),
        approver=_signature(session, approver, row.practice_id, record.at),
    )


def _amendment_before(writing: Writing) -> Amendment | None:
    return state_of(writing.row).amendment


def _add_version(
    writing: Writing,
    content: ReportContent,
    *,
    author: Signature,
    approver: Signature | None = None,
    before: SignedReport | None = None,
    kind: AmendmentKind | None = None,
    addenda: tuple[Addendum, ...] = (),
    reason: str = "",
) -> None:
    session, keys, row, record = writing.session, writing.keys, writing.row, writing.record
    marks = marks_of(session, keys, row.id).encode()
    report = VersionToSign(
        version=record.state.version,
        kind=kind,
        content=content,
        addenda=addenda,
        patient=patient_facts(session, keys, row),
        practice=practice_facts(session, row),
        study=study_facts(session, keys, row, record.state),
        covered=CoveredImages(
            marks=sha256_hex(marks),
            pictures=_covered_pictures(writing, content),
            image_set=record.state.signed_up_to,
            image_set_hash=image_set_hash(session, row.id, record.state.signed_up_to),
        ),
        author=author,
        approver=approver,
        reason=reason,
        supersedes=before.version if before else None,
    ).signed(row.id)
    if before is not None:
        check_succession(before, report)
    writing.noted.update(version=report.version, report_hash=report.report_hash)
    report_id = new_id("rep")
    session.add(
        ReportVersion(
            id=report_id,
            case_id=row.id,
            version=report.version,
            kind=kind or "original",
            document=seal_json(writing.case_key, report.model_dump(mode="json"), version_place(report_id, "document")),
            marks=seal(writing.case_key, marks, version_place(report_id, "marks")),
            report_hash=report.report_hash,
            author_id=author.user_id,
            approver_id=approver.user_id if approver else None,
            command_id=record.command_id,
            signed_at=record.at,
        )
    )
    draft = session.get(ReportDraft, row.id)
    if draft is not None:
        session.delete(draft)


def _covered_pictures(writing: Writing, content: ReportContent) -> tuple[CoveredPicture, ...]:
    wanted = [image.image_id for image in content.key_images]
    pictures = pictures_of(writing.session, writing.keys, writing.row.id, wanted)
    if any(data is None for _, data in pictures):
        raise KeyImageGone()
    return tuple(CoveredPicture(image_id=image_id, sha256=sha256_hex(data)) for image_id, data in pictures if data)


def _amendment_reason(writing: Writing) -> str:
    begun = writing.session.exec(
        select(CaseTransition)
        .where(CaseTransition.case_id == writing.row.id, CaseTransition.action == Action.AMEND)
        .order_by(col(CaseTransition.seq).desc())
        .limit(1)
    ).one()
    return str(stored_form(writing.session, writing.keys, begun.command_id).get("reason", ""))
