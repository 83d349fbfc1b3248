"""The report: its draft, its signed versions and its document."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.deps import ServicesDep, require
from api.errors import problem
from api.patients import EditedMeanwhile
from api.reports import missing_for_signature, read_draft, save_draft, signed_versions
from api.routes.patients import Revision
from api.standing import CaseAccess
from schemas.access import Right
from schemas.forms import DraftSaved, Page, ReportDraftBody

router = APIRouter(prefix="/api/v1/cases/{case_id}/report", tags=["reports"])

SeeReport = Annotated[CaseAccess, Depends(require(Right.SEE_REPORT))]
SeeDraft = Annotated[CaseAccess, Depends(require(Right.SEE_DRAFT))]
EditDraft = Annotated[CaseAccess, Depends(require(Right.EDIT_DRAFT))]


@router.get("")
def read_report(access: SeeReport, services: ServicesDep) -> Page:
    """All signed versions, the latest last."""
    with services.database.read() as session:
        return Page(items=signed_versions(session, services.keys, access.row.id))


@router.get("/draft")
def get_draft(access: SeeDraft, services: ServicesDep) -> Response:
    """The draft as it is saved, or a blank one for the study's purpose. ``ETag`` is its revision; 0 is not saved yet."""
    with services.database.read() as session:
        draft = read_draft(session, services.keys, access)
    return Response(
        draft.body.model_dump_json(),
        media_type="application/json",
        headers={"ETag": f'"{draft.revision}"', "X-Draft-Hash": draft.content_hash},
    )


@router.put("/draft", responses={412: {"description": "Saved by somebody meanwhile; `current` is theirs"}})
def put_draft(body: ReportDraftBody, access: EditDraft, revision: Revision, services: ServicesDep) -> Response:
    """Saves the draft. ``If-Match`` holds the revision that was read; 412 with theirs when somebody saved meanwhile."""
    try:
        with services.database.write() as session:
            draft = save_draft(session, services.keys, access, body, revision)
            missing = missing_for_signature(session, access, draft.body)
    except EditedMeanwhile as fact:
        with services.database.read() as session:
            current = read_draft(session, services.keys, access)
        return problem(fact, headers={"ETag": f'"{current.revision}"'}, current=current.body.model_dump(mode="json"))
    services.feed.wake()
    saved = DraftSaved(revision=draft.revision, draft_hash=draft.content_hash, missing=missing)
    return Response(
        saved.model_dump_json(),
        media_type="application/json",
        headers={"ETag": f'"{draft.revision}"', "X-Draft-Hash": draft.content_hash},
    )


@router.get("/missing")
def get_missing(access: SeeDraft, services: ServicesDep) -> Page:
    """What stands between the draft as it is saved and a signature."""
    with services.database.read() as session:
        draft = read_draft(session, services.keys, access)
        return Page(items=missing_for_signature(session, access, draft.body))


pdf_router = APIRouter(prefix="/api/v1/cases/{case_id}", tags=["reports"])


@pdf_router.get("/report.pdf", response_class=Response)
async def read_pdf(
    access: SeeReport, services: ServicesDep, version: Annotated[int | None, Query(ge=1, le=100_000)] = None
) -> Response:
    """The document of a version, or of the latest. A version that was superseded says so on every page."""
    document = await asyncio.to_thread(services.pdfs.pdf, access.row.id, version)
    return Response(
        document,
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="report-{access.row.number}.pdf"',
            "Cache-Control": "private, no-store",
        },
    )
