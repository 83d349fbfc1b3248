"""Which files came together: those of one folder, of one archive, or of what a client calls one batch."""

import hashlib
from dataclasses import dataclass

from sqlmodel import Session, col, select

from infra.keys import DataKey
from infra.sealing import column_aad, open_json, seal_json
from schemas.ids import new_id
from schemas.tables.imaging import FileBatch, StoredFile

OPEN, ACCEPTED, REFUSED, ENDED = "open", "accepted", "refused", "ended"
_NAME_LENGTH = 255


@dataclass(frozen=True)
class Folder:
    """``key`` is what its files have in common, ``name`` what people call it."""

    key: str
    name: str


def folder_of(relative_path: str, batch: str) -> Folder | None:
    """The batch that a client names, or the outermost folder of the path; None for a file that comes alone.

    A folder is known by its name and not by the drop: after a reload of the page, or from another browser, the rest of it
    still belongs to the same.
    """
    top, slash, _ = relative_path.lstrip("/").partition("/")
    if batch:
        return Folder(f"batch {batch}", top if slash else "")
    return Folder(f"folder {top}", top) if slash and top else None


def join_batch(session: Session, key: DataKey, file: StoredFile, folder: Folder) -> str:
    """The id of the batch of that case, person and folder; it is looked at again with its new file. A refused one takes no
    more files: what comes then is a batch anew. The case's row is the caller's.
    """
    named = hashlib.sha256(f"{file.case_id}\n{file.uploaded_by}\n{folder.key}".encode()).hexdigest()
    batch = session.exec(
        select(FileBatch).where(
            FileBatch.case_id == file.case_id, FileBatch.key == named, col(FileBatch.state).in_((OPEN, ACCEPTED))
        )
    ).first()
    if batch is None:
        batch = begin_batch(session, key, file, name=folder.name, named=named)
    batch.state = OPEN
    return batch.id


def begin_batch(session: Session, key: DataKey, file: StoredFile, *, name: str, named: str = "") -> FileBatch:
    """A batch of its own, such as an archive's."""
    batch_id = new_id("bat")
    batch = FileBatch(
        id=batch_id,
        case_id=file.case_id,
        key=named,
        name=seal_json(key, name[:_NAME_LENGTH], column_aad("file_batch", batch_id, "name")),
        state=OPEN,
        created_at=file.created_at,
    )
    session.add(batch)
    session.flush()
    return batch


def name_of_batch(key: DataKey, batch: FileBatch) -> str:
    """PHI."""
    return str(open_json(key, batch.name, column_aad("file_batch", batch.id, "name")))
