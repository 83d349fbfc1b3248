"""Static files under addresses that hold a hash of their content, so that a browser may keep them for ever.

``/static/{hash}/{path}`` is immutable. The hash covers the whole folder that a file belongs to (our own css, js and
icons; or the front-end build), not the file alone: a module's relative ``import`` and a style sheet's ``url()`` then
resolve inside the same hash without a build step. ``/static/{path}`` works too, and is revalidated at each use.
"""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

STATIC_ROOT: Final = Path(__file__).parent / "static"
STATIC_URL: Final = "/static"
BUNDLE: Final = "css/app.css"

_BUILD: Final = "build"
_IMMUTABLE: Final = "public, max-age=31536000, immutable"
_REVALIDATE: Final = "public, no-cache"


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """An ASGI application that serves ``root``; mount it at ``STATIC_URL``.

    ``own`` and ``build`` are the hashes of the two folders; ``files`` maps the paths that exist to their files. Only
    these are served, so no request can reach outside the folder.
    """

    own: str
    build: str
    files: Mapping[str, Path]
    bundle: bytes

    @classmethod
    def read(cls, root: Path = STATIC_ROOT) -> "StaticFiles":
        """Reads the folder as it is now. The style sheets become one, in the order of their names."""
        files = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*")) if path.is_file()}
        own = {name: path for name, path in files.items() if not name.startswith(f"{_BUILD}/")}
        build = {name: path for name, path in files.items() if name.startswith(f"{_BUILD}/")}
        sheets = [path.read_bytes() for name, path in own.items() if name.startswith("css/")]
        return cls(own=_digest(own), build=_digest(build), files=files, bundle=b"\n".join(sheets))

    def url(self, path: str) -> str:
        """The immutable address of a file, such as ``css/app.css`` or ``build/viewer.js``."""
        return f"{STATIC_URL}/{self.build if path.startswith(f'{_BUILD}/') else self.own}/{path}"

    def has(self, path: str) -> bool:
        return path in self.files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return Response(status_code=405, headers={"Allow": "GET, HEAD"})
        path = str(scope["path"]).removeprefix(str(scope.get("root_path", ""))).lstrip("/")
        first, _, rest = path.partition("/")
        immutable = first in (self.own, self.build)
        name = rest if immutable else path
        headers = {"Cache-Control": _IMMUTABLE if immutable else _REVALIDATE}
        if name == BUNDLE:
            return Response(self.bundle, media_type="text/css", headers=headers)
        file = self.files.get(name)
        if file is None:
            return Response("There is no such file.", status_code=404, media_type="text/plain")
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return FileResponse(
            file, media_type="text/javascript" if kind.endswith("javascript") else kind, headers=headers
        )


def _digest(files: Mapping[str, Path]) -> str:
    total = hashlib.sha256()
    for name, path in files.items():
        total.update(f"{name}\0{path.stat().st_size}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()[:16]


@lru_cache(maxsize=1)
def static_files() -> StaticFiles:
    """The files of this process, read at first use."""
    return StaticFiles.read()
