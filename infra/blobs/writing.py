"""What writers of all stores share: records that fill and are sealed, a hash beside them, and an end after an error."""

import contextlib
import hashlib
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from types import TracebackType
from typing import Final, Self

from infra.blobs.hashes import KeptHashes
from infra.blobs.records import CLEAR_BYTES, RECORD_BYTES, Kind, Place, RecordCipher
from infra.blobs.store import BlobInfo, Buffer, StorageFailed

_HASH_ASIDE_BYTES: Final = 256 * 1024
"""From this size on, hashing runs beside encrypting and writing: it is the slowest of the three."""


class RecordWriter:
    """See BlobWriter. A store's own writer finds out where the file stands, then calls ``_begin``."""

    def __init__(self, blob_id: str, hashing: Executor, hashes: KeptHashes) -> None:
        self._blob_id = blob_id
        self._hashing = hashing
        self._hashes = hashes
        self._rest = bytearray(CLEAR_BYTES)
        self._sealed = memoryview(bytearray(RECORD_BYTES))
        self._records = 0
        self._filled = 0
        self._synced = -1
        self._broken = False
        self._hash: hashlib._Hash | None = None

    def _begin(self, cipher: RecordCipher) -> None:
        self._cipher = cipher
        self._hash = hashlib.sha256() if self.offset == 0 else self._hashes.take(cipher.identity, self.offset)

    @property
    def _is_open(self) -> bool:
        raise NotImplementedError

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        """The storage's errors as facts."""
        raise NotImplementedError

    def _store(self, sealed: memoryview) -> None:
        """Takes the next full record; the buffer is reused."""
        raise NotImplementedError

    def _make_durable(self, rest: memoryview) -> None:
        """All records that were stored, and ``rest`` behind them."""
        raise NotImplementedError

    def _complete(self, last: bytes, digest: "hashlib._Hash | None") -> str:
        """Ends the file, durably, with this last record; returns the hash of its clear content, which is ``digest``'s unless
        that was lost."""
        raise NotImplementedError

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
            self._seal(data[:CLEAR_BYTES])
            return CLEAR_BYTES
        taken = min(len(data), CLEAR_BYTES - self._filled)
        self._rest[self._filled : self._filled + taken] = data[:taken]
        self._filled += taken
        if self._filled == CLEAR_BYTES:
            self._seal(memoryview(self._rest))
        return taken

    def _seal(self, clear: memoryview) -> None:
        self._cipher.seal_into(Place(Kind.FULL, self._records), clear, self._sealed)
        self._store(self._sealed)
        self._records += 1
        self._filled = 0

    @property
    def _unsealed(self) -> memoryview:
        return memoryview(self._rest)[: self._filled]

    def sync(self) -> int:
        with self._acting():
            if self._synced != self.offset:
                self._make_durable(self._unsealed)
                self._synced = self.offset
        return self.offset

    def finish(self) -> BlobInfo:
        with self._acting():
            size = self.offset
            last = self._cipher.seal(Place(Kind.LAST, self._records, size), self._unsealed)
            digest, self._hash = self._hash, None
            info = BlobInfo(size, self._complete(last, digest))
        self.close()
        return info

    def abort(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """May be called again, and after an error."""
        digest, self._hash = self._hash, None
        if digest is not None and not self._broken and self._synced == self.offset:
            self._hashes.keep(self._cipher.identity, self.offset, digest)

    @contextlib.contextmanager
    def _acting(self) -> Iterator[None]:
        """An act after which, if it fails, only a new writer knows where the file stands."""
        if self._broken or not self._is_open:
            raise StorageFailed("This writer cannot go on. Open the file again and continue from its offset.")
        try:
            with self._errors():
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
