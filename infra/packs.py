"""Several files of a case that come in one piece: one blob, with a row for each file in it, all or none."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import Session

from infra.audit import write_audits
from infra.blobs.store import BlobStore
from infra.database import Database, now
from infra.file_names import sealed_name
from infra.keys import DataKey
from infra.removals import discard, keep, let_go
from schemas.errors import OdontoError
from schemas.files import FileKind, FileState
from schemas.ids import new_id
from schemas.messages import Actor
from schemas.tables.case import Case
from schemas.tables.imaging import StoredFile

_LIFE: Final = timedelta(hours=24)
"""A pack that nobody finished for so long is removed."""


@dataclass
class _Part:
    name: str
    offset: int
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)


class Pack:
    """One pack on its way. For one thread at a time; blocking. To be ended with ``finish`` or ``abort``."""

    def __init__(self, database: Database, blobs: BlobStore, case: Case, key: DataKey) -> None:
        """Raises StorageFull, StorageFailed."""
        self._database, self._blobs, self._case, self._key = database, blobs, case, key
        self._blob_id = new_id("fil")
        with database.write() as session:
            let_go(session, [self._blob_id], at=now() + _LIFE)
        self._writer = blobs.writer(self._blob_id, key.secret)
        self._parts: list[_Part] = []

    @property
    def size(self) -> int:
        return self._writer.offset

    @property
    def files(self) -> int:
        return len(self._parts)

    def begin_file(self, name: str) -> None:
        """What is appended from now on belongs to a file of that name."""
        self._parts.append(_Part(name, self._writer.offset))

    def append(self, data: bytes) -> None:
        """Raises StorageFull, StorageFailed."""
        part = self._parts[-1]
        self._writer.append(data)
        part.digest.update(data)
        part.size += len(data)

    def finish(self, actor: Actor, still_welcome: Callable[[Session], None]) -> list[str]:
        """The ids of the files, which wait to be checked from now on, in their order.

        ``still_welcome`` is asked with the case's row locked. Where it raises, nothing is kept. The caller has them checked;
        where it dies before, the sweep of unchecked files tells the case.
        """
        self._writer.finish()
        try:
            with self._database.write() as session:
                session.get_one(Case, self._case.id, with_for_update=True)
                still_welcome(session)
                moment = now()
                rows = [self._row(part, actor.user_id, moment) for part in self._parts]
                session.add_all(rows)
                keep(session, self._blob_id)
                session.flush()
                ids = [row.id for row in rows]
                scope = self._case.id
                write_audits(session, scope=scope, act="file.store", actor=actor, at=moment, subject_ids=ids)
                return ids
        except OdontoError:
            discard(self._database, self._blobs, self._blob_id)
            raise

    def abort(self) -> None:
        """Removes what was written."""
        self._writer.abort()
        discard(self._database, self._blobs, self._blob_id)

    def _row(self, part: _Part, user_id: str, at: datetime) -> StoredFile:
        file_id = new_id("fil")
        return StoredFile(
            id=file_id,
            case_id=self._case.id,
            practice_id=self._case.practice_id,
            name=sealed_name(self._key, "stored_file", file_id, name=part.name),
            blob_id=self._blob_id,
            blob_offset=part.offset,
            size=part.size,
            sha256=part.digest.hexdigest(),
            kind=FileKind.UNKNOWN,
            state=FileState.STORED,
            uploaded_by=user_id,
            created_at=at,
        )
