"""The order of images and documents: of a case, and of a patient's record. The same routes at two addresses."""

from collections.abc import Callable
from enum import Enum
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response

from api.arrangement import Home, add_group, arrangement_view, describe, drop_group, move, rename_group
from api.case_arrangement import CaseHome
from api.deps import PersonDep, ServicesDep, in_practice, require
from api.record_arrangement import RecordHome, record_home
from api.services import Services
from api.standing import CaseAccess
from schemas.access import PracticeRight, Right
from schemas.arrangement_forms import ArrangementView, GroupEdit, Labels, Move, NewGroup, Notes

SeeImages = Annotated[CaseAccess, Depends(require(Right.SEE_IMAGES))]
MayArrange = Annotated[CaseAccess, Depends(require(Right.DELETE_FILES))]
SeeIn = Annotated[str, Depends(in_practice(PracticeRight.SEE_DOCUMENTS))]
EditIn = Annotated[str, Depends(in_practice(PracticeRight.EDIT_DOCUMENTS))]


def case_seen(access: SeeImages) -> Home:
    return CaseHome(access)


def case_arranged(access: MayArrange) -> Home:
    return CaseHome(access)


def record_seen(patient_id: str, practice_id: SeeIn, person: PersonDep, services: ServicesDep) -> Home:
    return record_home(services, person, practice_id, patient_id)


def record_arranged(patient_id: str, practice_id: EditIn, person: PersonDep, services: ServicesDep) -> RecordHome:
    return record_home(services, person, practice_id, patient_id)


def _router(prefix: str, tag: str | Enum, seen: Callable[..., Home], arranged: Callable[..., Home]) -> APIRouter:
    router = APIRouter(prefix=prefix, tags=[tag])

    @router.get("")
    def read_arrangement(home: Annotated[Home, Depends(seen)], services: ServicesDep) -> ArrangementView:
        """Headings with what stands under them in order; what stands under none comes first."""
        return _view(services, home)

    @router.post("/items/{item_id}/move")
    def move_item(
        item_id: str, body: Move, home: Annotated[Home, Depends(arranged)], services: ServicesDep
    ) -> ArrangementView:
        """To another place or under another heading."""
        with services.database.write() as session:
            move(session, home, item_id, body)
        services.feed.wake()
        return _view(services, home)

    @router.post("/groups", status_code=201)
    def create_group(body: GroupEdit, home: Annotated[Home, Depends(arranged)], services: ServicesDep) -> NewGroup:
        """A heading, after the others."""
        with services.database.write() as session:
            group_id = add_group(session, home, body.name)
        services.feed.wake()
        return NewGroup(id=group_id)

    @router.put("/groups/{group_id}")
    def edit_group(
        group_id: str, body: GroupEdit, home: Annotated[Home, Depends(arranged)], services: ServicesDep
    ) -> ArrangementView:
        """Gives a heading another name."""
        with services.database.write() as session:
            rename_group(session, home, group_id, body.name)
        services.feed.wake()
        return _view(services, home)

    @router.delete("/groups/{group_id}", status_code=204)
    def delete_group(group_id: str, home: Annotated[Home, Depends(arranged)], services: ServicesDep) -> Response:
        """Removes a heading; what stood under it stays."""
        with services.database.write() as session:
            drop_group(session, home, group_id)
        services.feed.wake()
        return Response(status_code=204)

    return router


of_case: Final = _router("/api/v1/cases/{case_id}/arrangement", "files", case_seen, case_arranged)
of_record: Final = _router("/api/v1/patients/{patient_id}/arrangement", "patients", record_seen, record_arranged)


@of_case.put("/items/{item_id}/labels")
def put_labels(
    item_id: str, body: Labels, home: Annotated[Home, Depends(case_arranged)], services: ServicesDep
) -> ArrangementView:
    """Title, description and teeth of a study or a file, all three at once."""
    return _described(services, home, item_id, body)


@of_record.put("/items/{item_id}/labels")
def put_notes(
    item_id: str, body: Notes, home: Annotated[Home, Depends(record_arranged)], services: ServicesDep
) -> ArrangementView:
    """Description and teeth of a document, both at once. Its name is changed at the document itself."""
    return _described(services, home, item_id, Labels(description=body.description, teeth=body.teeth))


def _described(services: Services, home: Home, item_id: str, labels: Labels) -> ArrangementView:
    with services.database.write() as session:
        describe(session, home, item_id, labels)
    services.feed.wake()
    return _view(services, home)


def _view(services: Services, home: Home) -> ArrangementView:
    with services.database.read() as session:
        return arrangement_view(session, home)
