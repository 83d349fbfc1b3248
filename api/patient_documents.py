"""A patient's treatment documents, for the people of the practice."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Final, NamedTuple

from sqlalchemy import and_, or_
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from activities.imaging.removal import forget_words
from api.cursors import read_cursor
from api.patients import load_patient
from api.services import Services
from api.views import names_of
from infra.audit import write_audit
from infra.database import now
from infra.feed import publish
from infra.file_names import name_of, sealed_name
from infra.keys import DataKey
from infra.keystore import KeyStore
from infra.removals import let_go, remove
from infra.sealing import column_aad, open_sealed
from schemas.document_forms import DOCUMENT_NAME_LENGTH, DocumentView
from schemas.errors import NotFound
from schemas.files import FileKind, FileState
from schemas.messages import Actor
from schemas.tables.documents import PatientDocument
from schemas.tables.people import Patient

_WITHOUT_PICTURE: Final = defer(PatientDocument.preview)  # type: ignore[arg-type] # SQLModel types a column as its value


class Found(NamedTuple):
    """A document that is there, checked or not. PHI."""

    row: PatientDocument
    name: str


class Opened(NamedTuple):
    """A document that may be had, with what opens it. PHI."""

    row: PatientDocument
    name: str
    key: DataKey


def find_documents(
    session: Session, patient: Patient, *, limit: int, cursor: str | None = None
) -> Sequence[PatientDocument]:
    """The newest first, unreadable ones too. ``cursor`` goes on after one's ``created_at`` and id. Raises CursorInvalid."""
    statement = (
        select(PatientDocument)
        .where(PatientDocument.patient_id == patient.id, PatientDocument.state != FileState.REMOVED)
        .options(_WITHOUT_PICTURE)
    )
    if cursor:
        moment, document_id = read_cursor(cursor)
        added = col(PatientDocument.created_at)
        statement = statement.where(or_(added < moment, and_(added == moment, col(PatientDocument.id) > document_id)))
    newest = statement.order_by(col(PatientDocument.created_at).desc(), col(PatientDocument.id))
    return session.exec(newest.limit(limit)).all()


def documents_by_id(session: Session, patient: Patient, ids: Sequence[str]) -> Sequence[PatientDocument]:
    """In the order of the ids; what is not there any more is left out."""
    statement = (
        select(PatientDocument)
        .where(
            PatientDocument.patient_id == patient.id,
            col(PatientDocument.id).in_(ids),
            PatientDocument.state != FileState.REMOVED,
        )
        .options(_WITHOUT_PICTURE)
    )
    rows = {row.id: row for row in session.exec(statement).all()}
    return [rows[each] for each in ids if each in rows]


def find_document(session: Session, keys: KeyStore, patient: Patient, document_id: str) -> Found:
    """One that may be edited. Raises NotFound."""
    rows = documents_by_id(session, patient, [document_id])
    if not rows:
        raise NotFound()
    return Found(rows[0], name_of(keys.data_key(patient.key_id), rows[0])["name"])


def document_views(
    session: Session, keys: KeyStore, patient: Patient, rows: Sequence[PatientDocument]
) -> list[DocumentView]:
    key = keys.data_key(patient.key_id)
    names = names_of(session, {row.uploaded_by for row in rows})
    return [_view(row, key, names.get(row.uploaded_by, "")) for row in rows]


def _view(row: PatientDocument, key: DataKey, added_by: str) -> DocumentView:
    base = f"/api/v1/patients/{row.patient_id}/documents/{row.id}"
    is_ready = row.state == FileState.READY
    return DocumentView(
        id=row.id,
        name=name_of(key, row)["name"],
        kind=row.kind,
        state=row.state,
        problem_code=row.problem_code,
        problem=row.problem,
        size=row.size,
        added_by=added_by,
        created_at=row.created_at,
        download_url=f"{base}/content" if is_ready else None,
        thumbnail_url=f"{base}/thumbnail" if is_ready and row.kind == FileKind.PHOTO else None,
    )


def open_document(session: Session, keys: KeyStore, patient: Patient, document_id: str) -> Opened:
    """A checked document of this very patient. Raises NotFound for every other one."""
    row = session.get(PatientDocument, document_id)
    if row is None or row.patient_id != patient.id or row.state != FileState.READY:
        raise NotFound()
    key = keys.data_key(patient.key_id)
    return Opened(row, name_of(key, row)["name"], key)


def picture_of(opened: Opened) -> bytes:
    """A photograph, small, as JPEG. Raises NotFound for what is none."""
    if not opened.row.preview:
        raise NotFound()
    return open_sealed(opened.key, opened.row.preview, column_aad("patient_document", opened.row.id, "preview"))


def rename_document(
    session: Session, keys: KeyStore, patient: Patient, document_id: str, name: str, *, actor: Actor
) -> PatientDocument:
    """In the caller's transaction. The ending that says what kind of file it is stays. Raises NotFound."""
    row = _held(session, patient, document_id)
    if row.state == FileState.REMOVED:
        raise NotFound()
    key = keys.data_key(patient.key_id)
    old = name_of(key, row)
    new = _with_ending(name, PurePath(old["name"]).suffix)
    if new == old["name"]:
        return row
    row.name = sealed_name(key, "patient_document", row.id, name=new, path=old["path"])
    _note(session, row, "rename", actor)
    return row


def discard_document(services: Services, practice_id: str, patient_id: str, document_id: str, *, actor: Actor) -> None:
    """Removes it for good, its bytes included; one that was removed before stays so. Blocking.

    Raises NotFound for another practice's and another patient's.
    """
    with services.database.write() as session:
        row = _held(session, load_patient(session, patient_id, [practice_id]), document_id)
        if row.state == FileState.REMOVED:
            return
        row.state, row.preview = FileState.REMOVED, None
        forget_words(session, [row.id])
        let_go(session, [row.id])
        _note(session, row, "remove", actor)
    services.feed.wake()
    remove(services.database, services.blobs, [document_id])


def _held(session: Session, patient: Patient, document_id: str) -> PatientDocument:
    row = session.exec(
        select(PatientDocument)
        .where(PatientDocument.id == document_id, PatientDocument.patient_id == patient.id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


def _note(session: Session, row: PatientDocument, what: str, actor: Actor) -> None:
    moment = now()
    write_audit(
        session,
        scope=row.practice_id,
        act=f"document.{what}",
        actor=actor,
        at=moment,
        subject_id=row.id,
        detail={"patient": row.patient_id},
    )
    publish(session, f"document.{what}", at=moment, practice_id=row.practice_id)


def _with_ending(name: str, ending: str) -> str:
    if name.lower().endswith(ending.lower()):
        return name
    return name[: DOCUMENT_NAME_LENGTH - len(ending)].rstrip() + ending
