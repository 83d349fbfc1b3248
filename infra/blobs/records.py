"""The format of an encrypted file: records of 1 MiB under a key of the file's own.

A finished file is: header · full records · one last record.

- Header: 8 bytes that name the format, 16 random bytes of salt, 12-byte nonce, 16-byte tag over nothing: it tells a
  wrong key from damage.
- Record: random 12-byte nonce, ciphertext as long as the clear text, 16-byte tag (AES-256-GCM, NIST SP 800-38D).
- A full record holds exactly 1 MiB; the last one holds the rest, 0 to 1 MiB - 1 bytes. So place and size of every record
  follow from the size of the file.
- The associated data binds the file's id, the record's index and its kind; the last record's also the total size. A file
  that was cut at a record's border ends in a record of the wrong kind, and does not open.
- A tail is the rest of a file that is still written, sealed aside so that it survives a crash.

The file's key is derived from the case's key, the file's id and the salt: nonces need to differ within one file only,
and records of an earlier file of the same id are of no use.
"""

import secrets
from enum import StrEnum
from typing import Final, NamedTuple, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.blobs.store import BlobDamaged, Buffer
from infra.keys import NONCE_BYTES, bind, derive_key

CLEAR_BYTES: Final = 1 << 20
"""Clear bytes of a full record."""

TAG_BYTES: Final = 16
OVERHEAD_BYTES: Final = NONCE_BYTES + TAG_BYTES
RECORD_BYTES: Final = CLEAR_BYTES + OVERHEAD_BYTES

_MAGIC: Final = b"ODFBLOB\x01"
_SALT_BYTES: Final = 16
_PREFIX_BYTES: Final = len(_MAGIC) + _SALT_BYTES
HEADER_BYTES: Final = _PREFIX_BYTES + OVERHEAD_BYTES


class Kind(StrEnum):
    HEADER = "header"
    FULL = "full"
    LAST = "last"
    TAIL = "tail"


class Place(NamedTuple):
    """What a record is bound to besides its file. ``total`` is the clear size of the file up to this record's end,
    where the kind does not say it already: for the last record and for tails."""

    kind: Kind
    number: int
    total: int = 0


class Shape(NamedTuple):
    """What the size of a finished file says: full records, and clear bytes in all."""

    full: int
    size: int


def record_offset(index: int) -> int:
    """Where a record begins in its file."""
    return HEADER_BYTES + index * RECORD_BYTES


def shape_of(file_bytes: int) -> Shape:
    """Raises BlobDamaged when no finished file can have that size."""
    full, rest = divmod(file_bytes - HEADER_BYTES, RECORD_BYTES)
    if full < 0 or rest < OVERHEAD_BYTES:
        raise BlobDamaged
    return Shape(full, full * CLEAR_BYTES + rest - OVERHEAD_BYTES)


class RecordCipher:
    """Seals and opens the records of one file, under the key that its header's salt gives."""

    def __init__(self, blob_id: str, key: bytes, salt: bytes) -> None:
        self._blob_id = blob_id
        self._salt = salt
        self._aead = AESGCM(derive_key(key, f"blob {blob_id} {salt.hex()}"))

    @classmethod
    def of_new_file(cls, blob_id: str, key: bytes) -> Self:
        return cls(blob_id, key, secrets.token_bytes(_SALT_BYTES))

    @classmethod
    def of_header(cls, blob_id: str, key: bytes, header: bytes) -> Self:
        """Raises BlobDamaged when this is no such header, or it is of another file or key."""
        if len(header) != HEADER_BYTES or not header.startswith(_MAGIC):
            raise BlobDamaged(blob_id=blob_id)
        cipher = cls(blob_id, key, header[len(_MAGIC) : _PREFIX_BYTES])
        cipher.open(Place(Kind.HEADER, 0), memoryview(header)[_PREFIX_BYTES:])
        return cipher

    @property
    def identity(self) -> bytes:
        """Of this file among all, earlier ones of the same id included."""
        return self._salt + self._blob_id.encode()

    def header(self) -> bytes:
        return _MAGIC + self._salt + self.seal(Place(Kind.HEADER, 0), b"")

    def seal_into(self, place: Place, clear: Buffer, out: memoryview) -> None:
        """``out`` is as long as ``clear`` and OVERHEAD_BYTES more."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        out[:NONCE_BYTES] = nonce
        self._aead.encrypt_into(nonce, clear, self._associated(place), out[NONCE_BYTES:])

    def seal(self, place: Place, clear: Buffer) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, clear, self._associated(place))

    def open(self, place: Place, record: memoryview) -> bytes:
        """The clear bytes. Raises BlobDamaged: changed, moved, of another kind, or of another file or key."""
        try:
            return self._aead.decrypt(record[:NONCE_BYTES], record[NONCE_BYTES:], self._associated(place))
        except (InvalidTag, ValueError):
            raise BlobDamaged(blob_id=self._blob_id, record=place.number) from None

    def _associated(self, place: Place) -> bytes:
        return bind("odontoflow blob 1", self._blob_id, place.kind, str(place.number), str(place.total))
