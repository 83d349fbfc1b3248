"""The blob store on a local file system.

A finished file is ``<shard>/<id>.blob``. While it is written it is ``<id>.part``, whose lock makes one writer the only
one, with ``<id>.tail`` beside it once it was synced. Deleting, aborting and finishing change names alone, so that a
crash leaves the state before or after.
"""

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryFile

from infra.blobs.hashes import KeptHashes
from infra.blobs.local_writer import LocalWriter
from infra.blobs.paths import BlobPaths, read_all, storage_errors
from infra.blobs.reading import Reader, RecordReader, open_record
from infra.blobs.records import HEADER_BYTES, RECORD_BYTES, RecordCipher, record_offset, shape_of
from infra.blobs.shared import SharedReaders
from infra.blobs.store import BlobMissing


class LocalBlobStore:
    """See BlobStore. One per process; its threads seal, hash and sync beside the writers."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        # Apart, so that no writer waits for the sync of another one's disk.
        self._working = ThreadPoolExecutor(8, thread_name_prefix="blob-work")
        self._syncing = ThreadPoolExecutor(8, thread_name_prefix="blob-sync")
        self._hashes = KeptHashes()
        self._shared = SharedReaders(self.reader)

    def writer(self, blob_id: str, key: bytes) -> LocalWriter:
        return LocalWriter(BlobPaths.of(self._folder, blob_id), key, self._working, self._hashes, self._syncing)

    def reader(self, blob_id: str, key: bytes) -> "LocalReader":
        return LocalReader(BlobPaths.of(self._folder, blob_id), key)

    def shared(self, blob_id: str, key: bytes) -> Reader:
        return self._shared.get(blob_id, key)

    def delete(self, blob_id: str) -> None:
        paths = BlobPaths.of(self._folder, blob_id)
        with storage_errors(blob_id):
            # The unfinished name first: a writer that finishes meanwhile either has moved it, or cannot any more.
            for path in (paths.part, paths.done, paths.tail):
                path.unlink(missing_ok=True)
            if paths.shard.exists():
                paths.sync_names()
        self._shared.forget(blob_id)

    def exists(self, blob_id: str) -> bool:
        return BlobPaths.of(self._folder, blob_id).done.exists()

    def sweep(self) -> int:
        return 0  # what is unfinished has an upload's row, and goes with it

    def probe(self) -> None:
        # A file without a name where the file system has such: nothing of it is left after a crash.
        with storage_errors(), TemporaryFile(dir=self._folder):
            pass


class LocalReader(RecordReader):
    def __init__(self, paths: BlobPaths, key: bytes) -> None:
        self._paths = paths
        self._opening = threading.Lock()
        self._descriptor = -1
        try:
            with storage_errors(paths.blob_id):
                shape = shape_of(os.fstat(self._opened()).st_size)
                header = read_all(self._descriptor, HEADER_BYTES, 0)
            cipher = RecordCipher.of_header(paths.blob_id, key, header)
            last = open_record(cipher, shape, shape.full, self._fetch(shape.full, 1)[0])
            self._begin(cipher, shape, {shape.full: last})
        except BaseException:
            self.close()
            raise

    def _opened(self) -> int:
        """The descriptor. Raises BlobMissing."""
        with self._opening:
            if self._descriptor < 0:
                try:
                    self._descriptor = os.open(self._paths.done, os.O_RDONLY | os.O_CLOEXEC)
                except FileNotFoundError:
                    raise BlobMissing(blob_id=self._paths.blob_id) from None
            return self._descriptor

    def _fetch(self, first: int, count: int) -> Sequence[memoryview]:
        with storage_errors(self._paths.blob_id):
            descriptor = self._opened()
            return [
                memoryview(read_all(descriptor, RECORD_BYTES, record_offset(index)))
                for index in range(first, first + count)
            ]

    def rest(self) -> None:
        self.close()

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
