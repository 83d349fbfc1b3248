"""The writer of the local store: full records go to the file as they fill, and to the disk while the next ones fill."""

import contextlib
import fcntl
import hashlib
import os
from concurrent.futures import Executor, Future
from typing import Final

from infra.blobs.hashes import KeptHashes
from infra.blobs.paths import BlobPaths, read_all, storage_errors, write_all
from infra.blobs.records import (
    HEADER_BYTES,
    RECORD_BYTES,
    Kind,
    Place,
    RecordCipher,
    record_offset,
)
from infra.blobs.store import BlobBusy, BlobDamaged, BlobFinished, BlobMissing
from infra.blobs.tails import TailFile
from infra.blobs.writing import RecordWriter

_ROLLING_RECORDS: Final = 16
"""Records after which the disk is set to work: 16 MiB was the fastest durable way that was measured."""


def open_locked(paths: BlobPaths) -> int:
    """Descriptor of the ``.part`` file, created if need be, with the one writer's lock.

    Raises BlobBusy, BlobFinished, OSError.
    """
    while True:
        if paths.done.exists():
            raise BlobFinished(blob_id=paths.blob_id)
        paths.shard.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(paths.part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had the lock before may have finished or removed the file that was opened here.
            if _is_at(descriptor, paths):
                if paths.done.exists():
                    paths.part.unlink()
                    raise BlobFinished(blob_id=paths.blob_id)
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise BlobBusy(blob_id=paths.blob_id) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_at(descriptor: int, paths: BlobPaths) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), paths.part.stat())
    except FileNotFoundError:
        return False


class LocalWriter(RecordWriter):
    """Its lock lives as long as the descriptor does, so a killed process holds none."""

    def __init__(self, paths: BlobPaths, key: bytes, working: Executor, hashes: KeptHashes, syncing: Executor) -> None:
        super().__init__(paths.blob_id, working, hashes)
        self._paths = paths
        self._syncing = syncing
        self._rolled_at = 0
        self._rolling: Future[None] | None = None
        self._unsynced_file = True
        self._tail: TailFile | None = None
        self._descriptor = -1
        with self._errors(), contextlib.ExitStack() as undo:
            self._descriptor = open_locked(paths)
            undo.callback(self.close)
            self._begin(self._resume(key))
            undo.pop_all()

    def _resume(self, key: bytes) -> RecordCipher:
        """Go on from what is there: whole records that verify, then the tail, if it belongs behind them."""
        header = read_all(self._descriptor, HEADER_BYTES, 0)
        if len(header) < HEADER_BYTES or not any(header):
            # The start of a file that never reached the disk; nothing of it was vouched for.
            os.ftruncate(self._descriptor, 0)
            cipher = RecordCipher.of_new_file(self._paths.blob_id, key)
            write_all(self._descriptor, cipher.header(), 0)
            return cipher
        cipher = RecordCipher.of_header(self._paths.blob_id, key, header)
        size = os.fstat(self._descriptor).st_size
        tail = None
        if self._paths.tail.exists():
            self._tail = TailFile(self._paths.tail)
            tail = self._tail.read(cipher)
        # A tail vouches for the records before it; whatever came later may have holes after a power failure.
        if tail is not None and record_offset(tail.number) <= size:
            self._records = tail.number
        while record_offset(self._records + 1) <= size and self._verifies(cipher, self._records):
            self._records += 1
        if self._tail is not None and (tail is None or tail.number > self._records):
            self._tail.discard()
        elif tail is not None and tail.number == self._records:
            self._filled = len(tail.clear)
            self._rest[: self._filled] = tail.clear
            self._synced = self._standing
        if size != record_offset(self._records):
            os.ftruncate(self._descriptor, record_offset(self._records))
        self._rolled_at = self._records
        return cipher

    def _verifies(self, cipher: RecordCipher, index: int) -> bool:
        record = read_all(self._descriptor, RECORD_BYTES, record_offset(index))
        try:
            cipher.open(Place(Kind.FULL, index), memoryview(record))
        except BlobDamaged:
            return False
        return True

    @property
    def _is_open(self) -> bool:
        return self._descriptor >= 0

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return storage_errors(self._paths.blob_id)

    def _store(self, sealed: memoryview) -> None:
        write_all(self._descriptor, sealed, record_offset(self._records))
        self._unsynced_file = True
        if self._records + 1 - self._rolled_at >= _ROLLING_RECORDS:
            self._wait_for_disk()
            self._rolling = self._syncing.submit(os.fdatasync, self._descriptor)
            self._rolled_at = self._records + 1

    def _wait_for_disk(self) -> None:
        rolling, self._rolling = self._rolling, None
        if rolling is not None:
            rolling.result()

    def _sync_file(self) -> None:
        self._wait_for_disk()
        if self._unsynced_file:
            os.fdatasync(self._descriptor)
            self._unsynced_file = False

    def _make_durable(self, rest: memoryview) -> None:
        self._sync_file()
        if self._tail is None:
            self._tail = TailFile(self._paths.tail)
        if self._synced < 0:
            self._paths.sync_names()
        self._tail.write(self._cipher, self._records, rest)

    def _complete(self, last: bytes, digest: "hashlib._Hash | None") -> str:
        digest = digest or self._hash_again()
        write_all(self._descriptor, last, record_offset(self._records))
        self._unsynced_file = True
        self._sync_file()
        if not _is_at(self._descriptor, self._paths):
            raise BlobMissing(blob_id=self._paths.blob_id)
        self._paths.part.rename(self._paths.done)
        self._paths.tail.unlink(missing_ok=True)
        self._paths.sync_names()
        return digest.hexdigest()

    def _hash_again(self) -> "hashlib._Hash":
        """A hash cannot be carried over a restart: read the records again, which verifies them all once more."""
        digest = hashlib.sha256()
        for index in range(self._records):
            record = read_all(self._descriptor, RECORD_BYTES, record_offset(index))
            digest.update(self._cipher.open(Place(Kind.FULL, index), memoryview(record)))
        digest.update(self._unsealed)
        return digest

    def abort(self) -> None:
        self._broken = True
        self._settle()
        with self._errors():
            if self._descriptor >= 0 and _is_at(self._descriptor, self._paths):
                self._paths.tail.unlink(missing_ok=True)
                self._paths.part.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        super().close()
        with contextlib.suppress(OSError):
            self._wait_for_disk()
        if self._tail is not None:
            self._tail.close()
            self._tail = None
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
