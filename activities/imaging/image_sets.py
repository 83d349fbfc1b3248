"""Image sets: which files a submission was made of, and the hash that a signature covers (invariants 7 and 11).

Set ``n`` holds every file that was submitted with it or with an earlier set and was not removed since. A file leaves a
set only before anybody has read it: while the set is held for attention (see ``removable``), or when the folder or archive
that it came with is refused (``batches``).
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Final

from sqlmodel import Session, col, select

from schemas.errors import StateConflict
from schemas.files import FileState
from schemas.lifecycle import State
from schemas.tables.case import Case
from schemas.tables.imaging import StoredFile
from schemas.translation import N_

SUBMITTABLE: Final = (FileState.STORED, FileState.READY)
"""States of a file that goes with a submission."""


class FileFrozen(StateConflict):
    code = "file_frozen"
    title = N_("This file was submitted and belongs to the record; it stays as it is.")


def freeze_image_set(session: Session, case_id: str, number: int) -> str:
    """Puts every stored or ready file that is in no set yet into set ``number``; returns the set's hash."""
    loose = session.exec(
        select(StoredFile)
        .where(
            StoredFile.case_id == case_id,
            col(StoredFile.first_set).is_(None),
            col(StoredFile.state).in_(SUBMITTABLE),
        )
        .with_for_update()
    ).all()
    for file in loose:
        file.first_set = number
    session.flush()
    return image_set_hash(session, case_id, number)


def files_of_set(session: Session, case_id: str, number: int) -> Sequence[StoredFile]:
    """The files of a set in the order of its hash."""
    return session.exec(
        select(StoredFile)
        .where(
            StoredFile.case_id == case_id,
            col(StoredFile.first_set) <= number,
            StoredFile.state != FileState.REMOVED,
        )
        .order_by(col(StoredFile.id))
    ).all()


def image_set_hash(session: Session, case_id: str, number: int) -> str:
    """SHA-256 over (id, SHA-256) of the set's files, in the order of their ids, as canonical JSON."""
    content = [[file.id, file.sha256] for file in files_of_set(session, case_id, number)]
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def removable(case: Case, first_set: int | None) -> bool:
    """Whether a file of that set may still be taken out: it is in no set, or only in the one that is held for attention now.

    Without the second, a file of another patient could never be taken out again and the case would have to be cancelled.
    """
    if first_set is None:
        return True
    return case.state == State.ATTENTION and first_set == case.image_set


def is_unread(case: Case, first_set: int | None) -> bool:
    """Whether nobody but the practice has seen a file of that set: its check has not let it pass."""
    return removable(case, first_set) or (first_set or 0) > case.verified_set
