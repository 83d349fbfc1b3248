"""Style sheets, icons and macros without leftovers: what is defined is used somewhere, what templates name is defined.

Names are often put together (``chip--{{ tone }}``), so a class counts as used too when its beginning is one that some
source continues, and its end is a string of some source. That is generous: it finds what nobody names any more, not
every variant that no case of the product reaches.
"""

import re
from pathlib import Path

from ui.static_files import STATIC_ROOT

UI = STATIC_ROOT.parent
ISLANDS = UI / "islands" / "src"
SHEETS = [*sorted((STATIC_ROOT / "css").glob("*.css")), *sorted(ISLANDS.rglob("*.css"))]
TEMPLATES = sorted((UI / "templates").rglob("*.html"))
SOURCES = [
    *TEMPLATES,
    *(path for folder in (UI, UI / "pages", UI / "views", UI / "assemble") for path in sorted(folder.rglob("*.py"))),
    *sorted((STATIC_ROOT / "js").glob("*.js")),
    *sorted(ISLANDS.rglob("*.ts")),
]

_NAME = r"[A-Za-z_][\w-]*"
_SPRITE = (STATIC_ROOT / "icons" / "sprite.svg").read_text()


def _text(paths: list[Path]) -> str:
    return "\n".join(path.read_text() for path in paths if "node_modules" not in path.parts)


def _styled() -> set[str]:
    rules = re.sub(r"/\*.*?\*/", "", _text(SHEETS), flags=re.DOTALL)
    selectors = [head for head in re.findall(r"([^{}]+)\{", rules) if not head.strip().startswith("@")]
    return {name for selector in selectors for name in re.findall(rf"\.({_NAME})", selector)}


def _unused(names: set[str]) -> set[str]:
    source = _text(SOURCES)
    words = set(re.findall(_NAME, source))
    begun = set(re.findall(r"([A-Za-z_][\w-]*-)(?:\{|\$\{)", source))
    strings = set(re.findall(r"[\"']([\w-]+)[\"']", source))
    return {
        name
        for name in names - words
        if not any(name.startswith(head) and name.removeprefix(head) in strings for head in begun)
    }


def test_every_class_of_the_style_sheets_is_used() -> None:
    assert not _unused(_styled())


def test_every_class_that_a_template_writes_out_is_styled_or_looked_for_by_a_script() -> None:
    scripts = _text([path for path in SOURCES if path.suffix in {".js", ".ts"}])
    known = _styled() | set(re.findall(_NAME, scripts))
    for path in TEMPLATES:
        lists = re.findall(r'class="((?:[^"{]|\{\{.*?\}\}|\{%.*?%\})*)"', path.read_text())
        marked = " ".join(re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "\0", names) for names in lists)
        assert {name for name in marked.split() if "\0" not in name} <= known, path.name


def test_every_icon_is_used() -> None:
    strings = set(re.findall(r"[\"'#]([\w-]+)[\"']", _text(SOURCES)))
    assert set(re.findall(r'<symbol id="([\w-]+)"', _SPRITE)) <= strings


def test_every_macro_is_called() -> None:
    text = _text(TEMPLATES)
    macros = re.findall(r"\{%-? macro (\w+)\(", text)
    assert macros
    uses = re.sub(r"\{%-? macro \w+|\{% from .*? %\}", "", text)
    assert not [name for name in macros if not re.search(rf"\b{name}\(|, {name}[,)]", uses)]
