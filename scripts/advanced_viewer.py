"""Fetches the build of the OHIF viewer (MIT licence) that is served as the advanced viewer, and prepares it for our address.

Called by scripts/setup.py and by the Dockerfile: ``python scripts/advanced_viewer.py <npm>``. Needs the standard library
alone. The package is one that its authors built; its content is pinned by hash, and what is not needed for DICOM images
(segmentation models, microscopy, analytics, service workers) is left out.
"""

import base64
import gzip
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

TARGET: Final = Path(__file__).parents[1] / "ui" / "ohif"
PACKAGE: Final = "@ohif/app@3.13.2"
SHA512: Final = "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="
BASE: Final = "/ohif/"

_LEFT_OUT: Final = frozenset({"ort", "dicom-microscopy-viewer", "customizations"})
_NOT_USED: Final = frozenset(
    {
        "app-config.js",
        "es6-shim.min.js",
        "google.js",
        "init-service-worker.js",
        "oidc-client.min.js",
        "polyfill.min.js",
        "serve.json",
        "silent-refresh.html",
        "sw.js",
        "_headers",
        "_redirects",
    }
)
_PACKED: Final = frozenset({".css", ".html", ".js", ".json", ".svg", ".wasm"})
_LEAST_PACKED: Final = 1400
# What the page's inline scripts did, in a file of its own: no inline script may run. The configuration follows it.
_BOOT: Final = f'window.PUBLIC_URL = "{BASE}";\nwindow.browserImportFunction = (name) => import(name);\n'


def main() -> None:
    npm = sys.argv[1]
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TARGET.parent, prefix=".ohif-") as name:
        folder = Path(name)
        tarball = fetched(npm, folder)
        made = folder / "made"
        unpack(tarball, made)
        adapt(made)
        shutil.rmtree(TARGET, ignore_errors=True)
        made.rename(TARGET)


def fetched(npm: str, folder: Path) -> Path:
    """The package as its registry has it. Ends the program when it is not the one that was looked at."""
    subprocess.run(
        [npm, "pack", PACKAGE, "--ignore-scripts", "--silent", f"--pack-destination={folder}"], cwd=folder, check=True
    )
    (tarball,) = folder.glob("*.tgz")
    with tarball.open("rb") as file:
        found = base64.b64encode(hashlib.file_digest(file, "sha512").digest()).decode()
    if found != SHA512:
        sys.exit(f"{PACKAGE} has another content than the one that was checked; it is not used.")
    return tarball


def unpack(tarball: Path, folder: Path) -> None:
    """The files of ``dist`` in the package, and its licence."""
    with tarfile.open(tarball) as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            if path.parts[:2] == ("package", "dist") and len(path.parts) > 2 and is_used(path.parts[2:]):
                place = folder.joinpath(*path.parts[2:])
            elif path == PurePosixPath("package/LICENSE"):
                place = folder / "LICENSE"
            else:
                continue
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None and ".." not in path.parts:
                place.parent.mkdir(parents=True, exist_ok=True)
                with content, place.open("wb") as file:
                    shutil.copyfileobj(content, file)


def is_used(parts: tuple[str, ...]) -> bool:
    return parts[0] not in _LEFT_OUT and parts[-1] not in _NOT_USED and not parts[-1].endswith(".map")


def adapt(folder: Path) -> None:
    """Built for the root of a host: here for :data:`BASE`, without inline scripts, and packed beside each large file."""
    for path in sorted(folder.glob("*.js")):
        _rewrite(path, lambda text: text.replace('__webpack_require__.p = "/";', f'__webpack_require__.p = "{BASE}";'))
    for path in sorted(folder.glob("*.css")):
        _rewrite(path, lambda text: re.sub(r"url\(([\"']?)/(?!/)", rf"url(\1{BASE}", text))
    _rewrite(folder / "index.html", _page)
    (folder / "boot.js").write_text(_BOOT)
    for path in list(_large(folder)):
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 6, mtime=0))


def _page(text: str) -> str:
    """The configuration lies beside the page, so that each case has its own."""
    text = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    text = re.sub(r"<script[^>]*init-service-worker[^>]*></script>", "", text)
    text = re.sub(
        r"<script[^>]*app-config\.js\"></script>",
        f'<script src="{BASE}boot.js"></script><script src="config.js"></script>',
        text,
    )
    return re.sub(r'(href|src|content)="/(?!ohif/|/)', rf'\1="{BASE}', text)


def _rewrite(path: Path, change: Callable[[str], str]) -> None:
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    changed = change(text)
    if changed != text:
        path.write_text(changed, encoding="utf-8", errors="surrogateescape")


def _large(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix in _PACKED and path.stat().st_size >= _LEAST_PACKED:
            yield path


if __name__ == "__main__":
    main()
