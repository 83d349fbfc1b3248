"""Arranging the images and documents of a case: the page of one item, beside what ``ui.pages.arranging`` has."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import ValidationError

from api.arrangement import Arrangement
from api.case_arrangement import CaseHome
from api.case_files import case_files
from api.deps import ServicesDep, require
from api.services import Services
from api.standing import CaseAccess
from schemas.access import Right
from schemas.arrangement_forms import Labels
from schemas.errors import NotFound
from schemas.translation import N_
from ui.assemble.field_errors import sentences
from ui.assemble.files import files_of
from ui.assemble.nonces import new_nonce
from ui.pages.arranging import Place, arranging, heading_of, item_page, put_item, values_of
from ui.pages.shell import Shell, ShellDep
from ui.pages.typed import TypedDep
from ui.views import FormState

MayArrange = Annotated[CaseAccess, Depends(require(Right.DELETE_FILES))]


def case_place(access: MayArrange, shell: ShellDep) -> Place:
    url = f"/cases/{access.row.id}"
    crumbs = ((shell.looker.say(N_("Cases")), "/"), (access.row.number, url))
    return Place(CaseHome(access), url, "images", crumbs, "cases")


CasePlace = Annotated[Place, Depends(case_place)]
router: Final[APIRouter] = arranging("/cases/{case_id}", case_place)


@router.get("/arrangement/{item_id}")
def show_item(item_id: str, access: MayArrange, at: CasePlace, shell: ShellDep, services: ServicesDep) -> Response:
    arrangement, lead = _read(services, access, shell, item_id)
    form = FormState(values=values_of(arrangement, item_id), nonce=new_nonce())
    return item_page(at, shell, _url(at, item_id), lead, arrangement, form)


@router.post("/arrangement/{item_id}")
def save_item(
    item_id: str, typed: TypedDep, access: MayArrange, at: CasePlace, shell: ShellDep, services: ServicesDep
) -> Response:
    """Words, teeth and group at once; a new heading is made where one is written."""
    try:
        fields = {name: typed.text(name) for name in ("title", "description")}
        labels = Labels.model_validate({**fields, "teeth": typed.many("teeth")})
        new_group = heading_of(typed)
    except ValidationError as error:
        again = typed.again(sentences(error.errors(), shell.looker))
        arrangement, lead = _read(services, access, shell, item_id)
        return item_page(at, shell, _url(at, item_id), lead, arrangement, again, status=422)
    with services.database.write() as session:
        put_item(session, at.home, item_id, labels, group=typed.text("group"), new_group=new_group)
    services.feed.wake()
    return at.back("file.arranged")


def _url(at: Place, item_id: str) -> str:
    return f"{at.url}/arrangement/{item_id}"


def _read(services: Services, access: CaseAccess, shell: Shell, item_id: str) -> tuple[Arrangement, str]:
    """The arrangement, and what the item came as. Raises NotFound."""
    with services.database.read() as session:
        files = case_files(session, access)
    plain = files_of(
        access.row.id,
        files,
        shell.looker,
        may_upload=False,
        may_upload_later=False,
        may_remove=False,
        may_see=False,
    )
    lines = (*plain.studies, *(line for group in plain.groups for line in group.studies))
    known = {item for group in files.arrangement.groups for item in group.items}
    found = next((line for line in lines if line.id == item_id and item_id in known), None)
    if found is None:
        raise NotFound()
    title = files.arrangement.labels_of(item_id).title
    return files.arrangement, found.detail if title else ", ".join(filter(None, (found.name, found.detail)))
