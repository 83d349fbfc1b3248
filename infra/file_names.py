"""The names that files had where they came from, sealed under the key of the case or the patient. PHI."""

import re
from typing import Final, Literal

from infra.keys import DataKey
from infra.sealing import column_aad, open_json, seal_json
from schemas.tables.documents import PatientDocument
from schemas.tables.imaging import StoredFile

NAME_LENGTH: Final = 255
PATH_LENGTH: Final = 1000
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Controls, and the marks of direction with which “gpj.exe” is shown as a picture's name (Unicode TR36, 2.6)."""

Table = Literal["stored_file", "patient_document"]


def sealed_name(key: DataKey, table: Table, row_id: str, *, name: str, path: str = "") -> bytes:
    """The column ``name`` of a stored file or a treatment document."""
    kept = {"name": printable(name, NAME_LENGTH), "path": printable(path, PATH_LENGTH)}
    return seal_json(key, dict(kept), column_aad(table, row_id, "name"))


def name_of(key: DataKey, row: StoredFile | PatientDocument) -> dict[str, str]:
    """``name`` and ``path`` as the uploader's computer had them."""
    table: Table = "stored_file" if isinstance(row, StoredFile) else "patient_document"
    found = open_json(key, row.name, column_aad(table, row.id, "name"))
    assert isinstance(found, dict)
    return {"name": str(found.get("name") or "file"), "path": str(found.get("path") or "")}


def printable(text: str, limit: int) -> str:
    """Without what is not to be shown, and cut to so many characters."""
    return _UNPRINTABLE.sub(" ", text)[:limit]
