"""Small pictures of instances and photographs: made once, kept sealed, made again when absent.

A series has none of its own: which of its images may stand for it depends on who asks.
"""

from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from infra.database import Database
from infra.keys import DataKey
from infra.sealing import column_aad, open_sealed, seal
from schemas.files import FileState
from schemas.ids import new_id
from schemas.tables.imaging import Instance, Preview, StoredFile

INSTANCE: Final = "instance"
PHOTO: Final = "photo"
"""A photograph, small."""
PICTURE: Final = "picture"
"""A photograph, large enough to look at."""


def find_preview(session: Session, key: DataKey, subject_id: str, kind: str) -> bytes | None:
    """The JPEG, when there is one."""
    row = session.exec(select(Preview).where(Preview.subject_id == subject_id, Preview.kind == kind)).one_or_none()
    return None if row is None else open_sealed(key, row.image, column_aad("preview", row.id, "image"))


def keep_preview(session: Session, key: DataKey, case_id: str, *, subject_id: str, kind: str, image: bytes) -> None:
    """Adds it in the caller's transaction, unless there is one."""
    there = session.exec(select(Preview.id).where(Preview.subject_id == subject_id, Preview.kind == kind)).first()
    if there is None:
        preview_id = new_id("prv")
        sealed = seal(key, image, column_aad("preview", preview_id, "image"))
        session.add(Preview(id=preview_id, case_id=case_id, subject_id=subject_id, kind=kind, image=sealed))
        session.flush()


def store_preview(database: Database, key: DataKey, case_id: str, *, subject_id: str, kind: str, image: bytes) -> None:
    """The same in a transaction of its own; whoever else made it first wins."""
    try:
        with database.write() as session:
            keep_preview(session, key, case_id, subject_id=subject_id, kind=kind, image=image)
    except IntegrityError:
        return


def drop_previews(session: Session, subject_ids: list[str]) -> None:
    for preview in session.exec(select(Preview).where(col(Preview.subject_id).in_(subject_ids))).all():
        session.delete(preview)


def middle_instance(session: Session, series_id: str) -> tuple[Instance, int] | None:
    """The instance and frame (from 0) that stand for a series: its middle one."""
    ready = session.exec(
        select(Instance.id, Instance.frames)
        .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
        .where(Instance.series_id == series_id, StoredFile.state == FileState.READY)
        .order_by(col(Instance.number), col(Instance.sop_uid))
    ).all()
    if not ready:
        return None
    instance_id, frames = ready[len(ready) // 2]
    return session.get_one(Instance, instance_id), max(frames, 1) // 2
