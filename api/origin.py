"""The defence against requests that another site makes a browser send (OWASP CSRF cheat sheet, Fetch Metadata).

Every unsafe request with a browser's marks must come from this very origin. Requests with a bearer token and without a
browser's marks are programs: no browser adds a bearer token by itself.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import problem
from schemas.errors import OdontoError
from schemas.translation import N_

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class CrossSite(OdontoError):
    code = "cross_site"
    status = 403
    title = N_("This request came from another site and was refused. Open OdontoFlow itself and try again.")


class SameOriginOnly:
    """Pure ASGI: bodies pass untouched. ``exempt`` are path prefixes with signatures of their own (webhooks); ``friends``
    are paths that one other origin may call too. ``https``: this server's own pages come over TLS alone, so that one
    which somebody on the line put under its name without TLS is foreign.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        https: bool = False,
        exempt: tuple[str, ...] = (),
        friends: Mapping[str, str] | None = None,
    ) -> None:
        self._app = app
        self._schemes = {"https"} if https else {"http", "https"}
        self._exempt = exempt
        self._friends = dict(friends or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _SAFE and self._is_foreign(scope):
            await problem(CrossSite())(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_foreign(self, scope: Scope) -> bool:
        if scope["path"].startswith(self._exempt) and self._exempt:
            return False
        headers = Headers(scope=scope)
        site = headers.get("sec-fetch-site")
        origin = headers.get("origin")
        if origin is not None and self._friends.get(scope["path"]) == origin:
            return False
        if site is not None and site != "same-origin":
            return True
        if origin is not None:
            return not self._is_own(origin, headers.get("host", ""))
        if headers.get("authorization", "").lower().startswith("bearer ") or scope["path"] == "/api/v1/auth/token":
            return False
        return site is None

    def _is_own(self, origin: str, host: str) -> bool:
        try:
            parts = urlsplit(origin)
        except ValueError:  # no address at all
            return False
        return parts.scheme in self._schemes and parts.netloc == host
