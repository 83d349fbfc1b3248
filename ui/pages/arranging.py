"""Putting things in order without a script: up and down, under a heading, and the pages of a heading. The same at a case and
at a patient's record.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import ValidationError
from sqlmodel import Session

from api.arrangement import Arrangement, Home, add_group, arrangement_of, describe, drop_group, move, rename_group, step
from api.deps import ServicesDep
from schemas.arrangement_forms import GroupEdit, Labels, Move
from schemas.errors import NotFound
from schemas.translation import N_
from ui.assemble.clinical_forms import tooth_labels
from ui.assemble.field_errors import sentences
from ui.assemble.nonces import new_nonce
from ui.pages.answers import answer, see_other
from ui.pages.shell import Shell, ShellDep
from ui.pages.typed import Typed, TypedDep
from ui.views import ArrangeView, FormState, GroupPageView, Option


@dataclass(frozen=True)
class Place:
    """Where something is put in order by somebody who may: ``url`` is of the case or the record, ``anchor`` of the part of
    its page that is gone back to, ``crumbs`` the way there, ``section`` that of the navigation."""

    home: Home
    url: str
    anchor: str
    crumbs: tuple[tuple[str, str], ...]
    section: str

    def back(self, done: str = "") -> Response:
        return see_other(f"{self.url}#{self.anchor}", done=done)

    def group_url(self, group_id: str) -> str:
        return f"{self.url}/groups/{group_id}"


def arranging(prefix: str, place: Callable[..., Place]) -> APIRouter:
    """The routes below a case or a record. ``place`` is the dependency that lets only those in who may arrange it."""
    router = APIRouter(prefix=prefix)

    @router.post("/arrangement/{item_id}/move")
    def move_item(
        item_id: str, typed: TypedDep, at: Annotated[Place, Depends(place)], services: ServicesDep
    ) -> Response:
        with services.database.write() as session:
            step(session, at.home, item_id, up=typed.text("direction") == "up")
        services.feed.wake()
        return at.back()

    @router.get("/groups/{group_id}")
    def show_group(
        group_id: str, at: Annotated[Place, Depends(place)], shell: ShellDep, services: ServicesDep
    ) -> Response:
        with services.database.read() as session:
            groups = arrangement_of(session, at.home, ()).groups
        name = next((group.name for group in groups if group.id == group_id), None)
        if name is None:
            raise NotFound()
        return group_page(at, shell, group_id, FormState(values={"name": name}, nonce=new_nonce()))

    @router.post("/groups/{group_id}")
    def save_group(
        group_id: str, typed: TypedDep, at: Annotated[Place, Depends(place)], shell: ShellDep, services: ServicesDep
    ) -> Response:
        try:
            name = GroupEdit(name=typed.text("name")).name
        except ValidationError as error:
            again = typed.again(sentences(error.errors(), shell.looker))
            return group_page(at, shell, group_id, again, status=422)
        with services.database.write() as session:
            rename_group(session, at.home, group_id, name)
        services.feed.wake()
        return at.back("file.arranged")

    @router.post("/groups/{group_id}/remove")
    def remove_group(group_id: str, at: Annotated[Place, Depends(place)], services: ServicesDep) -> Response:
        with services.database.write() as session:
            drop_group(session, at.home, group_id)
        services.feed.wake()
        return at.back("group.removed")

    return router


def heading_of(typed: Typed) -> str:
    """The name of a new heading, or empty. Raises ValidationError."""
    named = typed.text("new_group")
    return GroupEdit(name=named).name if named else ""


def put_item(session: Session, home: Home, item_id: str, labels: Labels, *, group: str, new_group: str) -> None:
    """Words, teeth and heading at once; ``new_group`` is made, and wins over ``group``, the id of one that is there."""
    items = list(home.items(session))
    stood = arrangement_of(session, home, items).group_of(item_id).id
    describe(session, home, item_id, labels)
    group_id = add_group(session, home, new_group) if new_group else group or None
    if group_id != stood:
        move(session, home, item_id, Move(group_id=group_id))


def values_of(arrangement: Arrangement, item_id: str) -> dict[str, str | Sequence[str]]:
    """What is there already, as the fields of :func:`item_page`. Raises NotFound."""
    labels = arrangement.labels_of(item_id)
    return {
        "title": labels.title,
        "description": labels.description,
        "teeth": list(labels.teeth),
        "group": arrangement.group_of(item_id).id or "",
    }


def item_page(
    at: Place,
    shell: Shell,
    url: str,
    lead: str,
    arrangement: Arrangement,
    form: FormState,
    *,
    has_own_name: bool = False,
    status: int = 200,
) -> Response:
    view = ArrangeView(
        url=url,
        crumbs=at.crumbs,
        lead=lead,
        form=form,
        groups=tuple(Option(value=group.id, word=group.name) for group in arrangement.groups if group.id),
        tooth_labels=tooth_labels(shell.looker.notation),
        has_own_name=has_own_name,
    )
    title = shell.looker.say(N_("Edit document") if has_own_name else N_("Edit images or file"))
    return answer("pages/arrange.html", shell.page(title, at.section), status=status, view=view)


def group_page(at: Place, shell: Shell, group_id: str, form: FormState, *, status: int = 200) -> Response:
    url = at.group_url(group_id)
    view = GroupPageView(url=url, remove_url=f"{url}/remove", crumbs=at.crumbs, form=form)
    title = shell.looker.say(N_("Edit heading"))
    return answer("pages/file_group.html", shell.page(title, at.section), status=status, view=view)
