"""Where the local store keeps a file, and what the operating system's errors mean there."""

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, Self

from infra.blobs.store import StorageFailed, StorageFull, check_blob_id

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_SHARD_DIGITS: Final = 3


def shard_of(blob_id: str) -> str:
    """Folder of a blob in any store: a folder of files can be copied into a bucket as it is. Raises BlobIdRefused."""
    check_blob_id(blob_id)
    return hashlib.sha256(blob_id.encode()).hexdigest()[:_SHARD_DIGITS]


class BlobPaths(NamedTuple):
    """The names of one file. 4,096 shards keep folders small: ten million files are 2,500 in each."""

    blob_id: str
    shard: Path

    @classmethod
    def of(cls, folder: Path, blob_id: str) -> Self:
        """Raises BlobIdRefused."""
        return cls(blob_id, folder / shard_of(blob_id))

    @property
    def done(self) -> Path:
        return self.shard / f"{self.blob_id}.blob"

    @property
    def part(self) -> Path:
        return self.shard / f"{self.blob_id}.part"

    @property
    def tail(self) -> Path:
        return self.shard / f"{self.blob_id}.tail"

    def sync_names(self) -> None:
        """Make the names in the shard, and the shard's own, survive a crash."""
        for folder in (self.shard, self.shard.parent):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


@contextlib.contextmanager
def storage_errors(blob_id: str = "") -> Iterator[None]:
    """Errors of the operating system as facts: StorageFull, StorageFailed."""
    try:
        yield
    except OSError as err:
        fact = StorageFull if err.errno in _FULL else StorageFailed
        raise fact(blob_id=blob_id, errno=err.errno) from err


def write_all(descriptor: int, data: memoryview | bytes, offset: int) -> None:
    """``pwrite``, until all of it is written."""
    rest = memoryview(data)
    while rest:
        written = os.pwrite(descriptor, rest, offset)
        rest = rest[written:]
        offset += written


def read_all(descriptor: int, length: int, offset: int) -> bytes:
    """``pread``, until all of it is read or the file ends."""
    data = os.pread(descriptor, length, offset)
    while len(data) < length and (more := os.pread(descriptor, length - len(data), offset + len(data))):
        data += more
    return data
