"""The writer of the S3 store: sealed records fill parts of one size, and each part is sent while the next one fills.

What a part holds cannot be read before the file is finished, so a file whose hash was lost with its process is read once
more after that.
"""

import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from infra.blobs.bucket import Bucket, Part
from infra.blobs.hashes import KeptHashes
from infra.blobs.leases import Leases
from infra.blobs.records import RECORD_BYTES, RecordCipher
from infra.blobs.s3_names import S3Names
from infra.blobs.s3_tails import S3Tail, open_tail
from infra.blobs.store import BlobFinished, BlobInfo, BlobMissing, StorageFailed
from infra.blobs.writing import RecordWriter
from schemas.errors import OdontoError

if TYPE_CHECKING:
    import hashlib

PART_BYTES: Final = 8 * RECORD_BYTES
"""Of every part but the last. All are of one size, because some storages ask for it; the limit of 10,000 parts is 80 GB."""

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class S3Wires:
    """What the writers of one store share."""

    bucket: Bucket
    leases: Leases
    hashes: KeptHashes
    working: Executor
    sending: Executor


class S3Writer(RecordWriter):
    """Holds two parts: the one that fills, and the one that is sent."""

    def __init__(self, wires: S3Wires, names: S3Names, key: bytes, read_again: Callable[[], BlobInfo]) -> None:
        super().__init__(names.blob_id, wires.working, wires.hashes)
        self._wires = wires
        self._bucket = wires.bucket
        self._names = names
        self._read_again = read_again
        self._pending = bytearray()
        self._upload_id = ""
        self._parts: list[Part] = []
        self._sent: Future[Part] | None = None
        self._is_closed = False
        self._lease = wires.leases.take(names.blob_id)
        try:
            self._begin(self._resume(key))
        except BaseException:
            self.close()
            raise

    def _resume(self, key: bytes) -> RecordCipher:
        if self._bucket.exists(self._names.done):
            if self._wires.leases.end(self._lease):
                self._remove_tails()
            raise BlobFinished(blob_id=self._blob_id)
        tail = self._newest_tail(key)
        if tail is None:
            cipher = RecordCipher.of_new_file(self._blob_id, key)
            self._pending += cipher.header()
            return cipher
        cipher, kept = tail
        self._upload_id, self._parts = kept.upload_id, list(kept.parts)
        self._pending += kept.pending
        self._records, self._filled = kept.records, len(kept.rest)
        self._rest[: self._filled] = kept.rest
        self._synced = self._standing
        return cipher

    def _newest_tail(self, key: bytes) -> tuple[RecordCipher, S3Tail] | None:
        """The tail that was confirmed last, unless the storage has given its parts up: then the file begins anew."""
        if self._lease.tail is None:
            return None
        try:
            found = open_tail(self._blob_id, key, self._bucket.get(self._names.tail(self._lease.tail)))
        except BlobMissing:
            self._tell_loss()
            return None
        upload_id, parts = found[1].upload_id, found[1].parts
        if parts:
            there = self._bucket.parts(self._names.done, upload_id)
            if any(there.get(number) != part.etag for number, part in enumerate(parts, 1)):
                self._bucket.give_up(self._names.done, upload_id)
                self._tell_loss()
                return None
        return found

    def _tell_loss(self) -> None:
        _log.warning("the storage has lost what was there of an unfinished file", extra={"file_id": self._blob_id})

    @property
    def _is_open(self) -> bool:
        return not self._is_closed

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()  # the bucket's calls raise facts

    def _store(self, sealed: memoryview) -> None:
        if self._lease.is_lost:
            raise StorageFailed
        self._add(sealed)

    def _add(self, sealed: memoryview | bytes) -> None:
        """Puts bytes behind those that wait, and sends what fills a part."""
        room = PART_BYTES - len(self._pending)
        self._pending += sealed[:room]
        if len(self._pending) == PART_BYTES:
            self._send()
            self._pending += sealed[room:]

    def _send(self) -> None:
        """Begins to send what waits as the next part, once the one before has arrived."""
        self._wait_for_part()
        if not self._upload_id:
            self._upload_id = self._bucket.begin(self._names.done)
        part, self._pending = self._pending, bytearray()
        number = len(self._parts) + 1
        self._sent = self._wires.sending.submit(self._bucket.send, self._names.done, self._upload_id, number, part)

    def _wait_for_part(self) -> None:
        sent, self._sent = self._sent, None
        if sent is not None:
            self._parts.append(sent.result())

    def _make_durable(self, rest: memoryview) -> None:
        self._wait_for_part()
        before = self._lease.tail
        tail = S3Tail(self._upload_id, self._parts, self._records, self._pending, rest)
        self._bucket.put(self._names.tail(self._lease.token), tail.sealed(self._cipher))
        if not self._wires.leases.note_tail(self._lease):
            raise StorageFailed
        if before not in {None, self._lease.token}:
            with contextlib.suppress(StorageFailed):  # it goes with the file's end
                self._bucket.delete(self._names.tail(before))

    def _complete(self, last: bytes, digest: "hashlib._Hash | None") -> str:
        self._need_lease()
        self._add(last)
        self._wait_for_part()
        try:
            if self._upload_id:
                if self._pending:
                    self._send()
                    self._wait_for_part()
                self._bucket.complete(self._names.done, self._upload_id, self._parts)
                self._upload_id = ""
            else:
                self._bucket.put(self._names.done, bytes(self._pending), once=True)
        except (BlobFinished, BlobMissing):
            # A call that was tried again because its answer was lost finds its own work done.
            if not self._bucket.exists(self._names.done):
                raise
        had_tail = self._lease.tail is not None
        if not self._wires.leases.end(self._lease):
            # Deleted between the question and the last call: what that made is nobody's.
            self._bucket.delete(self._names.done)
            raise BlobMissing(blob_id=self._blob_id)
        if had_tail:
            self._remove_tails()
        return digest.hexdigest() if digest else self._read_again().sha256

    def _need_lease(self) -> None:
        """Raises BlobMissing when the file was deleted, or taken over after a long silence."""
        if not self._wires.leases.hold(self._lease):
            raise BlobMissing(blob_id=self._blob_id)

    def _remove_tails(self) -> None:
        with contextlib.suppress(StorageFailed):  # harmless: nobody looks for them any more
            for name in self._bucket.names(self._names.tails):
                self._bucket.delete(name)

    def abort(self) -> None:
        self._broken = True
        self._settle()
        if not self._is_closed and self._wires.leases.end(self._lease):
            with contextlib.suppress(OdontoError):
                self._wait_for_part()
            if self._upload_id:
                self._bucket.give_up(self._names.done, self._upload_id)
            self._remove_tails()
        self.close()

    def close(self) -> None:
        super().close()
        if self._is_closed:
            return
        self._is_closed = True
        with contextlib.suppress(OdontoError):
            self._wait_for_part()
        self._pending = bytearray()
        if self._upload_id and self._lease.tail is None:
            # Nothing was confirmed, so nobody can go on with these parts.
            with contextlib.suppress(StorageFailed):
                self._bucket.give_up(self._names.done, self._upload_id)
        self._wires.leases.release(self._lease)
