"""What a narrow access token opens. Everything that is not listed here is closed to it, whatever its person may do."""

import re
from typing import Final

from starlette.requests import Request

from schemas.token_forms import Scope

_SAFE: Final = frozenset({"GET", "HEAD"})
_OPENED: Final[tuple[tuple[Scope, frozenset[str], re.Pattern[str]], ...]] = (
    (Scope.IMAGES_READ, _SAFE, re.compile(r"(/cases/[^/]+)?/dicomweb/.+")),
    (Scope.IMAGES_READ, _SAFE, re.compile(r"/api/v1/cases/[^/]+/files(/[^/]+/(content|picture|thumbnail))?")),
    (Scope.IMAGES_WRITE, frozenset({"POST"}), re.compile(r"(/cases/[^/]+)?/dicomweb/studies(/[0-9.]+)?")),
    (Scope.UPLOADS, frozenset({"POST", "HEAD", "PATCH", "DELETE"}), re.compile(r"/api/v1/uploads(/[^/]+)?")),
    (Scope.UPLOADS, frozenset({"POST"}), re.compile(r"/api/v1/cases/[^/]+/files/settled")),
    *((scope, _SAFE, re.compile(r"/api/v1/me")) for scope in Scope),
)


def scopes_for(request: Request) -> frozenset[Scope]:
    """The scopes each of which is enough for this request; a token for everything is enough for all."""
    method, path = request.method, request.url.path
    return frozenset(scope for scope, methods, address in _OPENED if method in methods and address.fullmatch(path))
