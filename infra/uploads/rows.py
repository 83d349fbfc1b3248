"""What an upload is: its states and lives, what it belongs to, and what it becomes."""

from datetime import datetime, timedelta
from typing import Final, TypeAlias

from sqlmodel import Session, col, func, select

from schemas.errors import OdontoError, StateConflict
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
PARTIAL, FINAL = "partial", "final"
"""A part is open until it is joined with others into a final upload, which becomes the file."""

Home: TypeAlias = Case | Patient
"""What an upload belongs to. Its bytes lie under the key of that."""

Stored: TypeAlias = StoredFile | PatientDocument
"""What an upload becomes. Both wait to be checked."""


class UploadGone(OdontoError):
    code = "upload_gone"
    status = 410
    title = N_("This upload has ended or expired. Please send the file again from the beginning.")


class PartsUnfinished(StateConflict):
    code = "parts_unfinished"
    title = N_("A part of this upload is not complete yet. Send its bytes first, then join the parts.")


class LengthFixed(StateConflict):
    code = "upload_length_fixed"
    title = N_("The length of this upload is known already, and stays. Begin a new upload for another file.")


class UploadKeyReused(StateConflict):
    code = "upload_key_reused"
    title = N_("This Idempotency-Key began an upload of another length. Send a new key with every file.")


def home_id(upload: Upload) -> str:
    """The id of its case or of its patient; the database keeps that it has exactly one."""
    found = upload.case_id or upload.patient_id
    assert found is not None
    return found


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
