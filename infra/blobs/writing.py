"""What writers of all stores share: records that fill and are sealed, a hash beside them, and an end after an error.

A piece of some size is sealed, stored and hashed by two threads while the caller gets the next one: of the three, whoever is
slowest sets the pace. What goes wrong there shows at the next call.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from concurrent.futures import Executor, Future, wait
from typing import Final

from infra.blobs.hashes import KeptHashes
from infra.blobs.records import CLEAR_BYTES, RECORD_BYTES, Kind, Place, RecordCipher
from infra.blobs.store import BlobInfo, Buffer, StorageFailed
from infra.closing import Closing

_ASIDE_BYTES: Final = 256 * 1024
"""From this size on, a piece is worth the way to other threads."""


class RecordWriter(Closing):
    """See BlobWriter. A store's own writer finds out where the file stands, then calls ``_begin``."""

    def __init__(self, blob_id: str, working: Executor, hashes: KeptHashes) -> None:
        self._blob_id = blob_id
        self._working = working
        self._aside: list[Future[None]] = []
        self._hashes = hashes
        self._rest = bytearray(CLEAR_BYTES)
        self._sealed = memoryview(bytearray(RECORD_BYTES))
        self._records = 0
        self._filled = 0
        self._offset = 0
        self._synced = -1
        self._broken = False
        self._hash: hashlib._Hash | None = None

    def _begin(self, cipher: RecordCipher) -> None:
        self._cipher = cipher
        self._offset = self._standing
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
        return self._offset

    @property
    def _standing(self) -> int:
        """Bytes in records and in the rest; what is under way aside is not among them yet."""
        return self._records * CLEAR_BYTES + self._filled

    def append(self, data: Buffer) -> int:
        piece = memoryview(data).cast("B")
        with self._acting():
            self._catch_up()
            if len(piece) < _ASIDE_BYTES:
                self._take_in(piece)
                if self._hash is not None:
                    self._hash.update(piece)
            else:
                self._aside.append(self._working.submit(self._take_in, piece))
                if self._hash is not None:
                    self._aside.append(self._working.submit(self._hash.update, piece))
            self._offset += len(piece)
        return self._offset

    def _catch_up(self) -> None:
        """Waits for what is under way aside, all of it even where something fails, and raises what failed."""
        aside, self._aside = self._aside, []
        wait(aside)
        for each in aside:
            each.result()

    def _settle(self) -> None:
        """Waits for what is under way aside, whatever becomes of it."""
        aside, self._aside = self._aside, []
        wait(aside)

    def _take_in(self, piece: memoryview) -> None:
        with self._errors():
            while piece:
                piece = piece[self._take(piece) :]

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
            self._catch_up()
            if self._synced != self._offset:
                self._make_durable(self._unsealed)
                self._synced = self._offset
        return self._offset

    def finish(self) -> BlobInfo:
        with self._acting():
            self._catch_up()
            size = self._offset
            last = self._cipher.seal(Place(Kind.LAST, self._records, size), self._unsealed)
            digest, self._hash = self._hash, None
            info = BlobInfo(size, self._complete(last, digest))
        self.close()
        return info

    def abort(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """May be called again, and after an error."""
        self._settle()
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
