"""The order of a case's images and documents."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from api.arrangement import (
    add_group,
    arrangement_of,
    describe,
    drop_group,
    is_open,
    items_of,
    move,
    rename_group,
)
from api.deps import ServicesDep, require
from api.imaging.access import images_of
from api.services import Services
from api.standing import CaseAccess
from schemas.access import Right
from schemas.arrangement_forms import (
    ArrangedGroupView,
    ArrangedItemView,
    ArrangementView,
    GroupEdit,
    Labels,
    Move,
)

router = APIRouter(prefix="/api/v1/cases/{case_id}/arrangement", tags=["files"])

SeeImages = Annotated[CaseAccess, Depends(require(Right.SEE_IMAGES))]
MayArrange = Annotated[CaseAccess, Depends(require(Right.DELETE_FILES))]


class NewGroup(BaseModel):
    id: str


@router.get("")
def read_arrangement(access: SeeImages, services: ServicesDep) -> ArrangementView:
    """Headings with their studies and files in order; what stands under none comes first."""
    return _view(services, access)


@router.put("/items/{item_id}/labels")
def put_labels(item_id: str, body: Labels, access: MayArrange, services: ServicesDep) -> ArrangementView:
    """Title, description and teeth of a study or a file, all three at once."""
    with services.database.write() as session:
        describe(session, access, item_id, body)
    services.feed.wake()
    return _view(services, access)


@router.post("/items/{item_id}/move")
def move_item(item_id: str, body: Move, access: MayArrange, services: ServicesDep) -> ArrangementView:
    """To another place or under another heading."""
    with services.database.write() as session:
        move(session, access, item_id, body)
    services.feed.wake()
    return _view(services, access)


@router.post("/groups", status_code=201)
def create_group(body: GroupEdit, access: MayArrange, services: ServicesDep) -> NewGroup:
    """A heading, after the others."""
    with services.database.write() as session:
        group_id = add_group(session, access, body.name)
    services.feed.wake()
    return NewGroup(id=group_id)


@router.put("/groups/{group_id}")
def edit_group(group_id: str, body: GroupEdit, access: MayArrange, services: ServicesDep) -> ArrangementView:
    """Gives a heading another name."""
    with services.database.write() as session:
        rename_group(session, access, group_id, body.name)
    services.feed.wake()
    return _view(services, access)


@router.delete("/groups/{group_id}", status_code=204)
def delete_group(group_id: str, access: MayArrange, services: ServicesDep) -> Response:
    """Removes a heading; what stood under it stays in the case."""
    with services.database.write() as session:
        drop_group(session, access, group_id)
    services.feed.wake()
    return Response(status_code=204)


def _view(services: Services, access: CaseAccess) -> ArrangementView:
    with services.database.read() as session:
        shown = items_of(session, images_of(access))
        arrangement = arrangement_of(session, access.key, access.row.id, list(shown))
    return ArrangementView(
        groups=[
            ArrangedGroupView(
                id=group.id,
                name=group.name if group.id else None,
                items=[
                    ArrangedItemView(
                        id=item_id,
                        labels=arrangement.labels_of(item_id),
                        is_open=is_open(access.row, shown[item_id]),
                    )
                    for item_id in group.items
                ],
            )
            for group in arrangement.groups
        ]
    )
