"""The writer of the local store: full records go to the file as they fill, and to the disk while the next ones fill."""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from types import TracebackType
from typing import Final, Self

from infra.blobs.paths import BlobPaths, read_all, storage_errors, write_all
from infra.blobs.records import (
    CLEAR_BYTES,
    HEADER_BYTES,
    RECORD_BYTES,
    Kind,
    Place,
    RecordCipher,
    record_offset,
)
from infra.blobs.store import BlobBusy, BlobDamaged, BlobFinished, BlobInfo, BlobMissing, Buffer, StorageFailed
from infra.blobs.tails import TailFile

_ROLLING_RECORDS: Final = 16
"""Records after which the disk is set to work: 16 MiB was the fastest durable way that was measured."""

_HASH_ASIDE_BYTES: Final = 256 * 1024
"""From this size on, hashing runs beside encrypting and writing: it is the slowest of the three."""


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


class LocalWriter:
    """See BlobWriter. Holds two buffers of 1 MiB; the lock lives as long as the descriptor does, so a killed process
    holds none."""

    def __init__(self, paths: BlobPaths, key: bytes, hashing: Executor, syncing: Executor) -> None:
        self._paths = paths
        self._hashing = hashing
        self._syncing = syncing
        self._rest = bytearray(CLEAR_BYTES)
        self._sealed = memoryview(bytearray(RECORD_BYTES))
        self._records = 0
        self._filled = 0
        self._rolled_at = 0
        self._rolling: Future[None] | None = None
        self._unsynced_file = True
        self._synced = -1
        self._tail: TailFile | None = None
        self._broken = False
        self._descriptor = -1
        with storage_errors(paths.blob_id), contextlib.ExitStack() as undo:
            self._descriptor = open_locked(paths)
            undo.callback(self.close)
            self._cipher = self._resume(key)
            undo.pop_all()
        self._hash = hashlib.sha256() if self.offset == 0 else None

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
            self._synced = self.offset
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
    def offset(self) -> int:
        return self._records * CLEAR_BYTES + self._filled

    def append(self, data: Buffer) -> int:
        rest = memoryview(data).cast("B")
        with self._acting():
            hashing = self._begin_hash(rest)
            try:
                while rest:
                    rest = rest[self._take(rest) :]
            finally:
                # The caller may reuse the buffer once this returns.
                if hashing is not None:
                    hashing.result()
        return self.offset

    def _begin_hash(self, data: memoryview) -> Future[None] | None:
        if self._hash is None:
            return None
        if len(data) >= _HASH_ASIDE_BYTES:
            return self._hashing.submit(self._hash.update, data)
        self._hash.update(data)
        return None

    def _take(self, data: memoryview) -> int:
        """Take what fits into the record at hand; returns how much."""
        if self._filled == 0 and len(data) >= CLEAR_BYTES:
            self._write_record(data[:CLEAR_BYTES])
            return CLEAR_BYTES
        taken = min(len(data), CLEAR_BYTES - self._filled)
        self._rest[self._filled : self._filled + taken] = data[:taken]
        self._filled += taken
        if self._filled == CLEAR_BYTES:
            self._write_record(memoryview(self._rest))
        return taken

    def _write_record(self, clear: memoryview) -> None:
        self._cipher.seal_into(Place(Kind.FULL, self._records), clear, self._sealed)
        write_all(self._descriptor, self._sealed, record_offset(self._records))
        self._records += 1
        self._filled = 0
        self._unsynced_file = True
        if self._records - self._rolled_at >= _ROLLING_RECORDS:
            self._wait_for_disk()
            self._rolling = self._syncing.submit(os.fdatasync, self._descriptor)
            self._rolled_at = self._records

    def _wait_for_disk(self) -> None:
        rolling, self._rolling = self._rolling, None
        if rolling is not None:
            rolling.result()

    def _sync_file(self) -> None:
        self._wait_for_disk()
        if self._unsynced_file:
            os.fdatasync(self._descriptor)
            self._unsynced_file = False

    def sync(self) -> int:
        with self._acting():
            if self._synced != self.offset:
                self._sync_file()
                if self._tail is None:
                    self._tail = TailFile(self._paths.tail)
                if self._synced < 0:
                    self._paths.sync_names()
                self._tail.write(self._cipher, self._records, memoryview(self._rest)[: self._filled])
                self._synced = self.offset
        return self.offset

    def finish(self) -> BlobInfo:
        with self._acting():
            size = self.offset
            rest = memoryview(self._rest)[: self._filled]
            digest = self._hash or self._hash_again(rest)
            last = self._cipher.seal(Place(Kind.LAST, self._records, size), rest)
            write_all(self._descriptor, last, record_offset(self._records))
            self._unsynced_file = True
            self._sync_file()
            if not _is_at(self._descriptor, self._paths):
                raise BlobMissing(blob_id=self._paths.blob_id)
            self._paths.part.rename(self._paths.done)
            self._paths.tail.unlink(missing_ok=True)
            self._paths.sync_names()
        self.close()
        return BlobInfo(size, digest.hexdigest())

    def _hash_again(self, rest: memoryview) -> "hashlib._Hash":
        """A hash cannot be carried over a restart: read the records again, which verifies them all once more."""
        digest = hashlib.sha256()
        for index in range(self._records):
            record = read_all(self._descriptor, RECORD_BYTES, record_offset(index))
            digest.update(self._cipher.open(Place(Kind.FULL, index), memoryview(record)))
        digest.update(rest)
        return digest

    def abort(self) -> None:
        with storage_errors(self._paths.blob_id):
            if self._descriptor >= 0 and _is_at(self._descriptor, self._paths):
                self._paths.tail.unlink(missing_ok=True)
                self._paths.part.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """May be called again, and after an error."""
        with contextlib.suppress(OSError):
            self._wait_for_disk()
        if self._tail is not None:
            self._tail.close()
            self._tail = None
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @contextlib.contextmanager
    def _acting(self) -> Iterator[None]:
        """An act after which, if it fails, only a new writer knows where the file stands."""
        if self._broken or self._descriptor < 0:
            raise StorageFailed("This writer cannot go on. Open the file again and continue from its offset.")
        try:
            with storage_errors(self._paths.blob_id):
                yield
        except BaseException:
            self._broken = True
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
