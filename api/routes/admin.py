"""The audit trail and a case's trace, for administrators; a case's own trail for its practice."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.audit_trail import admin_actor, chain_head, note_reading, read_trail
from api.cases import acting
from api.deps import AdminDep, ServicesDep, require
from api.standing import CaseAccess
from api.trace import trace_of
from infra.audit import PLATFORM_SCOPE, verify_audit, write_audit
from infra.database import now
from schemas.access import Right
from schemas.audit_forms import LAST_ROW, AuditFilter, BreakView, ChainView, TraceView, VerifiedChain
from schemas.forms import Page

router = APIRouter(prefix="/api/v1", tags=["audit"])

SeeAudit = Annotated[CaseAccess, Depends(require(Right.SEE_AUDIT))]
SeeTrace = Annotated[CaseAccess, Depends(require(Right.SEE_TRACE))]


@router.get("/admin/audit")
def read_audit(wanted: Annotated[AuditFilter, Query()], person: AdminDep, services: ServicesDep) -> Page:
    """The newest acts first; ``next`` is the value of ``before`` for the page after. Reading is recorded."""
    with services.database.write() as session:
        note_reading(session, person, wanted)
    with services.database.read() as session:
        page = read_trail(session, wanted)
    return Page(items=page.items, next=page.next)


@router.get("/admin/audit/chain")
def read_chain(person: AdminDep, services: ServicesDep) -> ChainView:
    """How far the chain reaches."""
    with services.database.read() as session:
        return chain_head(session, services.settings.anchor_file)


@router.post("/admin/audit/verify")
async def verify_chain(person: AdminDep, services: ServicesDep) -> VerifiedChain:
    """Walks the whole chain and compares it with the anchors outside the database."""

    def verify() -> VerifiedChain:
        breaks = verify_audit(services.database, services.settings.anchor_file)
        with services.database.write() as session:
            write_audit(
                session,
                scope=PLATFORM_SCOPE,
                act="audit.verify",
                actor=admin_actor(person),
                at=now(),
                detail={"breaks": len(breaks)},
            )
        with services.database.read() as session:
            head = chain_head(session, services.settings.anchor_file)
        shown = [BreakView(where=each.where, what=each.what) for each in breaks]
        return VerifiedChain(**head.model_dump(), breaks=shown)

    return await asyncio.to_thread(verify)


@router.get("/cases/{case_id}/audit")
def read_case_audit(
    access: SeeAudit, services: ServicesDep, before: Annotated[int | None, Query(ge=1, le=LAST_ROW)] = None
) -> Page:
    """Who did what to this case, and who looked at it. Reading is recorded."""
    wanted = AuditFilter(case_id=access.row.id, before=before)
    with services.database.write() as session:
        write_audit(session, scope=access.row.id, act="audit.read", actor=acting(access), at=now())
    with services.database.read() as session:
        page = read_trail(session, wanted)
    return Page(items=page.items, next=page.next)


@router.get("/admin/cases/{case_id}/trace")
def read_trace(access: SeeTrace, services: ServicesDep) -> TraceView:
    """Steps, commands, effects and facts of a case, without clinical content. Reading is recorded."""
    with services.database.write() as session:
        write_audit(session, scope=access.row.id, act="trace.read", actor=acting(access), at=now())
    with services.database.read() as session:
        return trace_of(session, services.settings, access.row)
