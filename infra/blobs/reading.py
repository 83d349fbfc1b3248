"""What readers share: any range in pieces, and, in all stores, bytes out of verified records."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from infra.blobs.records import CLEAR_BYTES, Kind, Place, RecordCipher, Shape
from infra.blobs.store import BlobInfo
from infra.closing import Closing


class Reader(Closing):
    """See BlobReader. What has a size, and its bytes from any offset on."""

    @property
    @abstractmethod
    def size(self) -> int: ...

    @abstractmethod
    def _pieces(self, offset: int, end: int) -> Iterator[bytes]:
        """The bytes up to ``end``, at most 1 MiB at a time; none where ``end`` lies before ``offset``."""

    def read_at(self, offset: int, length: int) -> bytes:
        return b"".join(self.stream(offset, length))

    def stream(self, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Raises ValueError for a negative offset or length."""
        if offset < 0 or (length is not None and length < 0):
            raise ValueError("offset and length count from the start of the file")
        return self._pieces(offset, self.size if length is None else min(self.size, offset + length))

    def info(self) -> BlobInfo:
        digest = sha256()
        for piece in self.stream():
            digest.update(piece)
        return BlobInfo(self.size, digest.hexdigest())


class RecordReader(Reader):
    """See BlobReader. A store's own reader opens the file, verifies its last record and calls ``_begin``; then every other
    record is verified when it is read."""

    _ahead = 1
    """Records that are fetched at once where more than one is wanted."""
    _kept = 2
    """Records that stay in memory beside those that were fetched last: neighbouring frames and small reads share some."""

    def _begin(self, cipher: RecordCipher, shape: Shape, opened: Mapping[int, bytes]) -> None:
        self._cipher = cipher
        self._shape = shape
        self._recent = opened  # never changed, only replaced, because threads share it

    def _fetch(self, first: int, count: int) -> Sequence[memoryview]:
        """So many sealed records, from that index on."""
        raise NotImplementedError

    @property
    def size(self) -> int:
        return self._shape.size

    def _records(self, first: int, count: int) -> Mapping[int, bytes]:
        sealed = self._fetch(first, count)
        return {
            index: open_record(self._cipher, self._shape, index, record) for index, record in enumerate(sealed, first)
        }

    def _pieces(self, offset: int, end: int) -> Iterator[bytes]:
        recent = self._recent
        while offset < end:
            index, start = divmod(offset, CLEAR_BYTES)
            if index not in recent:
                wanted = (end - 1) // CLEAR_BYTES - index + 1
                fetched = self._records(index, min(wanted, self._ahead))
                before = list(self._recent.items())[-self._kept :]
                recent = self._recent = {**dict(before), **fetched}
            piece = recent[index][start : start + end - offset]
            offset += len(piece)
            yield piece

    def rest(self) -> None:
        """Lets go of what need not be held while nobody reads; the next one who reads gets it back."""

    def close(self) -> None:
        """Once nobody reads any more. May be called again."""


def open_record(cipher: RecordCipher, shape: Shape, index: int, record: memoryview) -> bytes:
    """A record of a finished file. Raises BlobDamaged."""
    full, size = shape
    return cipher.open(Place(Kind.FULL, index) if index < full else Place(Kind.LAST, index, size), record)
