"""Catalogues of translated texts (GNU gettext). English is the source language and has none.

A catalogue is a ``.po`` file, read as its translator left it: there is no step of compilation that can be forgotten.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

CATALOGUES: Final = Path(__file__).parent / "locale"
"""``<language>.po`` or ``<language>_<territory>.po``."""

SCRIPTS: Final = (
    "ui/islands/",
    "ui/static/js/",
    "schemas/report.py",
    "schemas/checklists.py",
    "activities/records/signing.py",
)
"""Where the texts stand that scripts put into a page: their own, and those of what a report still lacks."""


class _Translations(GNUTranslations):
    """No words are no words: gettext itself answers them with the catalogue's head."""

    def gettext(self, message: str) -> str:
        return super().gettext(message) if message else ""


def languages() -> list[str]:
    """The languages that there are catalogues of, as the files are named."""
    return sorted(path.stem for path in CATALOGUES.glob("*.po"))


@lru_cache(maxsize=32)
def translations(locale: str) -> NullTranslations:
    """The catalogue of a locale such as ``de_AT``, or of its language alone; an empty one where there is neither."""
    catalogue = _read(locale)
    if catalogue is None:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return _Translations(compiled)


@lru_cache(maxsize=32)
def script_words(locale: str) -> Mapping[str, str | list[str]]:
    """The translations that a page's scripts need, by the English text; all forms of a plural in gettext's order."""
    words: dict[str, str | list[str]] = {}
    for message in _read(locale) or ():
        if not message.id or message.fuzzy or not any(place.startswith(SCRIPTS) for place, _ in message.locations):
            continue
        said = message.string
        if isinstance(message.id, str):
            if isinstance(said, str) and said:
                words[message.id] = said
        elif isinstance(said, list | tuple) and all(said):
            words[message.id[0]] = list(said)
    return words


def _read(locale: str) -> Catalog | None:
    names = re.split(r"[-_]", locale)
    for name in ("_".join(names[:2]), names[0]):
        path = CATALOGUES / f"{name}.po"
        if re.fullmatch(r"\w+", name) and path.is_file():
            with path.open("rb") as file:
                return read_po(file, locale=name, abort_invalid=True)
    return None
