"""Gathers the texts that people read: ``make messages`` writes them to infra/locale/odontoflow.pot for translators.

They are marked where they stand: ``N_("…")`` and ``_("…")`` in Python, ``_("…")`` and ``ngettext`` in templates, ``t("…")``
and ``plural(n, "…", "…")`` in scripts.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import write_po

from infra.translation import CATALOGUES

ROOT: Final = Path(__file__).resolve().parent.parent
TEMPLATE: Final = CATALOGUES / "odontoflow.pot"
PACKAGES: Final = ("schemas", "infra", "activities", "workflows", "api", "ui", "worker")

_KINDS: Final = {".py": "python", ".html": "jinja2", ".j2": "jinja2", ".js": "javascript", ".ts": "javascript"}
_KEYWORDS: Final[dict[str, dict[str, Any]]] = {
    "jinja2": {"_": None, "gettext": None, "ngettext": (1, 2)},
    "javascript": {"t": None, "N_": None, "plural": (2, 3)},
}
# As ui/templating.py sets them up: whitespace of a message is its own.
_JINJA: Final = {"newstyle_gettext": "true", "silent": "false"}
_ELSEWHERE: Final = frozenset({"node_modules", "build", "samples", "versions"})
"""Folders of other people's code, and of examples."""
_SINGLE: Final = frozenset({"N_", "_", "gettext"})
_PLURAL: Final = frozenset({"ngettext", "say_many"})


def catalogue() -> Catalog:
    """Every marked text of the product, with the files that it stands in."""
    found = Catalog(project="OdontoFlow", fuzzy=False)
    for path in sorted(_sources()):
        place = path.relative_to(ROOT).as_posix()
        for line, message in _messages(path):
            found.add(message, locations=[(place, line)])
    return found


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            parts = path.relative_to(ROOT).parts
            if path.suffix in _KINDS and ".test." not in path.name and not _ELSEWHERE & set(parts):
                yield path


def _messages(path: Path) -> Iterator[tuple[int, Any]]:
    kind = _KINDS[path.suffix]
    if kind == "python":
        with path.open("rb") as file:
            yield from python_messages(file)
        return
    options = _JINJA if kind == "jinja2" else {}
    method = "jinja2.ext:babel_extract" if kind == "jinja2" else kind
    for line, message, _, _ in extract_from_file(method, path, keywords=_KEYWORDS[kind], options=options):
        yield line, message


def python_messages(file: BinaryIO) -> Iterator[tuple[int, Any]]:
    """Marked literals, also those that are marked inside another call: ``say_many(N_("…"), N_("…"), n)``."""
    for node in ast.walk(ast.parse(file.read())):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        texts = [_literal(argument) for argument in node.args]
        if name in _SINGLE and texts and texts[0]:
            yield node.lineno, texts[0]
        elif name in _PLURAL and len(texts) >= 2 and texts[0] and texts[1]:
            yield node.lineno, (texts[0], texts[1])


def _literal(node: ast.expr) -> str:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "N_" and node.args:
        return _literal(node.args[0])
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def main() -> int:
    """Writes the template."""
    found = catalogue()
    CATALOGUES.mkdir(exist_ok=True)
    with TEMPLATE.open("wb") as file:
        write_po(file, found, width=120, sort_by_file=True, include_lineno=False, omit_header=False)
    print(f"{len(found)} texts: {TEMPLATE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
