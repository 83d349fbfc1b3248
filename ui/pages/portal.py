"""The patient's pages at ``/r/{token}``: two factors, then report, images and PDF.

Looking (GET and HEAD) consumes nothing and tells nothing but the practice's name.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, FastAPI, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from api.deps import PORTAL_COOKIE, LinkDep, PortalDep, ServicesDep, VisitDep
from api.outgoing import answer_evenly, send
from api.patient_images import PREFIX, patient_images
from api.portal import CODE_DIGITS, Portal
from api.portal_facts import Asked, CodeUsed, StepMissing, VisitOver, WrongCode
from api.release_links import Link, LinkExpired, LinkGone, LinkLocked, LinkOver
from api.services import Services
from infra.database import now
from infra.translation import translations
from schemas.translation import N_
from ui.assemble.portal import asking, images_view, opened, portal_page
from ui.pages.answers import reader_of
from ui.templating import render
from ui.views import FormState, PortalView
from ui.views.portal import Stage

router: Final = APIRouter(prefix="/r/{token}", default_response_class=HTMLResponse, include_in_schema=False)

STEP_COOKIE: Final = "odontoflow_portal_step"
_STEP_SECONDS: Final = 15 * 60
_OLDEST: Final = 1880
_PARTS: Final = ("birth_date-day", "birth_date-month", "birth_date-year")

DATE_UNREADABLE: Final = N_("Enter the date of birth as day, month and year, such as 31 3 1980.")
CODE_UNREADABLE: Final = N_("Enter the six digits of the code.")

Token = Annotated[str, Path(max_length=200)]


@dataclass(frozen=True)
class Door:
    """A request for a link that works."""

    token: str
    link: Link
    portal: Portal
    services: Services

    @property
    def url(self) -> str:
        return _url(self.token)

    def words(self, message: str) -> str:
        return translations(self.link.practice.locale).gettext(message)

    def ask(self, form: FormState, *, code: bool, status: int) -> Response:
        """The question for the date or for the code."""
        return self.page(asking(self.link, self.url, form, code=code), status)

    def page(self, view: PortalView, status: int = 200) -> Response:
        page = portal_page(self.words(N_("Your report")), self.link.practice)
        return HTMLResponse(render("pages/portal.html", page.reader, page=page, view=view), status_code=status)

    def back(self, cookie: str, value: str, seconds: int | None = None) -> Response:
        """To the link's one address, with a cookie that only it gets."""
        answer = RedirectResponse(self.url, status_code=303)
        answer.set_cookie(
            cookie,
            value,
            max_age=seconds,
            path=self.url,
            httponly=True,
            samesite="strict",
            secure=self.services.settings.base_url.startswith("https://"),
        )
        return answer


def door(token: Token, link: LinkDep, portal: PortalDep, services: ServicesDep) -> Door:
    return Door(token, link, portal, services)


DoorDep = Annotated[Door, Depends(door)]


@router.api_route("", methods=["GET", "HEAD"])
def read_link(request: Request, door: DoorDep) -> Response:
    """Whatever this browser has reached: the date's question, the code's, or the report."""
    try:
        visit = door.portal.visit(door.token, request.cookies.get(PORTAL_COOKIE))
    except VisitOver:
        knocked = STEP_COOKIE in request.cookies and "again" not in request.query_params
        return door.ask(FormState(), code=knocked, status=200)
    with door.services.database.read() as session:
        view = opened(session, door.services.keys, visit, door.url)
    return door.page(view)


@router.post("")
async def answer_link(request: Request, door: DoorDep) -> Response:
    """The date of birth, or the code."""
    started = asyncio.get_running_loop().time()
    form = await request.form()
    if "code" in form:
        return await _enter(door, request.cookies.get(STEP_COOKIE, ""), str(form["code"]))
    born = _date(form)
    if born is None:
        kept = {name: str(form.get(name, "")) for name in _PARTS}
        errors = {"birth_date": door.words(DATE_UNREADABLE)}
        return door.ask(FormState(values=kept, errors=errors), code=False, status=422)
    return await _code_sent(door, started, await asyncio.to_thread(door.portal.ask, door.token, born))


@router.post("/code")
async def ask_again(request: Request, door: DoorDep) -> Response:
    """Another code, for a browser in which the date was given."""
    started = asyncio.get_running_loop().time()
    step = request.cookies.get(STEP_COOKIE, "")
    return await _code_sent(door, started, await asyncio.to_thread(door.portal.ask_again, door.token, step))


async def _code_sent(door: Door, started: float, asked: Asked) -> Response:
    """The same answer, after the same time, whether or not a code was sent."""
    send(door.services.mailer, asked.mails)
    door.services.feed.wake()
    await answer_evenly(started)
    return door.back(STEP_COOKIE, asked.step, _STEP_SECONDS)


