"""Uploads as rows and blobs: begun, gone on with, completed into a stored file, or given up.

An upload belongs to a case, and becomes one of its files, or to a patient's record, and becomes a treatment document.
What is durable is what the blob says: a row's offset is only for lists. Completing is one transaction of the upload's
end and the file's row; a crash before it is mended by whoever asks for the upload next.
"""

from infra.uploads.desk import Begun, UploadDesk
from infra.uploads.parts import Joiner
from infra.uploads.rows import (
    COMPLETE,
    ENDED,
    FINAL,
    LIFE,
    OPEN,
    PARTIAL,
    SILENCE,
    Home,
    LengthFixed,
    PartsUnfinished,
    Stored,
    UploadGone,
    UploadKeyReused,
    count_under_way,
    home_id,
)

__all__ = [
    "COMPLETE",
    "ENDED",
    "FINAL",
    "LIFE",
    "OPEN",
    "PARTIAL",
    "SILENCE",
    "Begun",
    "Home",
    "Joiner",
    "LengthFixed",
    "PartsUnfinished",
    "Stored",
    "UploadDesk",
    "UploadGone",
    "UploadKeyReused",
    "count_under_way",
    "home_id",
]
