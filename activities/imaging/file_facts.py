"""What the check of a file found out beyond its kind, kept sealed for the lists that show it."""

from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue
from sqlmodel import Session, select

from activities.imaging.parser.results import Examined
from infra.keys import DataKey
from infra.sealing import column_aad, open_json, seal_json
from schemas.files import FileKind
from schemas.tables.imaging import Instance, StoredFile

_TABLE: Final = "stored_file"


@dataclass(frozen=True, slots=True)
class FileFacts:
    """``format``: of a photograph or a surface; ``pages``: pictures in it; ``triangles``: of a surface; ``listed``: path
    and SOP instance UID of each image that a disc's table of contents names. PHI."""

    format: str = ""
    pages: int = 1
    triangles: int | None = None
    listed: tuple[tuple[str, str], ...] = ()


def keep_facts(key: DataKey, file: StoredFile, found: Examined) -> None:
    """Seals them into the file's row; nothing is kept of a file that has none."""
    kept: dict[str, JsonValue] = {}
    if found.photo is not None:
        kept = {"format": found.photo.format, "pages": found.photo.pages, "triangles": found.photo.triangles}
    if found.kind == FileKind.DIRECTORY:
        kept["listed"] = [[image.path, image.uid] for image in found.listed]
    file.facts = seal_json(key, kept, column_aad(_TABLE, file.id, "facts")) if kept else None


def facts_of(key: DataKey, file: StoredFile) -> FileFacts:
    if file.facts is None:
        return FileFacts()
    found = open_json(key, file.facts, column_aad(_TABLE, file.id, "facts"))
    assert isinstance(found, dict)
    pages, triangles, listed = found.get("pages"), found.get("triangles"), found.get("listed")
    return FileFacts(
        format=str(found.get("format") or ""),
        pages=pages if isinstance(pages, int) else 1,
        triangles=triangles if isinstance(triangles, int) else None,
        listed=tuple((str(pair[0]), str(pair[1])) for pair in listed if isinstance(pair, list))
        if isinstance(listed, list)
        else (),
    )


def missing_images(session: Session, case_id: str, facts: FileFacts) -> tuple[str, ...]:
    """Paths of the images that the disc lists and the case does not have, whether they were not sent or cannot be read."""
    if not facts.listed:
        return ()
    there = set(session.exec(select(Instance.sop_uid).where(Instance.case_id == case_id)).all())
    return tuple(path for path, uid in facts.listed if uid not in there)
