"""What an upload becomes: the row of a file or of a treatment document."""

from datetime import datetime
from typing import Any

from pydantic import JsonValue
from sqlmodel import Session, col, or_, select

from infra.audit import write_audit
from infra.blobs.store import BlobInfo
from infra.feed import publish
from infra.file_names import sealed_name
from infra.keys import DataKey
from infra.uploads.rows import Stored, home_id
from schemas.files import FileKind, FileState
from schemas.messages import Actor
from schemas.tables.documents import PatientDocument
from schemas.tables.imaging import StoredFile, Upload

_MAY_COME_AGAIN = ("storage_damaged", "mixed_patients")


def stored_row(upload: Upload, info: BlobInfo, meta: dict[str, JsonValue], key: DataKey, at: datetime) -> Stored:
    """The row of what has arrived, under the name that it had on its sender's computer."""
    name = sealed_name(
        key,
        "stored_file" if upload.case_id else "patient_document",
        upload.file_id,
        name=str(meta.get("filename", "")),
        path=str(meta.get("relative_path", "")),
    )
    alike: dict[str, Any] = {
        "id": upload.file_id,
        "practice_id": upload.practice_id,
        "name": name,
        "size": info.size,
        "sha256": info.sha256,
        "kind": FileKind.UNKNOWN,
        "state": FileState.STORED,
        "uploaded_by": upload.user_id,
        "created_at": at,
    }
    if upload.case_id:
        return StoredFile(case_id=upload.case_id, blob_id=upload.file_id, **alike)
    return PatientDocument(patient_id=home_id(upload), **alike)


def same_content(session: Session, case_id: str | None, info: BlobInfo) -> StoredFile | None:
    """The file of the case with these very bytes, if one is there and was not removed. One whose bytes were damaged in
    storage, or that came among another patient's, may come again: the same bytes are the remedy then.
    """
    if case_id is None:
        return None
    alike = (
        StoredFile.case_id == case_id,
        StoredFile.sha256 == info.sha256,
        StoredFile.size == info.size,
        StoredFile.state != FileState.REMOVED,
        or_(col(StoredFile.problem_code).is_(None), col(StoredFile.problem_code).not_in(_MAY_COME_AGAIN)),
    )
    return session.exec(select(StoredFile).where(*alike).order_by(col(StoredFile.created_at))).first()


def report(session: Session, stored: Stored, actor: Actor, at: datetime) -> None:
    """Audits what was added; a record's page hears of it."""
    if isinstance(stored, StoredFile):
        write_audit(session, scope=stored.case_id, act="file.store", actor=actor, at=at, subject_id=stored.id)
        return
    write_audit(
        session,
        scope=stored.practice_id,
        act="document.add",
        actor=actor,
        at=at,
        subject_id=stored.id,
        detail={"patient": stored.patient_id},
    )
    publish(session, "document.added", at=at, practice_id=stored.practice_id)
