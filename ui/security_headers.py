"""Response headers that the browser enforces, set in one place for every response.

A plain ASGI middleware: it sees each ``http.response.start`` once and never touches bodies, so streams (server-sent events,
DICOM frames, uploads) pass unbuffered.
"""

from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# 'wasm-unsafe-eval' lets the image decoders of the viewer run; style *attributes* (not elements) are what the viewer's
# overlay sets. Nothing inline is ever executed, and only this origin is spoken to.
CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "script-src-attr 'none'",
        "style-src 'self'",
        "style-src-attr 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "media-src 'self' blob:",
        "object-src 'none'",
        "frame-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

_PERMISSIONS: Final = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "browsing-topics",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "serial",
        "usb",
    )
)

ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    # Not "no-referrer": under it a browser sends `Origin: null` with our own forms, which the CSRF defence must refuse.
    # Nothing leaves this origin either way.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": _PERMISSIONS,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class SecurityHeaders:
    """Wraps an ASGI application.

    A response that says nothing about caching gets ``no-store``: pages hold PHI unless a route knows better (static files
    and image frames say so themselves). A response with a policy of its own (an uploaded PDF with a sandbox) keeps it.
    ``https`` adds Strict-Transport-Security; leave it off on loopback.
    """

    app: ASGIApp
    https: bool = False
    headers: dict[str, str] = field(default_factory=lambda: dict(ALWAYS))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message))
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _add(self, headers: MutableHeaders) -> None:
        for name, value in self.headers.items():
            headers[name] = value
        headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        headers.setdefault("Cache-Control", "no-store")
        if self.https:
            headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