async def _enter(door: Door, step: str, code: str) -> Response:
    if sum(sign.isdecimal() for sign in code) != CODE_DIGITS:
        return door.ask(FormState(errors={"code": door.words(CODE_UNREADABLE)}), code=True, status=422)
    entered = await asyncio.to_thread(door.portal.enter, door.token, step, code)
    door.services.feed.wake()
    fact = entered.refusal
    if isinstance(fact, (WrongCode, CodeUsed)):
        return door.ask(FormState(errors={"code": door.words(fact.title)}), code=True, status=fact.status)
    if fact is not None:
        raise fact
    answer = door.back(PORTAL_COOKIE, entered.token or "")
    answer.delete_cookie(STEP_COOKIE, path=door.url)
    return answer


@router.get("/report.pdf")
async def read_pdf(token: Token, visit: VisitDep, portal: PortalDep, services: ServicesDep) -> Response:
    """The latest version's document. Looked at again after it was made: a link revoked meanwhile gives no byte."""
    case = visit.link.case
    document = await asyncio.to_thread(services.pdfs.pdf, case.id, None)
    await asyncio.to_thread(portal.link, token)
    await asyncio.to_thread(portal.record, visit, "release.download", {"version": case.version})
    headers = {
        "Content-Disposition": f'attachment; filename="report-{case.number}.pdf"',
        "Cache-Control": "no-store",
    }
    return Response(document, media_type="application/pdf", headers=headers)


@router.get("/images/{series_uid}")
def read_images(
    token: Token,
    series_uid: Annotated[str, Path(pattern=r"^([0-9.]{1,64}|sty_[0-9a-f]{30})$")],
    visit: VisitDep,
    portal: PortalDep,
    services: ServicesDep,
) -> Response:
    """The viewer, read only, with the chosen series' study first."""
    with services.database.read() as session:
        view = images_view(session, visit, _url(token), series_uid)
    portal.record(visit, "release.view_images")
    page = portal_page(N_("Your images"), visit.link.practice)
    return HTMLResponse(render("pages/images.html", page.reader, page=page, view=view))


@router.post("/close")
def close(token: Token, visit: VisitDep, portal: PortalDep) -> Response:
    """Ends the visit here and on the server."""
    portal.close(visit)
    answer = RedirectResponse(_url(token), status_code=303)
    answer.delete_cookie(PORTAL_COOKIE, path=_url(token))
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


async def on_link_over(request: Request, error: Exception) -> Response:
    """The page of a link that opens nothing. It says no more than its kind."""
    fact = error if isinstance(error, LinkOver) else LinkGone()
    stage: Stage = (
        "expired" if isinstance(fact, LinkExpired) else "locked" if isinstance(fact, LinkLocked) else "revoked"
    )
    practice = fact.practice
    view = PortalView(
        stage=stage,
        url="",
        practice=practice.name if practice else "",
        practice_phone=practice.phone if practice else "",
    )
    page = portal_page(N_("Your report"), practice)
    if practice is None:
        # The page of a revoked link and of one that never was: nothing in it tells the time either.
        page = replace(page, reader=replace(reader_of(request), now=datetime(2000, 1, 1, tzinfo=UTC)))
    return HTMLResponse(render("pages/portal.html", page.reader, page=page, view=view), status_code=fact.status)


async def on_visit_over(request: Request, error: Exception) -> Response:
    """Back to the date of birth. The step's cookie is of no use any more."""
    token = request.path_params.get("token", "")
    answer = RedirectResponse(_url(token), status_code=303)
    if isinstance(error, StepMissing):
        answer.delete_cookie(STEP_COOKIE, path=_url(token))
    return answer


def _url(token: str) -> str:
    return f"/r/{token}"


def _date(form: FormData) -> date | None:
    """From the three fields, or from one in ISO 8601; None when it is no date that anybody was born on."""
    given = str(form.get("birth_date", "")).strip()
    try:
        if given:
            born = date.fromisoformat(given)
        else:
            day, month, year = (int(str(form.get(name, "")).strip()) for name in _PARTS)
            born = date(year, month, day)
    except (ValueError, OverflowError):
        return None
    return born if born.year >= _OLDEST and born <= now().date() else None


def install(app: FastAPI) -> None:
    """The pages of links that are over, and the images. After the routers: the mount takes whatever is left."""
    app.add_exception_handler(LinkOver, on_link_over)
    app.add_exception_handler(VisitOver, on_visit_over)
    app.add_exception_handler(StepMissing, on_visit_over)
    app.mount(PREFIX, patient_images(app), name="patient images")
