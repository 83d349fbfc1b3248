"""Arranging the images and documents of a case, without a script: a page of one item, a page of one heading, up and down."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import ValidationError

from api.arrangement import (
    BLANK,
    Arrangement,
    add_group,
    describe,
    drop_group,
    move,
    rename_group,
    step,
)
from api.case_files import case_files
from api.deps import ServicesDep, require
from api.services import Services
from api.standing import CaseAccess
from schemas.access import Right
from schemas.arrangement_forms import GroupEdit, Labels, Move
from schemas.errors import NotFound
from schemas.translation import N_
from ui.assemble.clinical_forms import tooth_labels
from ui.assemble.field_errors import sentences
from ui.assemble.files import files_of
from ui.assemble.nonces import new_nonce
from ui.pages.answers import answer, see_other
from ui.pages.shell import Shell, ShellDep
from ui.pages.typed import TypedDep
from ui.views import ArrangeView, FormState, GroupPageView, Option

router: Final = APIRouter(prefix="/cases/{case_id}")

MayArrange = Annotated[CaseAccess, Depends(require(Right.DELETE_FILES))]


@router.get("/arrangement/{item_id}")
def show_item(item_id: str, access: MayArrange, shell: ShellDep, services: ServicesDep) -> Response:
    arrangement, _ = _read(services, access, shell, item_id)
    labels = arrangement.labels.get(item_id, BLANK)
    group = next((group.id or "" for group in arrangement.groups if item_id in group.items), "")
    values = {"title": labels.title, "description": labels.description, "teeth": list(labels.teeth), "group": group}
    return _item_page(services, access, shell, item_id, FormState(values=values, nonce=new_nonce()))


@router.post("/arrangement/{item_id}")
def save_item(item_id: str, typed: TypedDep, access: MayArrange, shell: ShellDep, services: ServicesDep) -> Response:
    """Words, teeth and group at once; a new heading is made where one is written."""
    try:
        fields = {name: typed.text(name) for name in ("title", "description")}
        labels = Labels.model_validate({**fields, "teeth": typed.many("teeth")})
        named = typed.text("new_group")
        new_group = GroupEdit(name=named).name if named else ""
    except ValidationError as error:
        again = typed.again(sentences(error.errors(), shell.looker))
        return _item_page(services, access, shell, item_id, again, status=422)
    arrangement, _ = _read(services, access, shell, item_id)
    stood = next((group.id for group in arrangement.groups if item_id in group.items), None)
    with services.database.write() as session:
        describe(session, access, item_id, labels)
        group_id = add_group(session, access, new_group) if new_group else typed.text("group") or None
        if group_id != stood:
            move(session, access, item_id, Move(group_id=group_id))
    services.feed.wake()
    return _back(access, "file.arranged")


@router.post("/arrangement/{item_id}/move")
def move_item(item_id: str, typed: TypedDep, access: MayArrange, services: ServicesDep) -> Response:
    with services.database.write() as session:
        step(session, access, item_id, up=typed.text("direction") == "up")
    services.feed.wake()
    return see_other(f"/cases/{access.row.id}#images")


@router.get("/groups/{group_id}")
def show_group(group_id: str, access: MayArrange, shell: ShellDep, services: ServicesDep) -> Response:
    with services.database.read() as session:
        arrangement = case_files(session, access).arrangement
    name = next((group.name for group in arrangement.groups if group.id == group_id), None)
    if name is None:
        raise NotFound()
    return _group_page(access, shell, group_id, FormState(values={"name": name}, nonce=new_nonce()))


@router.post("/groups/{group_id}")
def save_group(group_id: str, typed: TypedDep, access: MayArrange, shell: ShellDep, services: ServicesDep) -> Response:
    try:
        name = GroupEdit(name=typed.text("name")).name
    except ValidationError as error:
        return _group_page(access, shell, group_id, typed.again(sentences(error.errors(), shell.looker)), status=422)
    with services.database.write() as session:
        rename_group(session, access, group_id, name)
    services.feed.wake()
    return _back(access, "file.arranged")


@router.post("/groups/{group_id}/remove")
def remove_group(group_id: str, access: MayArrange, services: ServicesDep) -> Response:
    with services.database.write() as session:
        drop_group(session, access, group_id)
    services.feed.wake()
    return _back(access, "group.removed")


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
    title = files.arrangement.labels.get(item_id, BLANK).title
    return files.arrangement, found.detail if title else ", ".join(filter(None, (found.name, found.detail)))


def _item_page(
    services: Services, access: CaseAccess, shell: Shell, item_id: str, form: FormState, *, status: int = 200
) -> Response:
    arrangement, name = _read(services, access, shell, item_id)
    view = ArrangeView(
        url=f"/cases/{access.row.id}/arrangement/{item_id}",
        back_url=f"/cases/{access.row.id}",
        number=access.row.number,
        name=name,
        form=form,
        groups=tuple(Option(value=group.id, word=group.name) for group in arrangement.groups if group.id),
        tooth_labels=tooth_labels(shell.looker.notation),
    )
    title = shell.looker.say(N_("Edit images or file"))
    return answer("pages/arrange.html", shell.page(title, "cases"), status=status, view=view)


def _group_page(access: CaseAccess, shell: Shell, group_id: str, form: FormState, *, status: int = 200) -> Response:
    url = f"/cases/{access.row.id}/groups/{group_id}"
    view = GroupPageView(
        url=url, remove_url=f"{url}/remove", back_url=f"/cases/{access.row.id}", number=access.row.number, form=form
    )
    title = shell.looker.say(N_("Edit heading"))
    return answer("pages/file_group.html", shell.page(title, "cases"), status=status, view=view)


def _back(access: CaseAccess, done: str) -> Response:
    return see_other(f"/cases/{access.row.id}#images", done=done)
