"""The beginning of an amendment, and its end without a signature."""

import json

from activities.records.covered import drawn
from activities.records.readers import need_reader
from activities.records.signing import ReportIncomplete, version_of, version_place, version_row, write_draft
from activities.records.writing import Writing
from infra.sealing import column_aad, open_sealed, seal_json
from schemas.forms import ReportDraftBody
from schemas.signed_report import sha256_hex
from schemas.tables.imaging import AnnotationSet
from schemas.tables.report import ReportDraft


def begin_amendment(writing: Writing) -> None:
    """The draft of an amendment starts from the signed text."""
    session, row, record = writing.session, writing.row, writing.record
    need_reader(session, row.practice_id, record.actor.user_id, record.at)
    before = version_of(session, writing.keys, row.id, record.state.version)
    if before is None:
        raise ReportIncomplete("The version to be amended is not there.")
    write_draft(writing, ReportDraftBody(content=before.content), revision=1)


def discard_amendment(writing: Writing) -> None:
    """The draft goes, and the marks are again those that were signed: they are shown beside the signed text."""
    session, keys, row, record = writing.session, writing.keys, writing.row, writing.record
    draft = session.get(ReportDraft, row.id)
    if draft is not None:
        session.delete(draft)
    marks = session.get(AnnotationSet, row.id, with_for_update=True)
    signed = version_row(session, row.id, record.state.version)
    if marks is None or signed is None:
        return
    text = open_sealed(keys, signed.marks, version_place(signed.id, "marks"))
    content = {**drawn(keys, marks), "annotations": json.loads(text)}
    marks.content = seal_json(writing.case_key, content, column_aad("annotation_set", row.id, "content"))
    marks.content_hash = sha256_hex(text)
    marks.revision += 1
    marks.updated_by, marks.updated_at = record.actor.user_id, record.at
