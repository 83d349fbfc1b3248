"""Putting the images of a case into series: by drag, or by choosing them and where they go, without a script."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from api.deps import ServicesDep, require
from api.imaging.access import images_of
from api.placing import place_images
from api.reading_order import reading_order
from api.services import Services
from api.standing import CaseAccess
from schemas.access import Right
from schemas.errors import StateConflict
from schemas.translation import N_
from ui.assemble.series import Cards
from ui.pages.answers import answer, see_other
from ui.pages.shell import Shell, ShellDep
from ui.pages.typed import Typed, TypedDep
from ui.views.series import SeriesPageView

router: Final = APIRouter(prefix="/cases/{case_id}/series")

MayArrange = Annotated[CaseAccess, Depends(require(Right.DELETE_FILES))]
Opened = Annotated[str, Query(max_length=64, description="The series whose images are all shown.")]
APART: Final = "apart"
NOTHING_CHOSEN: Final = N_("Tick the images first, then choose where they go.")


@router.get("")
def show_series(
    access: MayArrange, shell: ShellDep, services: ServicesDep, opened: Opened = "", part: str = ""
) -> Response:
    """``part``: the list alone, a live region of the page."""
    return _page(services, access, shell, opened, part=part)


@router.post("")
def move_images(
    typed: TypedDep, access: MayArrange, shell: ShellDep, services: ServicesDep, opened: Opened = ""
) -> Response:
    """Moves the ticked images, or with ``back`` one image back to where it came."""
    back, chosen, target = typed.text("back"), typed.many("images"), typed.text("target")
    if not back and (not chosen or not target):
        problem = shell.looker.say(NOTHING_CHOSEN)
        return _page(services, access, shell, opened, typed=typed, problem=problem, status=422)
    try:
        with services.database.write() as session:
            if back:
                place_images(session, access, [back], None)
            else:
                place_images(session, access, chosen, chosen[0] if target == APART else target)
    except StateConflict as fact:
        problem = shell.looker.say(fact.detail)
        return _page(services, access, shell, opened, typed=typed, problem=problem, status=fact.status)
    services.feed.wake()
    return see_other(f"/cases/{access.row.id}/series" + (f"?opened={opened}" if opened else ""), done="image.placed")


def _page(
    services: Services,
    access: CaseAccess,
    shell: Shell,
    opened: str,
    *,
    typed: Typed | None = None,
    problem: str = "",
    part: str = "",
    status: int = 200,
) -> Response:
    images, url = images_of(access), f"/cases/{access.row.id}/series"
    query = f"?opened={opened}" if opened else ""
    with services.database.read() as session:
        groups = reading_order(session, images)
        may_see = access.may(Right.SEE_IMAGES)
        cards = Cards(session, images, shell.looker, url, opened, may_see).of(groups)
    view = SeriesPageView(
        case_id=access.row.id,
        number=access.row.number,
        url=f"{url}{query}",
        list_url=f"{url}{query}{'&' if query else '?'}part=list",
        api_url=f"/api/v1{url}",
        cards=cards,
        chosen=frozenset(typed.many("images")) if typed else frozenset(),
        target=typed.text("target") if typed else "",
        problem=problem,
    )
    template = "pages/series_list.html" if part == "list" else "pages/series.html"
    page = shell.page(shell.looker.say(N_("Images in series")), "cases", live=True)
    return answer(template, page, status=status, view=view)
