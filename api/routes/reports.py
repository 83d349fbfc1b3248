"""The report: its draft, its signed versions and its document."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.deps import ServicesDep, require
from api.reports import read_draft, save_draft, signed_versions
from api.routes.patients import Revision
from api.standing import CaseAccess
from schemas.access import Right
from schemas.forms import Page, ReportDraftBody

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


@router.put("/draft")
def put_draft(body: ReportDraftBody, revision: Revision, access: EditDraft, services: ServicesDep) -> Response:
    """Saves the draft. ``If-Match`` holds the revision that was read; 412 when somebody saved meanwhile."""
    with services.database.write() as session:
        draft = save_draft(session, services.keys, access, body, revision)
    services.feed.wake()
    return Response(status_code=204, headers={"ETag": f'"{draft.revision}"', "X-Draft-Hash": draft.content_hash})


pdf_router = APIRouter(prefix="/api/v1/cases/{case_id}", tags=["reports"])


@pdf_router.get("/report.pdf", response_class=Response)
async def read_pdf(
    access: SeeReport, services: ServicesDep, version: Annotated[int | None, Query(ge=1)] = None
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
