"""The names under which this server may be called. A page elsewhere could have its own name resolve to this machine (DNS
rebinding): to a browser the two are then one origin, and only the ``Host`` header still tells them apart.
"""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import problem
from infra.settings import Settings
from schemas.errors import OdontoError
from schemas.translation import N_

_PROBES: Final = frozenset({"/healthz", "/readyz"})
"""Asked by machines under any name; they say nothing worth hearing."""


class HostUnknown(OdontoError):
    code = "host_unknown"
    status = 421
    title = N_("This server is not reached under that name. Use the address of OdontoFlow that you were given.")


class KnownHosts:
    """Pure ASGI. Known are the public address, ``localhost``, and every address of digits: nobody can rebind those."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._names = {"localhost", (urlsplit(settings.base_url).hostname or "").rstrip(".")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _PROBES and not self._is_known(scope):
            await problem(HostUnknown())(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        try:
            name = (urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname or "").rstrip(".")
        except ValueError:
            return False
        return name in self._names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
