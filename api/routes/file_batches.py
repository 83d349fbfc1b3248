"""Folders and archives of a case with two patients in them: who is in which file, and the two ways out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel

from api.case_batches import MixedBatch, keep_of_batch, mixed_batches, remove_whole_batch
from api.deps import ServicesDep, require
from api.routes.files import Listing
from api.standing import CaseAccess
from schemas.access import Right

router = APIRouter(prefix="/api/v1/cases/{case_id}/batches", tags=["files"])

MayDelete = Annotated[CaseAccess, Depends(require(Right.DELETE_FILES))]


class MixedBatchesView(BaseModel):
    """``next`` is always null: they are one page."""

    items: list[MixedBatch]
    next: str | None = None


@router.get("")
def list_mixed(access: Listing, services: ServicesDep) -> MixedBatchesView:
    """Every folder and archive that was refused because two patients are in it, and was not decided on yet."""
    with services.database.read() as session:
        return MixedBatchesView(items=list(mixed_batches(session, services.keys, access)))


@router.post("/{batch_id}/keep/{patient}", status_code=204)
def keep_one(
    batch_id: str, patient: Annotated[int, Path(ge=0, le=99)], access: MayDelete, services: ServicesDep
) -> Response:
    """Removes the other patients' files, and has the rest checked anew. Only for the case's own patient: 409 otherwise."""
    keep_of_batch(services, access, batch_id, patient)
    return Response(status_code=204)


@router.delete("/{batch_id}", status_code=204)
def remove_all(batch_id: str, access: MayDelete, services: ServicesDep) -> Response:
    """Removes every file of it."""
    remove_whole_batch(services, access, batch_id)
    return Response(status_code=204)
