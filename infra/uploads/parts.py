"""Parts of a file that went up side by side, joined into one upload (tus 1.0, extension "concatenation")."""

import json
from collections.abc import Sequence

from sqlmodel import Session, col, select

from infra.blobs.store import BlobFinished, BlobMissing, BlobStore, BlobWriter, StorageFailed
from infra.database import Database, now
from infra.keystore import KeyStore
from infra.uploads.rows import OPEN, PARTIAL, Home, PartsUnfinished, UploadGone, home_id
from schemas.errors import NotFound
from schemas.tables.imaging import Upload


class Joiner:
    """Blocking."""

    def __init__(self, database: Database, blobs: BlobStore, keys: KeyStore) -> None:
        self._database = database
        self._blobs = blobs
        self._keys = keys

    def total(self, home: Home, user_id: str, ids: Sequence[str]) -> int:
        """Bytes of these parts together. Raises NotFound for one that is not this person's, or not of this case or record;
        UploadGone for one that ended, PartsUnfinished."""
        with self._database.read() as session:
            parts = _parts(session, ids)
        for part in parts:
            if part.user_id != user_id or home_id(part) != home.id or part.concat != PARTIAL:
                raise NotFound()
            if part.state != OPEN or part.expires_at <= now():
                raise UploadGone()
            if part.length is None or not self._blobs.exists(part.file_id):
                raise PartsUnfinished()
        return sum(part.length or 0 for part in parts)

    def join(self, upload: Upload) -> BlobWriter | None:
        """The writer of a final upload, with the bytes of its parts in it and not yet finished; None where they are all
        there and finished. Goes on where a crash left it. Records are bound to their blob, so that the parts are read,
        verified and encrypted anew: about 1.5 s a gigabyte.

        Raises BlobBusy, StorageFull, StorageFailed; UploadGone where a part was given up, or joined elsewhere, meanwhile.
        """
        key = self._keys.of_scope(home_id(upload)).secret
        with self._database.read() as session:
            parts = _parts(session, json.loads(upload.parts or "[]"))
        try:
            writer = self._blobs.writer(upload.file_id, key)
        except BlobFinished:
            return None
        try:
            begin = 0
            for part in parts:
                end = begin + (part.length or 0)
                if end > writer.offset:
                    with self._blobs.reader(part.file_id, key) as reader:
                        for piece in reader.stream(writer.offset - begin):
                            writer.append(piece)
                begin = end
            if writer.offset != upload.length:
                raise StorageFailed()
        except BlobMissing:
            writer.close()
            raise UploadGone() from None
        except BaseException:
            writer.close()
            raise
        return writer


def _parts(session: Session, ids: Sequence[str]) -> list[Upload]:
    """In the order of ``ids``. Raises NotFound."""
    found = {row.id: row for row in session.exec(select(Upload).where(col(Upload.id).in_(set(ids)))).all()}
    if not ids or not found.keys() >= set(ids):
        raise NotFound()
    return [found[each] for each in ids]
