"""Checking the treatment documents of patients: each is examined once, and becomes ready or unreadable.

Idempotent and safe to kill: a document is examined as often as it takes, and recorded in one transaction that looks at
its state first. The API checks what has just arrived; the worker's sweep checks what a crash left.
"""

import logging
from datetime import timedelta
from typing import Final, NamedTuple

from sqlmodel import col, select

from activities.imaging.parser.pool import ParserPool
from activities.imaging.parser.problems import SENTENCES, ProblemCode
from activities.imaging.parser.results import Examined
from infra.blobs.store import BlobDamaged, BlobMissing, BlobStore
from infra.database import Database, now
from infra.feed import publish
from infra.keys import DataKey
from infra.keystore import KeyStore
from infra.sealing import column_aad, seal
from schemas.errors import OdontoError
from schemas.files import FileKind, FileState
from schemas.tables.documents import PatientDocument
from schemas.translation import N_

_log: Final = logging.getLogger(__name__)

LEFT_AFTER: Final = timedelta(seconds=20)
"""Whoever received a document checks it at once: one that waits for longer was left by a crash, or by storage that was away."""


class Problem(NamedTuple):
    """Why a document is not served: a code for programs, and a sentence that says what to do."""

    code: str
    sentence: str


BELONGS_TO_A_CASE: Final = Problem(
    "belongs_to_a_case",
    N_(
        "Images for a report belong to a case: please add them there. Kept here are PDF and photographs (JPEG, PNG, TIFF, WebP, HEIC)."
    ),
)
_NO_DOCUMENT: Final = Problem(
    "not_a_document",
    N_("This kind of file is not kept here. Please add a PDF or a photograph (JPEG, PNG, TIFF, WebP, HEIC)."),
)
_TOO_MUCH: Final = N_("Reading this file takes more than is allowed. Please add a smaller copy of it.")
_UNSAFE: Final = N_("This file could not be read safely. Please save it anew, as PDF or JPEG, and add that.")
_OF_DOCUMENTS: Final = {
    ProblemCode.OVER_LIMITS: _TOO_MUCH,
    ProblemCode.TOO_SLOW: _TOO_MUCH,
    ProblemCode.UNSAFE: _UNSAFE,
}
"""Where the sentence about an image would send people to their imaging software."""


def problem_of(found: Examined) -> Problem | None:
    """What speaks against keeping it as a document; None for one that may be served."""
    if found.kind in {FileKind.DICOM, FileKind.DIRECTORY} or found.dicom is not None:
        return BELONGS_TO_A_CASE
    if found.kind in {FileKind.SURFACE, FileKind.ARCHIVE} or found.problem is ProblemCode.NOT_AN_IMAGE:
        return _NO_DOCUMENT
    if found.problem is None:
        return None
    return Problem(found.problem.value, _OF_DOCUMENTS.get(found.problem, SENTENCES[found.problem]))


class DocumentChecker:
    """Blocking."""

    def __init__(self, database: Database, blobs: BlobStore, keys: KeyStore, pool: ParserPool) -> None:
        self._database = database
        self._blobs = blobs
        self._keys = keys
        self._pool = pool

    def check(self, document_id: str) -> None:
        """Examines a document that waits, and records what was found. Another one, or none, is left as it is.

        Raises StorageFailed when its bytes cannot be reached now: then it goes on waiting.
        """
        with self._database.read() as session:
            row = session.get(PatientDocument, document_id)
        if row is not None and row.state == FileState.STORED:
            key = self._keys.of_scope(row.patient_id)
            self._record(document_id, key, self._examine(document_id, key))

    def sweep(self, limit: int = 20) -> int:
        """Checks what was left waiting; returns how many documents were. One that cannot be checked holds up no other."""
        with self._database.read() as session:
            left = session.exec(
                select(PatientDocument.id)
                .where(PatientDocument.state == FileState.STORED, col(PatientDocument.created_at) <= now() - LEFT_AFTER)
                .order_by(col(PatientDocument.created_at))
                .limit(limit)
            ).all()
        checked = 0
        for document_id in left:
            try:
                self.check(document_id)
                checked += 1
            except OdontoError as error:
                _log.error("a document cannot be checked: %s", error.code, extra={"file_id": document_id})
        return checked

    def _examine(self, document_id: str, key: DataKey) -> Examined:
        try:
            with self._blobs.reader(document_id, key.secret) as reader:
                return self._pool.examine(reader)
        except (BlobDamaged, BlobMissing):
            _log.error("a stored document cannot be opened", extra={"file_id": document_id})
            return Examined(kind=FileKind.OTHER, problem=ProblemCode.BLOB_DAMAGED)

    def _record(self, document_id: str, key: DataKey, found: Examined) -> None:
        with self._database.write() as session:
            row = session.exec(
                select(PatientDocument)
                .where(PatientDocument.id == document_id, PatientDocument.state == FileState.STORED)
                .with_for_update()
            ).one_or_none()
            if row is None:  # checked or removed meanwhile
                return
            problem = problem_of(found)
            row.kind, row.checked_at = found.kind, now()
            row.state = FileState.READY if problem is None else FileState.UNREADABLE
            if problem is not None:
                row.problem_code, row.problem = problem
            elif found.preview:
                row.preview = seal(key, found.preview, column_aad("patient_document", document_id, "preview"))
            session.flush()
            publish(session, "document.checked", at=row.checked_at, practice_id=row.practice_id)
