"""Image sets: what was submitted together. A set is frozen with its submission and never changes (invariant 11)."""

import hashlib
from collections.abc import Sequence

from sqlmodel import Session, col, select

from schemas.tables.imaging import StoredFile


def files_of_set(session: Session, case_id: str, number: int) -> Sequence[StoredFile]:
    """The files of set ``number``: those submitted with it and with the sets before, in the order of their ids."""
    return session.exec(
        select(StoredFile)
        .where(
            StoredFile.case_id == case_id,
            col(StoredFile.first_set).is_not(None),
            col(StoredFile.first_set) <= number,
            StoredFile.state != "removed",
        )
        .order_by(col(StoredFile.id))
    ).all()


def freeze_image_set(session: Session, case_id: str, number: int) -> str:
    """Puts every file that belongs to no set yet into set ``number``; returns the set's hash."""
    loose = session.exec(
        select(StoredFile).where(
            StoredFile.case_id == case_id, col(StoredFile.first_set).is_(None), StoredFile.state != "removed"
        )
    ).all()
    for file in loose:
        file.first_set = number
    session.flush()
    return image_set_hash(session, case_id, number)


def image_set_hash(session: Session, case_id: str, number: int) -> str:
    """SHA-256 over (file id, SHA-256 of its content), in the order of the ids."""
    digest = hashlib.sha256()
    for file in files_of_set(session, case_id, number):
        digest.update(f"{file.id}:{file.sha256}\n".encode())
    return digest.hexdigest()
