"""The blob store on a local file system.

A finished file is ``<shard>/<id>.blob``. While it is written it is ``<id>.part``, whose lock makes one writer the only
one, with ``<id>.tail`` beside it once it was synced. Deleting, aborting and finishing change names alone, so that a
crash leaves the state before or after.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

from infra.blobs.local_writer import LocalWriter
from infra.blobs.paths import BlobPaths, read_all, storage_errors
from infra.blobs.records import (
    CLEAR_BYTES,
    HEADER_BYTES,
    RECORD_BYTES,
    Kind,
    Place,
    RecordCipher,
    record_offset,
    shape_of,
)
from infra.blobs.store import BlobInfo, BlobMissing


class LocalBlobStore:
    """See BlobStore. One per process; its threads hash and sync beside the writers."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        # Apart, so that a slow disk keeps no hash waiting.
        self._hashing = ThreadPoolExecutor(2, thread_name_prefix="blob-hash")
        self._syncing = ThreadPoolExecutor(8, thread_name_prefix="blob-sync")

    def writer(self, blob_id: str, key: bytes) -> LocalWriter:
        return LocalWriter(BlobPaths.of(self._folder, blob_id), key, self._hashing, self._syncing)

    def reader(self, blob_id: str, key: bytes) -> "LocalReader":
        return LocalReader(BlobPaths.of(self._folder, blob_id), key)

    def delete(self, blob_id: str) -> None:
        paths = BlobPaths.of(self._folder, blob_id)
        with storage_errors(blob_id):
            # The unfinished name first: a writer that finishes meanwhile either has moved it, or cannot any more.
            for path in (paths.part, paths.done, paths.tail):
                path.unlink(missing_ok=True)
            if paths.shard.exists():
                paths.sync_names()

    def exists(self, blob_id: str) -> bool:
        return BlobPaths.of(self._folder, blob_id).done.exists()

    def probe(self) -> None:
        # A file without a name where the file system has such: nothing of it is left after a crash.
        with storage_errors(), TemporaryFile(dir=self._folder):
            pass


class LocalReader:
    """See BlobReader. Opening it verifies the last record, and so the size; every other record when it is read."""

    def __init__(self, paths: BlobPaths, key: bytes) -> None:
        self._blob_id = paths.blob_id
        with storage_errors(paths.blob_id):
            try:
                self._descriptor = os.open(paths.done, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                raise BlobMissing(blob_id=paths.blob_id) from None
        try:
            with storage_errors(paths.blob_id):
                self._shape = shape_of(os.fstat(self._descriptor).st_size)
                header = read_all(self._descriptor, HEADER_BYTES, 0)
            self._cipher = RecordCipher.of_header(paths.blob_id, key, header)
            # The record read last is kept: neighbouring frames and small reads often share one.
            self._recent = (self._shape.full, self._open(self._shape.full))
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> int:
        return self._shape.size

    def _open(self, index: int) -> bytes:
        full, size = self._shape
        place = Place(Kind.FULL, index) if index < full else Place(Kind.LAST, index, size)
        with storage_errors(self._blob_id):
            record = read_all(self._descriptor, RECORD_BYTES, record_offset(index))
        return self._cipher.open(place, memoryview(record))

    def _record(self, index: int) -> bytes:
        recent = self._recent
        if recent[0] != index:
            recent = self._recent = (index, self._open(index))
        return recent[1]

    def read_at(self, offset: int, length: int) -> bytes:
        return b"".join(self.stream(offset, length))

    def stream(self, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Raises ValueError for a negative offset or length."""
        if offset < 0 or (length is not None and length < 0):
            raise ValueError("offset and length count from the start of the file")
        end = self.size if length is None else min(self.size, offset + length)
        return self._pieces(offset, end)

    def _pieces(self, offset: int, end: int) -> Iterator[bytes]:
        while offset < end:
            index, start = divmod(offset, CLEAR_BYTES)
            piece = self._record(index)[start : start + end - offset]
            offset += len(piece)
            yield piece

    def info(self) -> BlobInfo:
        digest = sha256()
        for piece in self.stream():
            digest.update(piece)
        return BlobInfo(self.size, digest.hexdigest())

    def close(self) -> None:
        """Once nobody reads any more. May be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
