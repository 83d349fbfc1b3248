"""Where the bytes of a stored file lie. Several files may share one blob: each is a part of it then."""

from collections.abc import Iterable, Iterator

from sqlmodel import Session, col, select

from infra.blobs.reading import Reader
from infra.blobs.store import BlobDamaged, BlobReader, BlobStore
from infra.removals import let_go
from schemas.files import FileState
from schemas.tables.imaging import StoredFile


class BlobSlice(Reader):
    """A part of a blob, as a reader of its own. Closing it closes the blob's reader. See BlobReader."""

    def __init__(self, reader: BlobReader, begin: int, size: int) -> None:
        """Raises BlobDamaged when the blob is too short for it; the reader stays open then."""
        if begin < 0 or size < 0 or begin + size > reader.size:
            raise BlobDamaged()
        self._reader, self._begin, self._size = reader, begin, size

    @property
    def size(self) -> int:
        return self._size

    def _pieces(self, offset: int, end: int) -> Iterator[bytes]:
        return self._reader.stream(self._begin + offset, max(0, end - offset))

    def close(self) -> None:
        self._reader.close()


def open_stored(blobs: BlobStore, file: StoredFile, key: bytes) -> BlobReader:
    """The file's bytes. Raises BlobMissing, BlobDamaged, StorageFailed."""
    reader = blobs.shared(file.blob_id, key)
    if (file.blob_offset, file.size) == (0, reader.size):
        return reader
    try:
        return BlobSlice(reader, file.blob_offset, file.size)
    except BlobDamaged:
        reader.close()
        raise


def let_go_of(session: Session, files: Iterable[StoredFile]) -> list[str]:
    """Notes of removed files the blobs that no file that is still there has a part of, and returns them: to be deleted
    after the commit (``infra.removals``).

    For the transaction that removes them, once that was flushed, with the case's row locked.
    """
    blob_ids = {file.blob_id for file in files}
    shared = session.exec(
        select(StoredFile.blob_id).where(col(StoredFile.blob_id).in_(blob_ids), StoredFile.state != FileState.REMOVED)
    ).all()
    spare = sorted(blob_ids - set(shared))
    let_go(session, spare)
    return spare
