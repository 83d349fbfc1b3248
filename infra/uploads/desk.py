"""The desk at which uploads are begun, gone on with, ended."""

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import JsonValue
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from infra.blobs.store import BlobFinished, BlobInfo, BlobStore, BlobWriter
from infra.database import Database, now
from infra.file_batches import folder_of, join_batch
from infra.keys import DataKey
from infra.keystore import KeyStore
from infra.removals import let_go, remove
from infra.removals import sweep as sweep_removals
from infra.sealing import column_aad, open_json, seal_json
from infra.uploads.rows import (
    COMPLETE,
    ENDED,
    LIFE,
    OPEN,
    Home,
    LengthFixed,
    Stored,
    UploadGone,
    UploadKeyReused,
    home_id,
)
from infra.uploads.stored import report, same_content, stored_row
from schemas.errors import NotFound, OdontoError
from schemas.ids import new_id
from schemas.messages import Actor
from schemas.tables.case import Case
from schemas.tables.documents import PatientDocument
from schemas.tables.imaging import StoredFile, Upload
from schemas.tables.people import Patient


class Begun(NamedTuple):
    upload: Upload
    is_new: bool


class UploadDesk:
    """Blocking."""

    def __init__(self, database: Database, blobs: BlobStore, keys: KeyStore) -> None:
        self._database = database
        self._blobs = blobs
        self._keys = keys

    def begin(
        self,
        home: Home,
        user_id: str,
        length: int | None,
        meta: dict[str, str],
        key: str | None = None,
        *,
        concat: str | None = None,
        parts: Sequence[str] = (),
    ) -> Begun:
        """An upload of ``length`` bytes; None while that is not known. ``meta``: filename, filetype, relative_path, and
        ``header`` and ``concat``: Upload-Metadata and Upload-Concat as they were sent.

        ``key`` is the client's idempotency key: with it the same person gets the same upload again, however far it is.
        ``concat``: PARTIAL, or FINAL of ``parts``, which are ids of uploads. Raises UploadKeyReused when the key was given
        to an upload of another length.
        """
        upload = self._new(home, user_id, length, meta)
        upload.nonce = _nonce(home, user_id, key)
        upload.concat, upload.parts = concat, json.dumps(list(parts)) if parts else None
        known = None
        try:
            with self._database.write() as session:
                known = self._known(session, upload.nonce)
                if known is None:
                    session.add(upload)
        except IntegrityError:  # the other of two requests at the same moment
            with self._database.read() as session:
                known = self._known(session, upload.nonce)
        if known is not None and length is not None and known.length != length:
            raise UploadKeyReused()
        return Begun(known or upload, is_new=known is None)

    def begun(self, home: Home, user_id: str, key: str | None) -> Upload | None:
        """The upload that this person began with this key, if there is one."""
        with self._database.read() as session:
            return self._known(session, _nonce(home, user_id, key))

    def _known(self, session: Session, nonce: str | None) -> Upload | None:
        return session.exec(select(Upload).where(Upload.nonce == nonce)).first() if nonce else None

    def _new(self, home: Home, user_id: str, length: int | None, meta: dict[str, str]) -> Upload:
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

    def headers(self, upload: Upload) -> dict[str, str]:
        """Upload-Metadata and Upload-Concat as its creation had them, where it had them."""
        meta = self._meta(upload)
        told = {"Upload-Metadata": str(meta.get("header", "")), "Upload-Concat": str(meta.get("concat", ""))}
        return {name: value for name, value in told.items() if value}

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
            return upload.length or 0
        try:
            with self.writer(upload) as writer:
                return writer.sync()
        except BlobFinished:
            return upload.length or 0

    def fix_length(self, upload: Upload, length: int) -> None:
        """Says the length of an upload that was begun without one. Raises LengthFixed for another one than it has."""
        with self._database.write() as session:
            row = session.exec(select(Upload).where(Upload.id == upload.id).with_for_update()).one()
            if row.length is None:
                row.length = length
            elif row.length != length:
                raise LengthFixed()
        upload.length = length

    def claim(self, upload: Upload) -> None:
        """Says that a newer request of its sender waits for the one that has it now."""
        with self._database.write() as session:
            session.get_one(Upload, upload.id).claimed_at = now()

    def is_claimed(self, upload: Upload, since: datetime) -> bool:
        """Whether a newer request has asked for it after ``since``."""
        with self._database.read() as session:
            at = session.get_one(Upload, upload.id).claimed_at
        return at is not None and at > since

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

    def keep_part(self, upload: Upload, writer: BlobWriter | None = None) -> None:
        """Ends a part whose bytes are all there: it waits to be joined. Raises UploadGone."""
        try:
            with writer or self.writer(upload) as open_writer:
                size = open_writer.finish().size
        except BlobFinished:
            return
        self.note(upload, size)

    def complete(
        self,
        upload: Upload,
        actor: Actor,
        still_welcome: Callable[[Session], None],
        writer: BlobWriter | None = None,
    ) -> Stored:
        """Ends an upload whose bytes are all there: the file's or the document's row, audited, once.

        What its case has already is kept once: then it is the file that was there before, of another id than the
        upload's ``file_id``. Without a writer the blob is finished if it is not yet: what a crash left. ``still_welcome``
        raises when its case or its record does not take files any more: then upload and blob are gone.
        """
        info = self._finish(upload) if writer is None else writer.finish()
        gone: list[str] = []
        try:
            with self._database.write() as session:
                stored = self._complete(session, upload, actor, info, still_welcome, gone=gone)
        except OdontoError:
            self.end(upload)
            raise
        remove(self._database, self._blobs, gone)
        return stored

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
        *,
        gone: list[str],
    ) -> Stored:
        """``gone`` takes the ids of the blobs that this lets go of."""
        row = session.exec(select(Upload).where(Upload.id == upload.id).with_for_update()).one()
        there: Stored | None = session.get(StoredFile, row.duplicate_of or row.file_id)
        there = there or session.get(PatientDocument, row.file_id)
        if there is not None:
            return there
        if row.state == ENDED:  # given up meanwhile: its blob is to be deleted
            raise UploadGone()
        if row.case_id is not None:  # held, so that no submission passes between the look and the commit
            session.get_one(Case, row.case_id, with_for_update=True)
        still_welcome(session)
        moment = now()
        row.state, row.offset, row.updated_at = COMPLETE, info.size, moment
        for part in session.exec(select(Upload).where(col(Upload.id).in_(json.loads(row.parts or "[]")))).all():
            part.state, part.updated_at = ENDED, moment
            gone.append(part.file_id)
        same = same_content(session, row.case_id, info)
        if same is not None:
            row.duplicate_of = same.id
            gone.append(row.file_id)
        let_go(session, gone)
        if same is not None:
            return same
        meta, key = self._meta(row), self._key(upload)
        stored = stored_row(row, info, meta, key, moment)
        if isinstance(stored, StoredFile):
            folder = folder_of(str(meta.get("relative_path") or ""), str(meta.get("batch") or ""))
            if folder is not None:
                stored.batch_id = join_batch(session, key, stored, folder)
        session.add(stored)
        session.flush()
        report(session, stored, actor, moment)
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


def _nonce(home: Home, user_id: str, key: str | None) -> str | None:
    return hashlib.sha256(f"{home.id}\n{user_id}\n{key}".encode()).hexdigest() if key else None
