"""The files of OHIF's own build (scripts/advanced_viewer.py prepares them), at :data:`URL`.

They are the same for everybody and hold nothing of a case; the page that loads them, and its configuration, are
``ui.pages.advanced_viewer``'s.
"""

import mimetypes
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

URL: Final = "/ohif"
ROOT: Final = Path(__file__).parent / "ohif"
_HASHED: Final = ".bundle."
_IMMUTABLE: Final = "public, max-age=31536000, immutable"
_REVALIDATE: Final = "public, no-cache"

# The build's image decoders make functions from strings, and so would not run under the pages' policy. A dedicated worker
# has the policy of its own file (HTML standard, run a worker), so that the page itself allows no such thing.
_DECODERS: Final = "8097.bundle."
_DECODERS_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' 'unsafe-eval'; connect-src 'self'; base-uri 'none'"
)


class OhifFiles:
    """An ASGI application. ``files`` are the paths that there are: no request reaches outside the folder."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        there = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        self._files = frozenset(name for name in there if not name.startswith("."))

    @property
    def is_there(self) -> bool:
        return "index.html" in self._files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return Response(status_code=405, headers={"Allow": "GET, HEAD"})
        name = str(scope["path"]).removeprefix(str(scope.get("root_path", ""))).lstrip("/")
        if name not in self._files or name.endswith((".gz", ".html")):
            return Response("There is no such file.", status_code=404, media_type="text/plain")
        return self.file(name, Headers(scope=scope), _IMMUTABLE if _HASHED in name else _REVALIDATE)

    def file(self, name: str, asked: Headers, caching: str) -> Response:
        """A file of the build, packed where the browser takes it so."""
        headers = {"Cache-Control": caching, "Vary": "Accept-Encoding"}
        if name.startswith(_DECODERS):
            headers["Content-Security-Policy"] = _DECODERS_POLICY
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        media_type = "text/javascript" if kind.endswith("javascript") else kind
        packed = f"{name}.gz"
        if packed in self._files and "gzip" in asked.get("accept-encoding", ""):
            return FileResponse(
                self._root / packed, media_type=media_type, headers=headers | {"Content-Encoding": "gzip"}
            )
        return FileResponse(self._root / name, media_type=media_type, headers=headers)
