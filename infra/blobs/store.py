"""What a blob store offers: encrypted files that are appended to, resumed after a crash, and read at random.

All methods block; callers on an event loop use threads. Keys are data keys of 32 bytes, the case's as a rule.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self

from schemas.errors import OdontoError
from schemas.translation import N_

Buffer = bytes | bytearray | memoryview

_BLOB_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")


class BlobMissing(OdontoError):
    code = "blob_missing"
    status = 404
    title = N_("This file is not here. It may have been deleted, or its upload has not been finished.")


class BlobBusy(OdontoError):
    code = "blob_busy"
    status = 423
    title = N_(
        "This file is being written by another request. Please wait a moment and go on from where it stands then."
    )


class BlobFinished(OdontoError):
    code = "blob_finished"
    status = 409
    title = N_("This file is complete and cannot be changed any more.")


class BlobDamaged(OdontoError):
    code = "blob_damaged"
    status = 500
    title = N_("This file was damaged or changed in storage. It is not shown; please tell the administrator.")


class BlobIdRefused(OdontoError):
    code = "blob_id_refused"
    status = 404
    title = N_("There is no file of that name.")


class StorageFull(OdontoError):
    code = "storage_full"
    status = 507
    title = N_("The storage is full. What was stored so far is kept; please tell the administrator, then go on.")


class StorageFailed(OdontoError):
    code = "storage_failed"
    status = 503
    title = N_(
        "The storage does not answer as it should. What was confirmed so far is kept; please try again in a moment."
    )


@dataclass(frozen=True)
class BlobInfo:
    """Size in bytes and SHA-256 in hexadecimal, both of the clear content."""

    size: int
    sha256: str


class _Closing(Protocol):
    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


class BlobWriter(_Closing, Protocol):
    """The one writer of an unfinished file. For one thread at a time. After an error, close it and open another."""

    @property
    def offset(self) -> int:
        """Clear bytes accepted so far; a new writer begins where the last ``sync`` stood, or later."""
        ...

    def append(self, data: Buffer) -> int:
        """Returns the new offset. The buffer is the writer's until the next call returns. Raises StorageFull, StorageFailed,
        also for what was appended before."""
        ...

    def sync(self) -> int:
        """Make everything up to the returned offset survive a crash. Raises StorageFull, StorageFailed."""
        ...

    def finish(self) -> BlobInfo:
        """Complete the file, durably, and close. From now on it can be read, and never be written.

        Raises StorageFull, StorageFailed, BlobMissing when it was deleted meanwhile.
        """
        ...

    def abort(self) -> None:
        """Remove what was written, and close."""
        ...

    def close(self) -> None:
        """Let go of the file as it stands; what was not synced may be lost. To pause: ``sync``, then ``close``."""
        ...


class BlobReader(_Closing, Protocol):
    """A finished file. Safe to share between threads."""

    @property
    def size(self) -> int:
        """Clear size in bytes, verified."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes; fewer only at the end. Raises BlobDamaged, StorageFailed."""
        ...

    def stream(self, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The same in pieces of at most 1 MiB, with as much memory as a few of them. Raises BlobDamaged, StorageFailed."""
        ...

    def info(self) -> BlobInfo:
        """Size and hash, by reading all of it: for who lost what ``finish`` said."""
        ...


class BlobStore(Protocol):
    """Raises BlobIdRefused for names that no store can hold: other than 1–100 of ``a-z 0-9 _ -``."""

    def writer(self, blob_id: str, key: bytes) -> BlobWriter:
        """Begin a file, or go on with an unfinished one.

        Raises BlobBusy (another writer has it), BlobFinished, BlobDamaged (the key is not its key), StorageFull,
        StorageFailed.
        """
        ...

    def reader(self, blob_id: str, key: bytes) -> BlobReader:
        """Raises BlobMissing (also while unfinished), BlobDamaged (also when cut short), StorageFailed."""
        ...

    def shared(self, blob_id: str, key: bytes) -> BlobReader:
        """The same, for who reads a part of a file of which others are wanted, too: it may be open already, with its last
        records in memory."""
        ...

    def delete(self, blob_id: str) -> None:
        """Remove a file, finished or not; a writer that has it cannot finish it any more. Nothing there: nothing done."""
        ...

    def exists(self, blob_id: str) -> bool:
        """Whether it is there and finished."""
        ...

    def sweep(self) -> int:
        """Remove remains of writers that ended unnoticed, and that no later writer would go on with; returns how many."""
        ...

    def probe(self) -> None:
        """Raises StorageFailed, StorageFull unless the storage answers and may be written."""
        ...


def check_blob_id(blob_id: str) -> str:
    """The id, when it is safe as the name of a file or an object. Raises BlobIdRefused."""
    if not _BLOB_ID.fullmatch(blob_id):
        raise BlobIdRefused
    return blob_id
