"""Cross-origin calls of the decode endpoint, from the embedded mode's Temporal UI alone.

The UI is another origin (its port differs) of the same site, so the browser sends the administrator's session cookie
with a call that asks for it ("Include cross-origin credentials" in the UI's data encoder settings). Exactly that one
origin is answered, for that one path, and the session is checked as for every request. Limits: a cookie knows no port,
so the browser also shows it to the UI's own server on loopback; and somebody who can run a script inside the UI could
decode as the administrator, each time with an audit row. Both end with the gateway that puts the UI behind this server.
"""

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.settings import Settings

DECODE: Final = "/codec/decode"


def friends_of(settings: Settings) -> dict[str, str]:
    """Path → the one other origin that may call it. Empty in production, and where Temporal runs elsewhere."""
    if settings.mode != "embedded" or settings.temporal_address:
        return {}
    return {DECODE: f"http://127.0.0.1:{settings.temporal_ui_port}"}


class DecodeFromTemporal:
    """Answers the preflight and marks the answers (Fetch standard, CORS protocol)."""

    def __init__(self, app: ASGIApp, friends: Mapping[str, str]) -> None:
        self._app = app
        self._friends = dict(friends)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        if origin is None or self._friends.get(scope["path"]) != origin:
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=_preflight(origin))(scope, receive, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_allowed(origin))
            await send(message)

        await self._app(scope, receive, send_marked)


def _allowed(origin: str) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true", "Vary": "Origin"}


def _preflight(origin: str) -> dict[str, str]:
    return {
        **_allowed(origin),
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "content-type, x-namespace",
        "Access-Control-Max-Age": "600",
    }
