"""Facts become answers: ``application/problem+json`` (RFC 9457) with code, title, detail and status."""

import logging
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from infra.database import is_away
from schemas.errors import DatabaseUnavailable, InvalidInput, NotFound, NotSignedIn, OdontoError
from schemas.translation import N_

_log = logging.getLogger(__name__)


def problem(fact: OdontoError, *, headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:
    content = {"type": "about:blank", "code": fact.code, "title": fact.title, "status": fact.status}
    return JSONResponse(
        {**content, "detail": fact.detail, **more},
        status_code=fact.status,
        headers=dict(headers or {}),
        media_type="application/problem+json",
    )


def field_errors(error: RequestValidationError) -> list[dict[str, str]]:
    """Where and what, without the value: it may be PHI and would end up in a log of the caller."""
    return [
        {
            "field": ".".join(str(part) for part in each["loc"] if part not in {"body", "query", "path"}),
            "message": each["msg"],
        }
        for each in error.errors()
    ]


class MethodNotAllowed(OdontoError):
    code = "method_not_allowed"
    status = 405
    title = N_("This address does not take that method.")


class TokenInvalid(NotSignedIn):
    """A program that came with a token: nobody is there to sign in (RFC 6750 §3.1)."""

    code = "token_invalid"
    title = N_("This access token is unknown, has ended, or was revoked. Make a new one on the account page.")


RETRY_AFTER: Final = {"Retry-After": "5"}
_HEADERS: Final[Mapping[int, Mapping[str, str]]] = {401: {"WWW-Authenticate": "Bearer"}, 503: RETRY_AFTER}


async def on_fact(request: Request, error: Exception) -> Response:
    fact = error if isinstance(error, OdontoError) else OdontoError()
    if type(fact) is NotSignedIn and request.headers.get("authorization", "").lower().startswith("bearer "):
        return problem(TokenInvalid(), headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    return problem(fact, headers=_HEADERS.get(fact.status))


def away(request: Request, error: Exception) -> DatabaseUnavailable:
    """The fact that the database is away. Raises ``error`` again where that is not what it says.

    Its words are neither answered nor logged: they may hold what the statement was about.
    """
    if not isinstance(error, SQLAlchemyError) or not is_away(error):
        raise error
    _log.warning("database away: %s in %s %s", type(error).__name__, request.method, _route(request))
    return DatabaseUnavailable()


async def on_database(request: Request, error: Exception) -> Response:
    return await on_fact(request, away(request, error))


def invalid(errors: list[dict[str, str]]) -> InvalidInput:
    """The fact that something in the request is not as it should be, and where."""
    named = ", ".join(sorted({each["field"] for each in errors if each["field"]}))
    return InvalidInput(f"Please check: {named}." if named else None)


async def on_invalid(request: Request, error: Exception) -> Response:
    errors = field_errors(error) if isinstance(error, RequestValidationError) else []
    return problem(invalid(errors), errors=errors)


async def on_http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return problem(NotFound())
    if status == 405:
        return problem(MethodNotAllowed())
    fact = OdontoError()
    fact.status = status
    return problem(fact)


async def on_crash(request: Request, error: Exception) -> Response:
    """The exception's text may hold PHI: the log has its type and the route, never its words."""
    _log.error("%s in %s %s at %s", type(error).__name__, request.method, _route(request), _place(error))
    return problem(OdontoError())


def _route(request: Request) -> str:
    """Its address as it is declared: the request's own may hold a token."""
    return str(getattr(request.scope.get("route"), "path", "unknown"))


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames[-5:]))


class _Wordless(logging.Filter):
    """What the server itself logs of a crash: the exception's type and place, without its words."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, Exception):
            record.msg, record.args = "%s at %s", (type(error).__name__, _place(error))
            record.exc_info = record.exc_text = None
        return True


_wordless = _Wordless()


def install(app: FastAPI) -> None:
    # Starlette hands every crash on to the server after it was answered, and uvicorn writes the whole of it down.
    logging.getLogger("uvicorn.error").addFilter(_wordless)
    app.add_exception_handler(OdontoError, on_fact)
    app.add_exception_handler(SQLAlchemyError, on_database)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_crash)
