"""The table of contents of a disc (DICOMDIR, PS3.10 §8; PS3.3 annex F): which files it says that there are."""

import re
from typing import Any, Final

from pydicom.dataset import Dataset

from activities.imaging.parser.dicom import Opened
from activities.imaging.parser.limits import MAX_ELEMENTS

_SOP_CLASS: Final = "1.2.840.10008.1.3.10"
_UID: Final = re.compile(r"[0-9.]{1,64}")
_PATH: Final = 200


def is_directory(opened: Opened) -> bool:
    return opened.dataset.get("SOPClassUID") == _SOP_CLASS or "DirectoryRecordSequence" in opened.dataset


def list_directory(opened: Opened) -> list[dict[str, Any]]:
    """Path and SOP instance UID of every image that it lists: of the records that name a file and are in use."""
    listed = []
    for record in (opened.dataset.get("DirectoryRecordSequence") or [])[:MAX_ELEMENTS]:
        uid = str(record.get("ReferencedSOPInstanceUIDInFile") or "").strip(" \0")
        if record.get("DirectoryRecordType") == "IMAGE" and record.get("RecordInUseFlag") != 0 and _UID.fullmatch(uid):
            listed.append({"path": _path(record), "uid": uid})
    return listed


def _path(record: Dataset) -> str:
    """Referenced File ID (0004,1500): up to eight components (PS3.10 §8.2)."""
    value = record.get("ReferencedFileID") or ""
    parts = [value] if isinstance(value, str) else list(value)
    return "/".join(str(part) for part in parts)[:_PATH]
