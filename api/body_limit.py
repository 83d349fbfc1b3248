"""A bound on request bodies. A framework reads a whole body before it asks who sent it: without one, anybody could fill the
memory. Uploads read theirs piece by piece and have bounds of their own.
"""

import re
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.codec_cors import DECODE
from api.errors import problem
from api.tus.protocol import BODY_TYPE
from schemas.errors import OdontoError
from schemas.translation import N_

MOST: Final = 2 << 20
"""Bytes of a form or of JSON: a report with all its parts is far smaller."""
_LARGER: Final = (
    (re.compile(r"/api/v1/cases/[^/]+/annotations"), 8 << 20),
    (re.compile(r"/api/v1/cases/[^/]+/key-images"), 17 << 20),
    (re.compile(re.escape(DECODE)), 8 << 20),
)
_STORING: Final = re.compile(r"(/cases/[^/]+)?/dicomweb/studies(/[^/]+)?")
_UPLOADS: Final = re.compile(r"/api/v1/uploads(/[^/]+)?")


class BodyTooLarge(OdontoError):
    code = "body_too_large"
    status = 413
    title = N_("This request is larger than the server accepts. Send less at a time; files go to the uploads.")


class BodyLimit:
    """Pure ASGI. A body that says its length is refused unread, another one as soon as it is too long."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        most = _most(scope) if scope["type"] == "http" else None
        if most is None:
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and (len(announced) > 15 or int(announced) > most):
            await problem(BodyTooLarge())(scope, receive, send)
            return
        await self._counted(scope, receive, send, most)

    async def _counted(self, scope: Scope, receive: Receive, send: Send, most: int) -> None:
        read, is_over, has_begun = 0, False, False

        async def receive_counted() -> Message:
            nonlocal read, is_over
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                is_over = True
                raise BodyTooLarge()
            return message

        async def send_unless_over(message: Message) -> None:
            # What the application makes of the cut body (a parsing error, as a rule) would say something else.
            nonlocal has_begun
            if has_begun or not is_over:
                has_begun = True
                await send(message)

        try:
            await self._app(scope, receive_counted, send_unless_over)
        except Exception:
            # A handler that was cut off in its body raises what it likes: the answer to that is ours, below.
            if not is_over or has_begun:
                raise
        if is_over and not has_begun:
            await problem(BodyTooLarge())(scope, receive, send)


def _most(scope: Scope) -> int | None:
    """Bytes; None where the route itself bounds what it reads."""
    path, kind = scope["path"], Headers(scope=scope).get("content-type", "")
    if _UPLOADS.fullmatch(path) and kind == BODY_TYPE:
        return None
    if _STORING.fullmatch(path) and kind.lower().startswith("multipart/related"):
        return None
    return next((most for pattern, most in _LARGER if pattern.fullmatch(path)), MOST)
