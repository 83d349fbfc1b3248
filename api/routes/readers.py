"""Who could read a case: the choice that a scheduler, or an author looking for an approver, is given."""

from typing import Annotated

from fastapi import APIRouter, Depends

from activities.records.readers import eligible_readers
from api.deps import CaseDep, ServicesDep, policy
from api.standing import CaseAccess
from infra.database import now
from schemas.access import is_admin
from schemas.errors import Forbidden
from schemas.forms import Page
from schemas.lifecycle import Action, takers_of

router = APIRouter(prefix="/api/v1/cases/{case_id}/readers", tags=["cases"])


@policy("case: assigns or names an approver")
def assigning(access: CaseDep) -> CaseAccess:
    wanted = takers_of(Action.ASSIGN) | takers_of(Action.SUBMIT_FOR_APPROVAL)
    if not access.held & wanted and not is_admin(access.person):
        raise Forbidden()
    return access


@router.get("")
def read_readers(access: Annotated[CaseAccess, Depends(assigning)], services: ServicesDep) -> Page:
    """Active radiologists of the practice's groups who are registered where it is; ``approver`` marks second readers."""
    with services.database.read() as session:
        readers = eligible_readers(session, access.row.practice_id, now())
    return Page(
        items=[{"id": reader.user.id, "name": reader.user.name, "approver": reader.is_approver} for reader in readers]
    )
