"""The names that files had where they came from, sealed under the case's key. PHI."""

import re
from typing import Final

from pydantic import JsonValue

from infra.keys import DataKey
from infra.sealing import column_aad, open_json, seal_json
from schemas.tables.imaging import StoredFile

_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Controls, and the marks of direction with which “gpj.exe” is shown as a picture's name (Unicode TR36, 2.6)."""
_NAME_LENGTH: Final = 255
_PATH_LENGTH: Final = 1000


def sealed_name(key: DataKey, file_id: str, *, name: str, path: str) -> bytes:
    """The column ``name`` of a stored file."""
    kept: JsonValue = {"name": printable(name, _NAME_LENGTH), "path": printable(path, _PATH_LENGTH), "description": ""}
    return seal_json(key, kept, column_aad("stored_file", file_id, "name"))


def name_of(key: DataKey, file: StoredFile) -> dict[str, str]:
    """``name`` and ``path`` as the uploader's computer had them."""
    found = open_json(key, file.name, column_aad("stored_file", file.id, "name"))
    assert isinstance(found, dict)
    return {"name": str(found.get("name") or "file"), "path": str(found.get("path") or "")}


def printable(text: str, limit: int) -> str:
    return _UNPRINTABLE.sub(" ", text)[:limit]
