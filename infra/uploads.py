"""Uploads as rows and blobs: begun, gone on with, completed into a stored file, or given up.

An upload belongs to a case, and becomes one of its files, or to a patient's record, and becomes a treatment document.
What is durable is what the blob says: a row's offset is only for lists. Completing is one transaction of the upload's
end and the file's row; a crash before it is mended by whoever asks for the upload next.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias

from pydantic import JsonValue
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from infra.audit import write_audit
from infra.blobs.store import BlobFinished, BlobInfo, BlobStore, BlobWriter
from infra.database import Database, now
from infra.feed import publish
from infra.keys import DataKey
from infra.keystore import KeyStore
from infra.removals import let_go, remove
from infra.removals import sweep as sweep_removals
from infra.sealing import column_aad, open_json, seal_json
from schemas.errors import NotFound, OdontoError, StateConflict
from schemas.ids import new_id
from schemas.messages import Actor
from schemas.tables.case import Case
from schemas.tables.documents import PatientDocument
from schemas.tables.imaging import StoredFile, Upload
from schemas.tables.people import Patient
from schemas.translation import N_

LIFE: Final = timedelta(hours=24)
"""An upload that nobody touches for so long is forgotten; every part that arrives begins it anew."""

SILENCE: Final = timedelta(minutes=15)
"""An upload that was silent for so long keeps nobody waiting. It may still be gone on with, while the case takes files."""

OPEN, COMPLETE, ENDED = "open", "complete", "ended"

Home: TypeAlias = Case | Patient
"""What an upload belongs to. Its bytes lie under the key of that."""

Stored: TypeAlias = StoredFile | PatientDocument
"""What an upload becomes. Both wait to be checked."""


class UploadGone(OdontoError):
    code = "upload_gone"
    status = 410
    title = N_("This upload has ended or expired. Please send the file again from the beginning.")


class UploadKeyReused(StateConflict):
    code = "upload_key_reused"
    title = N_("This Idempotency-Key began an upload of another length. Send a new key with every file.")


def home_id(upload: Upload) -> str:
    """The id of its case or of its patient; the database keeps that it has exactly one."""
    found = upload.case_id or upload.patient_id
    assert found is not None
    return found


class Begun(NamedTuple):
    upload: Upload
    is_new: bool


def count_under_way(session: Session, case_id: str, at: datetime) -> int:
    """Uploads of a case that a submission or an answer waits for."""
    return session.exec(
        select(func.count()).where(
            Upload.case_id == case_id,
            Upload.state == OPEN,
            col(Upload.expires_at) > at,
            col(Upload.updated_at) > at - SILENCE,
        )
    ).one()


class UploadDesk:
    """Blocking."""

    def __init__(self, database: Database, blobs: BlobStore, keys: KeyStore) -> None:
        self._database = database
        self._blobs = blobs
        self._keys = keys

    def begin(self, home: Home, user_id: str, length: int, meta: dict[str, str], key: str | None = None) -> Begun:
        """An upload of ``length`` bytes. ``meta``: filename, filetype, relative_path, and ``header``: all as it was sent.

        ``key`` is the client's idempotency key: with it the same person gets the same upload again, however far it is.
        Raises UploadKeyReused when the key was given to an upload of another length.
        """
        nonce = hashlib.sha256(f"{home.id}\n{user_id}\n{key}".encode()).hexdigest() if key else None
        upload = self._new(home, user_id, length, meta, nonce)
        try:
            with self._database.write() as session:
                known = session.exec(select(Upload).where(Upload.nonce == nonce)).first() if nonce else None
                if known is None:
                    session.add(upload)
        except IntegrityError:  # the other of two requests at the same moment
            with self._database.read() as session:
                known = session.exec(select(Upload).where(Upload.nonce == nonce)).one()
        if known is not None and known.length != length:
            raise UploadKeyReused()
        return Begun(known or upload, is_new=known is None)

    def _new(self, home: Home, user_id: str, length: int, meta: dict[str, str], nonce: str | None) -> Upload:
        upload_id, moment = new_id("upl"), now()
        return Upload(
            id=upload_id,
            case_id=home.id if isinstance(home, Case) else None,
            patient_id=home.id if isinstance(home, Patient) else None,
            practice_id=home.practice_id,
            user_id=user_id,
            file_id=new_id("fil"),
            length=length,
            meta=seal_json(self._keys.data_key(home.key_id), dict(meta), column_aad("upload", upload_id, "meta")),
            nonce=nonce,
            state=OPEN,
            created_at=moment,
            updated_at=moment,
            expires_at=moment + LIFE,
        )

    def find(self, upload_id: str) -> Upload:
        """Raises NotFound; UploadGone for one that ended or expired."""
        with self._database.read() as session:
            upload = session.get(Upload, upload_id)
        if upload is None:
            raise NotFound()
        if upload.state == ENDED or (upload.state == OPEN and upload.expires_at <= now()):
            raise UploadGone()
        return upload

    def metadata(self, upload: Upload) -> str:
        """``Upload-Metadata`` as its creation had it; empty where it had none."""
        return str(self._meta(upload).get("header", ""))

    def _meta(self, upload: Upload) -> dict[str, JsonValue]:
        meta = open_json(self._key(upload), upload.meta, column_aad("upload", upload.id, "meta"))
        assert isinstance(meta, dict)
        return meta

    def writer(self, upload: Upload) -> BlobWriter:
        """Raises BlobBusy while another request writes; BlobFinished when all bytes are there."""
        return self._blobs.writer(upload.file_id, self._key(upload).secret)

    def offset(self, upload: Upload) -> int:
        """What would survive a crash. Raises BlobBusy."""
        if upload.state == COMPLETE:
            return upload.length
        try:
            with self.writer(upload) as writer:
                return writer.sync()
        except BlobFinished:
            return upload.length

    def note(self, upload: Upload, offset: int) -> Upload:
        """Notes how far it is, for lists and for whoever waits for it, and begins its life anew: when a request ends, and
        every few seconds under way. Raises UploadGone for one that was given up meanwhile."""
        with self._database.write() as session:
            row = session.get_one(Upload, upload.id)
            if row.state == ENDED:
                raise UploadGone()
            if row.state == OPEN:
                row.offset, row.updated_at = offset, now()
                row.expires_at = row.updated_at + LIFE
        return row

    def complete(
        self,
        upload: Upload,
        actor: Actor,
        still_welcome: Callable[[Session], None],
        writer: BlobWriter | None = None,
    ) -> Stored:
        """Ends an upload whose bytes are all there: the file's or the document's row, audited, once.

        Without a writer the blob is finished if it is not yet: what a crash left. ``still_welcome`` raises when its case
        or its record does not take files any more: then upload and blob are gone.
        """
        info = self._finish(upload) if writer is None else writer.finish()
        try:
            with self._database.write() as session:
                return self._complete(session, upload, actor, info, still_welcome)
        except OdontoError:
            self.end(upload)
            raise

    def _finish(self, upload: Upload) -> BlobInfo:
        try:
            with self.writer(upload) as writer:
                return writer.finish()
        except BlobFinished:
            with self._blobs.reader(upload.file_id, self._key(upload).secret) as reader:
                return reader.info()

    def _complete(
        self,
        session: Session,
        upload: Upload,
        actor: Actor,
        info: BlobInfo,
        still_welcome: Callable[[Session], None],
    ) -> Stored:
        row = session.exec(select(Upload).where(Upload.id == upload.id).with_for_update()).one()
        there: Stored | None = session.get(StoredFile, row.file_id) or session.get(PatientDocument, row.file_id)
        if there is not None:
            return there
        if row.state == ENDED:  # given up meanwhile: its blob is to be deleted
            raise UploadGone()
        if row.case_id is not None:  # held, so that no submission passes between the look and the commit
            session.get_one(Case, row.case_id, with_for_update=True)
        still_welcome(session)
        moment = now()
        stored = _stored(row, info, self._meta(row), self._key(upload), moment)
        session.add(stored)
        row.state, row.offset, row.updated_at = COMPLETE, info.size, moment
        session.flush()
        if isinstance(stored, StoredFile):
            write_audit(session, scope=stored.case_id, act="file.store", actor=actor, at=moment, subject_id=stored.id)
        else:
            about = {"patient": stored.patient_id}
            write_audit(
                session,
                scope=stored.practice_id,
                act="document.add",
                actor=actor,
                at=moment,
                subject_id=stored.id,
                detail=about,
            )
            publish(session, "document.added", at=moment, practice_id=stored.practice_id)
        return stored

    def end(self, upload: Upload) -> None:
        """Gives an unfinished upload up; what was sent of it is removed. A completed one stays."""
        if self._give_up(upload):
            remove(self._database, self._blobs, [upload.file_id])

    def _give_up(self, upload: Upload, *, expired_by: datetime | None = None) -> bool:
        """Whether it was; not where it was completed, or with ``expired_by`` gone on with, meanwhile."""
        with self._database.write() as session:
            row = session.exec(select(Upload).where(Upload.id == upload.id).with_for_update()).one()
            if row.state == COMPLETE or (expired_by is not None and row.expires_at > expired_by):
                return False
            row.state, row.nonce, row.updated_at = ENDED, None, now()
            session.flush()
            let_go(session, [row.file_id])
        return True

    def sweep(self, limit: int = 200) -> int:
        """Gives up uploads that expired, and deletes what was let go of; returns how many of both were at hand."""
        moment = now()
        with self._database.read() as session:
            expired = session.exec(
                select(Upload).where(Upload.state == OPEN, col(Upload.expires_at) <= moment).limit(limit)
            ).all()
        for upload in expired:
            self._give_up(upload, expired_by=moment)
        return len(expired) + sweep_removals(self._database, self._blobs, limit)

    def _key(self, upload: Upload) -> DataKey:
        return self._keys.of_scope(home_id(upload))


def _stored(upload: Upload, info: BlobInfo, meta: dict[str, JsonValue], key: DataKey, at: datetime) -> Stored:
    """The row of what has arrived, under the name that it had on its sender's computer."""
    table = "stored_file" if upload.case_id else "patient_document"
    name = {"name": meta.get("filename", ""), "path": meta.get("relative_path", ""), "description": ""}
    alike: dict[str, Any] = {
        "id": upload.file_id,
        "practice_id": upload.practice_id,
        "name": seal_json(key, name, column_aad(table, upload.file_id, "name")),
        "size": info.size,
        "sha256": info.sha256,
        "kind": "unknown",
        "state": "stored",
        "uploaded_by": upload.user_id,
        "created_at": at,
    }
    if upload.case_id:
        return StoredFile(case_id=upload.case_id, blob_id=upload.file_id, **alike)
    return PatientDocument(patient_id=home_id(upload), **alike)
