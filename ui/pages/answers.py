"""Answers of the pages: a rendered page or part of one, a redirect after a post, and addresses that stay on this site."""

from typing import Any, Final
from urllib.parse import urlsplit

from babel import negotiate_locale
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from infra.translation import languages
from ui.templating import Reader, render
from ui.views import Page

DONE_COOKIE: Final = "odontoflow_done"
"""Names the sentence that the next page shows once (``ui.assemble.toasts``); it never holds a sentence itself."""
_DONE_SECONDS: Final = 60
NO_STORE: Final = {"Cache-Control": "no-store"}


def is_part_request(request: Request) -> bool:
    """htmx or the live island asks for a part of a page; such an answer replaces a region, never the page."""
    return "hx-request" in request.headers or "x-live-region" in request.headers


def reader_of(request: Request) -> Reader:
    """Somebody who is not signed in: in the language that the browser asks for, where there is a catalogue of it."""
    asked = [part.partition(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")]
    # English is nobody's catalogue, but a wish like any other.
    found = negotiate_locale([each.replace("-", "_") for each in asked], ["en", *languages()])
    return Reader(locale=found) if found and found != "en" else Reader()


def answer(template: str, page: Page, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A whole page or a part; ``page`` says for whom."""
    html = render(template, page.reader, page=page, **context)
    response = HTMLResponse(html, status_code=status, headers=NO_STORE)
    if page.toast is not None:
        response.delete_cookie(DONE_COOKIE, path="/")
    return response


def see_other(url: str, *, done: str = "") -> Response:
    """After a post: the page to look at, so that a reload does not repeat the post. ``done`` is a key of the toasts."""
    response = RedirectResponse(url, status_code=303, headers=NO_STORE)
    if done:
        response.set_cookie(DONE_COOKIE, done, max_age=_DONE_SECONDS, path="/", httponly=True, samesite="lax")
    return response


def same_site(url: str, fallback: str = "/") -> str:
    """``url`` when it is a path of this site, else ``fallback``. Browsers read ``//``, ``/\\`` and control characters as hosts."""
    if not url.startswith("/") or url.startswith("//") or "\\" in url or not url.isprintable():
        return fallback
    parts = urlsplit(url)
    return url if not parts.scheme and not parts.netloc else fallback


def referring_path(request: Request, fallback: str = "/") -> str:
    """The page that a post came from, where the browser says so and it is ours."""
    parts = urlsplit(request.headers.get("referer", ""))
    if parts.netloc != request.headers.get("host", ""):
        return fallback
    return same_site(f"{parts.path}?{parts.query}" if parts.query else parts.path, fallback)
