"""The blob store in a bucket of an S3 storage of any maker.

A finished file is one object, byte for byte what the local store keeps. While it is written it is the parts of a multipart
upload, which nobody can read, with a tail beside it once it was synced (``s3_tails``). Objects cannot be locked: the one
writer is who holds the lease in the database.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from infra.blobs.bucket import Bucket
from infra.blobs.hashes import KeptHashes
from infra.blobs.leases import Leases
from infra.blobs.reading import Reader, RecordReader, open_record
from infra.blobs.records import HEADER_BYTES, RECORD_BYTES, RecordCipher, record_offset, shape_of
from infra.blobs.s3_names import S3Names
from infra.blobs.s3_writer import S3Wires, S3Writer
from infra.blobs.shared import SharedReaders
from infra.blobs.store import BlobDamaged, BlobInfo
from infra.database import now

_AHEAD: Final = 4
_FORGOTTEN_AFTER: Final = timedelta(hours=1)


class S3BlobStore:
    """See BlobStore. One per process; its threads seal, hash and send beside the writers. Not to be written or deleted with in a
    database transaction: leases are transactions of their own."""

    def __init__(self, bucket: Bucket, leases: Leases) -> None:
        self._bucket = bucket
        self._leases = leases
        self._wires = S3Wires(
            bucket,
            leases,
            KeptHashes(),
            working=ThreadPoolExecutor(8, thread_name_prefix="blob-work"),
            sending=ThreadPoolExecutor(8, thread_name_prefix="blob-send"),
        )
        self._shared = SharedReaders(self.reader)

    def writer(self, blob_id: str, key: bytes) -> S3Writer:
        def read_again() -> BlobInfo:
            with self.reader(blob_id, key) as reader:
                return reader.info()

        return S3Writer(self._wires, S3Names.of(blob_id), key, read_again)

    def reader(self, blob_id: str, key: bytes) -> "S3Reader":
        return S3Reader(self._bucket, S3Names.of(blob_id), key)

    def shared(self, blob_id: str, key: bytes) -> Reader:
        return self._shared.get(blob_id, key)

    def delete(self, blob_id: str) -> None:
        names = S3Names.of(blob_id)
        # The lease first: from now on no writer can finish it.
        self._leases.revoke(blob_id)
        for upload in self._bucket.unfinished(names.done):
            if upload.name == names.done:
                self._bucket.give_up(names.done, upload.upload_id)
        self._bucket.delete(names.done)
        self._shared.forget(blob_id)
        for name in self._bucket.names(names.tails):
            self._bucket.delete(name)

    def exists(self, blob_id: str) -> bool:
        return self._bucket.exists(S3Names.of(blob_id).done)

    def sweep(self) -> int:
        """Gives up multipart uploads of writers that were killed before they confirmed anything."""
        old = now() - _FORGOTTEN_AFTER
        uploads = [upload for upload in self._bucket.unfinished() if upload.since < old]
        ids = [S3Names.id_of(upload.name) for upload in uploads]
        known = self._leases.known(ids)
        forgotten = [upload for upload, blob_id in zip(uploads, ids, strict=True) if blob_id not in known]
        for upload in forgotten:
            self._bucket.give_up(upload.name, upload.upload_id)
        return len(forgotten)

    def probe(self) -> None:
        self._bucket.probe()


class S3Reader(RecordReader):
    """Reads whole records by ranges, up to four of them in one request. A small file comes with the first one."""

    _ahead = _AHEAD

    def __init__(self, bucket: Bucket, names: S3Names, key: bytes) -> None:
        self._bucket = bucket
        self._names = names
        beginning = bucket.piece(names.done, 0, HEADER_BYTES + RECORD_BYTES)
        self._etag = beginning.etag
        self._total = beginning.total
        shape = shape_of(beginning.total)
        cipher = RecordCipher.of_header(names.blob_id, key, beginning.data[:HEADER_BYTES])
        first = memoryview(beginning.data)[HEADER_BYTES:]
        last = first if shape.full == 0 else self._fetch(shape.full, 1)[0]
        opened = {shape.full: open_record(cipher, shape, shape.full, last)}
        if shape.full:
            opened[0] = open_record(cipher, shape, 0, first)
        self._begin(cipher, shape, opened)

    def _fetch(self, first: int, count: int) -> Sequence[memoryview]:
        start = record_offset(first)
        wanted = min(count * RECORD_BYTES, self._total - start)
        data = memoryview(self._bucket.piece(self._names.done, start, wanted, etag=self._etag).data)
        if len(data) != wanted:
            raise BlobDamaged(blob_id=self._names.blob_id)
        return [data[at : at + RECORD_BYTES] for at in range(0, wanted, RECORD_BYTES)]
