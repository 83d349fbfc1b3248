"""The bell and its page."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from api.deps import PersonDep, ServicesDep
from api.notices import mark_notices_read, notices_of
from schemas.translation import N_
from ui.assemble.notices import notices_page
from ui.pages.answers import answer, see_other
from ui.pages.shell import ShellDep
from ui.pages.typed import TypedDep

router: Final = APIRouter()


@router.get("/notices")
def show_notices(shell: ShellDep, person: PersonDep, services: ServicesDep, part: str = "") -> Response:
    page = shell.page(N_("Notices"), "notices", live=True)
    if part == "bell":
        return answer("layouts/bell.html", page)
    with services.database.read() as session:
        view = notices_page(notices_of(session, person.user_id), shell.looker)
    return answer("pages/notices_list.html" if part == "list" else "pages/notices.html", page, view=view)


@router.post("/notices/read")
def read_notices(typed: TypedDep, person: PersonDep, services: ServicesDep) -> Response:
    """One notice, or all of them where none is named."""
    notice_id = typed.text("id") or None
    with services.database.write() as session:
        mark_notices_read(session, person.user_id, notice_id=notice_id)
    services.feed.wake()
    return see_other("/notices", done="" if notice_id else "notices.read")
