"""What every request to the uploads meets before its route, and every answer after it, errors of any layer among them."""

import re
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.tus.protocol import VERSION

_PATH: Final = re.compile(r"/api/v1/uploads(/[^/]+)?")
_OVERRIDE: Final = "x-http-method-override"


def _is_upload(scope: Scope) -> bool:
    return scope["type"] == "http" and _PATH.fullmatch(scope["path"]) is not None


class MethodOverride:
    """``X-HTTP-Method-Override`` (tus 1.0, "Headers") for clients behind what lets no PATCH or DELETE through.

    Only a POST may become something else: it has passed the same-origin check as the unsafe request that it is. A GET
    that became a DELETE here would have passed as a safe one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_upload(scope) and scope["method"] == "POST":
            method = Headers(scope=scope).get(_OVERRIDE)
            if method is not None:
                scope = {**scope, "method": method.upper()}
        await self._app(scope, receive, send)


class TusAnswers:
    """``Tus-Resumable`` on every answer, and ``Tus-Version`` on 412 (tus 1.0, "Headers")."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Tus-Resumable"] = VERSION
                if message["status"] == 412:
                    headers["Tus-Version"] = VERSION
            await send(message)

        await self._app(scope, receive, send_named if _is_upload(scope) else send)
