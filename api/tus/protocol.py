"""Headers and errors of tus 1.0.0: core, creation, creation-with-upload, creation-defer-length, termination, checksum,
expiration. ``concatenation`` has its own page."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from schemas.errors import InvalidInput, OdontoError, StateConflict
from schemas.translation import N_

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,creation-with-upload,creation-defer-length,termination,checksum,expiration,concatenation"
ALGORITHMS: Final = ("sha256", "sha1", "md5")
BODY_TYPE: Final = "application/offset+octet-stream"
CHECKED_BYTES: Final = 64 << 20
"""A part with a checksum is held in memory until the sum is known to be right: nothing wrong is ever stored."""

_METADATA_BYTES: Final = 4096


class VersionUnsupported(OdontoError):
    code = "tus_version_unsupported"
    status = 412
    title = N_("This server speaks version 1.0.0 of the tus protocol: send Tus-Resumable: 1.0.0.")


class WrongBodyType(OdontoError):
    code = "wrong_body_type"
    status = 415
    title = N_("Send the bytes of the file as application/offset+octet-stream.")


class WrongOffset(StateConflict):
    code = "wrong_offset"
    title = N_("The upload stands elsewhere. Ask for its offset with HEAD and go on from there.")


class ChecksumMismatch(OdontoError):
    code = "checksum_mismatch"
    status = 460
    title = N_("The bytes that arrived are not those that were sent. Nothing of this part was kept; send it again.")


class UploadTooLarge(OdontoError):
    code = "upload_too_large"
    status = 413
    title = N_("This file is larger than the server accepts. Export it as single images, or in smaller parts.")


class PartTooLarge(OdontoError):
    code = "part_too_large"
    status = 413
    title = N_("A part with a checksum may have 64 MiB. Send smaller parts.")


class BeyondTheEnd(OdontoError):
    code = "beyond_the_end"
    status = 413
    title = N_("More bytes arrived than the upload was announced with. Begin a new upload.")


class UploadsClosed(StateConflict):
    code = "uploads_closed"
    title = N_(
        "The case does not take files now. Files can be added before it is submitted, and when the reader asks for them."
    )


class UploadHeaderMissing(InvalidInput):
    code = "upload_header_missing"
    status = 400


@dataclass(frozen=True)
class Checksum:
    algorithm: str
    digest: bytes

    def check(self, body: bytes | bytearray) -> None:
        """Raises ChecksumMismatch."""
        found = hashlib.new(self.algorithm, body, usedforsecurity=False).digest()
        if not hmac.compare_digest(found, self.digest):
            raise ChecksumMismatch()


def check_version(headers: Mapping[str, str]) -> None:
    if headers.get("tus-resumable") != VERSION:
        raise VersionUnsupported()


def number(headers: Mapping[str, str], name: str) -> int:
    """A header that holds a non-negative number. Raises UploadHeaderMissing."""
    text = headers.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise UploadHeaderMissing(f"Send {name} as a whole number.")
    return int(text)


def length(headers: Mapping[str, str]) -> int | None:
    """What a creation announces; None where it says that it does not know yet (``Upload-Defer-Length: 1``).

    Raises UploadHeaderMissing for neither, and for both.
    """
    deferred = headers.get("upload-defer-length")
    if deferred is None:
        return number(headers, "upload-length")
    if deferred != "1" or "upload-length" in headers:
        raise UploadHeaderMissing("Send either Upload-Length, or Upload-Defer-Length: 1.")
    return None


def metadata(headers: Mapping[str, str]) -> dict[str, str]:
    """Upload-Metadata: keys with base64 values. Raises UploadHeaderMissing when it cannot be read."""
    text = headers.get("upload-metadata", "")
    if len(text) > _METADATA_BYTES:
        raise UploadHeaderMissing("Upload-Metadata is too long.")
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        key, _, value = pair.partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError):
            raise UploadHeaderMissing("Upload-Metadata holds keys and base64 values, separated by commas.") from None
    return found


def checksum(headers: Mapping[str, str]) -> Checksum | None:
    """Upload-Checksum, if there is one. Raises UploadHeaderMissing for an unknown algorithm (400, tus 1.0 "Checksum")."""
    text = headers.get("upload-checksum")
    if text is None:
        return None
    algorithm, _, value = text.partition(" ")
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if algorithm not in ALGORITHMS or not digest:
        raise UploadHeaderMissing(f"Upload-Checksum is one of {', '.join(ALGORITHMS)} and its base64 digest.")
    return Checksum(algorithm, digest)


def answer_headers(*, offset: int | None = None, expires: datetime | None = None) -> dict[str, str]:
    headers = {"Tus-Resumable": VERSION, "Cache-Control": "no-store"}
    if offset is not None:
        headers["Upload-Offset"] = str(offset)
    if expires is not None:
        headers["Upload-Expires"] = format_datetime(expires, usegmt=True)
    return headers


__all__ = [
    "ALGORITHMS",
    "BODY_TYPE",
    "CHECKED_BYTES",
    "EXTENSIONS",
    "VERSION",
    "BeyondTheEnd",
    "Checksum",
    "ChecksumMismatch",
    "PartTooLarge",
    "UploadHeaderMissing",
    "UploadTooLarge",
    "UploadsClosed",
    "VersionUnsupported",
    "WrongBodyType",
    "WrongOffset",
    "answer_headers",
    "check_version",
    "checksum",
    "length",
    "metadata",
    "number",
]
