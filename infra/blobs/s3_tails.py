"""What is kept of an unfinished file beside its parts, so that ``sync`` can vouch for all of it.

A part cannot be smaller than 5 MiB nor be read before the file is finished. So a tail holds everything that a writer needs
to go on: which parts there are and by what they are known, the sealed bytes that do not fill a part yet, and the clear
ones that do not fill a record yet.

An object: the file's header · records (8 bytes) · clear length of the rest (4 bytes) · length of the list of parts
(4 bytes) · one sealed record of kind tail, which holds the list, the rest and the sealed bytes, and so vouches for all.
"""

import json
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from infra.blobs.bucket import Part
from infra.blobs.records import CLEAR_BYTES, HEADER_BYTES, Kind, Place, RecordCipher
from infra.blobs.store import BlobDamaged, Buffer

_HEAD: Final = struct.Struct(">QII")


class S3Tail(NamedTuple):
    """``records`` are sealed, in ``parts`` or in ``pending``; ``rest`` is the clear beginning of the next one."""

    upload_id: str
    parts: Sequence[Part]
    records: int
    pending: Buffer
    rest: Buffer

    def sealed(self, cipher: RecordCipher) -> bytes:
        listed = json.dumps([self.upload_id, *self.parts]).encode()
        place = _place(self.records, len(self.rest))
        content = b"".join((listed, self.rest, self.pending))
        return cipher.header() + _HEAD.pack(self.records, len(self.rest), len(listed)) + cipher.seal(place, content)


def open_tail(blob_id: str, key: bytes, stored: bytes) -> tuple[RecordCipher, S3Tail]:
    """Raises BlobDamaged: changed, of another file, or of another key."""
    cipher = RecordCipher.of_header(blob_id, key, stored[:HEADER_BYTES])
    body = memoryview(stored)[HEADER_BYTES:]
    if len(body) < _HEAD.size:
        raise BlobDamaged(blob_id=blob_id)
    records, rest_bytes, listed_bytes = _HEAD.unpack_from(body)
    content = memoryview(cipher.open(_place(records, rest_bytes), body[_HEAD.size :]))
    upload_id, *parts = json.loads(bytes(content[:listed_bytes]))
    pending_at = listed_bytes + rest_bytes
    tail = S3Tail(
        upload_id, [Part(*part) for part in parts], records, content[pending_at:], content[listed_bytes:pending_at]
    )
    return cipher, tail


def _place(records: int, rest_bytes: int) -> Place:
    return Place(Kind.TAIL, records, records * CLEAR_BYTES + rest_bytes)
