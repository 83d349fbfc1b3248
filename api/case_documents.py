"""Documents that came with a patient's cases, for the list of the patient's record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from api.imaging.access import CaseImages, up_to_set
from api.listing import Held
from infra.file_names import name_of
from infra.keystore import KeyStore
from schemas.access import Right, may
from schemas.files import FileKind, FileState
from schemas.lifecycle import State
from schemas.tables.imaging import StoredFile


@dataclass(frozen=True, slots=True)
class DocumentLine:
    case_id: str
    file_id: str
    name: str
    size: int
    at: datetime


def documents_of(session: Session, keys: KeyStore, rows: Sequence[Held]) -> list[DocumentLine]:
    """Documents of several cases, the newest first; only of those whose images the person may see."""
    images = {
        row.id: CaseImages(row, keys.data_key(row.key_id), up_to_set(row, held))
        for row, held in rows
        if may(Right.SEE_IMAGES, held, State(row.state))
    }
    if not images:
        return []
    files = session.exec(
        select(StoredFile)
        .where(
            col(StoredFile.case_id).in_(images),
            StoredFile.kind == FileKind.DOCUMENT,
            StoredFile.state == FileState.READY,
        )
        .order_by(col(StoredFile.created_at).desc(), col(StoredFile.id))
        .limit(100)
    ).all()
    return [
        DocumentLine(
            case_id=file.case_id,
            file_id=file.id,
            name=name_of(images[file.case_id].key, file)["name"],
            size=file.size,
            at=file.created_at,
        )
        for file in files
        if images[file.case_id].holds(file)
    ]
