"""Errors as people see them: a page that says what happened and what to do next. Programs keep their problem documents.

The page of another practice's thing and of one that does not exist are the same bytes: nothing in it depends on the
request but the browser's language.
"""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from api import errors
from api.deps import token_of
from api.services import services_of
from infra.sessions import Sessions
from infra.translation import translations
from schemas.errors import InvalidInput, NotFound, OdontoError
from schemas.translation import N_
from ui.pages.answers import NO_STORE, answer, is_part_request, reader_of, referring_path, same_site, see_other
from ui.pages.session import ask_again
from ui.pages.typed import Typed, read_typed
from ui.security_headers import ALWAYS, CONTENT_SECURITY_POLICY
from ui.views import ErrorPage, Page

_PROGRAMS: Final = (
    "/api/",
    "/dicomweb",
    "/fhir",
    "/codec",
    "/webhooks",
    "/static",
    "/openapi.json",
    "/healthz",
    "/readyz",
)
_TITLES: Final[dict[int, tuple[str, str]]] = {
    401: ("lock", N_("Please sign in")),
    403: ("lock", N_("This belongs to someone else")),
    404: ("search", N_("There is nothing here")),
    405: ("search", N_("There is nothing here")),
    409: ("history", N_("This has moved on")),
    410: ("history", N_("This is gone")),
    412: ("history", N_("This was changed meanwhile")),
    422: ("attention", N_("This did not arrive whole")),
    429: ("wait", N_("Please wait a moment")),
    503: ("attention", N_("This cannot be done right now")),
}
_NOTHING: Final = N_("The address may be mistyped, or this is not yours to see.")
_ANY: Final = ("attention", N_("Something went wrong on our side"))
# Nothing on an error page tells the time.
_MOMENT: Final = datetime(2000, 1, 1, tzinfo=UTC)

_PORTAL: Final = "/r/"
"""Patients have no account: their way in is the link."""


def for_people(request: Request) -> bool:
    """Whether a browser asks for something to look at."""
    if request.url.path.startswith(_PROGRAMS):
        return False
    return "text/html" in request.headers.get("accept", "") or is_part_request(request)


def error_answer(request: Request, fact: OdontoError, typed: Typed | None = None) -> Response:
    """A page, or a word in place of a part. ``typed``: a form that can be sent again as it is."""
    if is_part_request(request):
        return _part(request, fact)
    if fact.status == 401 and not _is_portal(request):
        return see_other(f"/sign-in?next={quote(_back(request), safe='/')}")
    reader = replace(reader_of(request), now=_MOMENT)
    _ = translations(reader.locale).gettext
    icon, title = _TITLES.get(fact.status, _ANY)
    actions: tuple[tuple[str, str], ...] = ((_("Go to the first page"), "/"),)
    again = _again_url(request) if fact.status == 503 and typed is not None else ""
    if request.method == "POST":
        actions = ((_("Back to where you were"), referring_path(request)), *actions)
    elif fact.status == 503:
        actions = ((_("Try again"), _back(request)), *actions)
    text = _NOTHING if fact.status == 404 else fact.detail
    view = ErrorPage(
        status=fact.status,
        icon=icon,
        title=_(title),
        text=_(text),
        actions=actions,
        again_url=again,
        kept=typed.pairs if typed and again else (),
        asks_secret=typed is not None and typed.has_secret,
    )
    response = answer("pages/error.html", Page(title=title, reader=reader), status=fact.status, view=view)
    if fact.status == 503:
        response.headers.update(errors.RETRY_AFTER)
    return response


def _again_url(request: Request) -> str:
    """Where the form was sent, with what its address said."""
    query = request.url.query
    return same_site(f"{request.url.path}?{query}" if query else request.url.path, "")


def _is_portal(request: Request) -> bool:
    return request.url.path.startswith(_PORTAL)


def _part(request: Request, fact: OdontoError) -> Response:
    """A region stays as it is: the live island and htmx put nothing in place of an error."""
    headers = {**NO_STORE, **({"HX-Redirect": "/sign-in"} if fact.status == 401 else {})}
    said = translations(reader_of(request).locale).gettext(fact.detail)
    return HTMLResponse(f"<p>{escape(said)}</p>", status_code=fact.status, headers=headers)


def _back(request: Request) -> str:
    """Where to go on after signing in: the page itself, or the one whose form was posted."""
    if request.method in {"GET", "HEAD"}:
        query = request.url.query
        return f"{request.url.path}?{query}" if query else request.url.path
    return referring_path(request)


async def _on_fact(request: Request, error: Exception) -> Response:
    if not for_people(request):
        return await errors.on_fact(request, error)
    fact = error if isinstance(error, OdontoError) else OdontoError()
    if fact.status == 401 and request.method == "POST" and not is_part_request(request) and not _is_portal(request):
        return await _keep_and_ask(request, fact)
    return error_answer(request, fact)


async def _keep_and_ask(request: Request, fact: OdontoError) -> Response:
    """A form whose session had ended: its person signs in, and sends it after all."""
    typed = await _typed(request)
    if not typed.fields():
        return error_answer(request, fact)
    owner = await asyncio.to_thread(_owner, request)
    return ask_again(
        request, typed, resume_url=same_site(request.url.path), next_url=referring_path(request), owner=owner
    )


async def _on_database(request: Request, error: Exception) -> Response:
    """What was typed waits on the page itself: its nonce makes that sending it again is harmless."""
    if not for_people(request):
        return await errors.on_database(request, error)
    fact = errors.away(request, error)
    typed = await _typed(request) if request.method == "POST" else None
    return error_answer(request, fact, typed)


async def _typed(request: Request) -> Typed:
    try:
        return await read_typed(request)
    except HTTPException:
        return Typed()


def _owner(request: Request) -> str:
    services = services_of(request.app)
    return Sessions(services.database, services.passwords, services.settings).owner(token_of(request) or "")


async def _on_invalid(request: Request, error: Exception) -> Response:
    return error_answer(request, InvalidInput()) if for_people(request) else await errors.on_invalid(request, error)


async def _on_http(request: Request, error: Exception) -> Response:
    if not for_people(request):
        return await errors.on_http(request, error)
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status in {404, 405}:
        return error_answer(request, NotFound())
    fact = OdontoError() if status >= 500 else InvalidInput()
    fact.status = status
    return error_answer(request, fact)


async def _on_crash(request: Request, error: Exception) -> Response:
    """Answered outside of every middleware, so the headers are set here."""
    problem = await errors.on_crash(request, error)
    response = error_answer(request, OdontoError()) if for_people(request) else problem
    response.headers.update({**ALWAYS, **NO_STORE, "Content-Security-Policy": CONTENT_SECURITY_POLICY})
    return response


def install(app: FastAPI) -> None:
    app.add_exception_handler(OdontoError, _on_fact)
    app.add_exception_handler(SQLAlchemyError, _on_database)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_crash)
