"""The release links of a case, as its practice sees them; and a code read out to a patient without e-mail."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from sqlmodel import col, select

from api.cases import acting
from api.deps import PortalDep, ReadDep, handing_over, require
from api.standing import CaseAccess
from infra.database import now
from schemas.access import Right
from schemas.forms import GrantView, HandedCode, Page
from schemas.tables.release import ReleaseGrant

router = APIRouter(prefix="/api/v1/cases/{case_id}/grants", tags=["release"])

SeeCase = Annotated[CaseAccess, Depends(require(Right.SEE_CASE))]
HandOver = Annotated[CaseAccess, Depends(handing_over)]


@router.get("")
def read_grants(access: SeeCase, session: ReadDep) -> Page:
    """Every link that was made, the newest first. The links themselves are known to their recipients alone."""
    rows = session.exec(
        select(ReleaseGrant)
        .where(ReleaseGrant.case_id == access.row.id)
        .order_by(col(ReleaseGrant.created_at).desc(), col(ReleaseGrant.id))
    ).all()
    return Page(items=[grant_view(row) for row in rows])


def grant_view(row: ReleaseGrant) -> GrantView:
    is_over = row.state == "live" and row.expires_at <= now()
    return GrantView(
        id=row.id,
        state="expired" if is_over else row.state,
        created_at=row.created_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
        first_opened_at=row.first_opened_at,
    )


@router.post("/{grant_id}/code", status_code=201)
async def hand_over_code(
    access: HandOver, grant_id: Annotated[str, Path(max_length=64)], portal: PortalDep
) -> HandedCode:
    """A one-time code to be read out to the patient, shown once; and the link."""
    return await asyncio.to_thread(portal.hand_over, access.row, grant_id, acting(access))
