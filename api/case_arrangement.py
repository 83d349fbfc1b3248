"""A case as a home of arranged things: its studies, and its files that are no DICOM images. Photographs that are read
together (``api.imaging.stacks``) are one thing, named for the first of them.

Before a file is submitted, the practice may move and describe it; afterwards its words belong to what was read, and stay.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select as rows_of
from sqlmodel import Session, col, func, select

from activities.imaging.image_sets import removable
from api.cases import acting
from api.imaging.access import CaseImages, images_of
from api.imaging.stacks import READ_IN, with_places
from api.standing import CaseAccess
from infra.audit import write_audit
from infra.database import now
from infra.feed import publish
from infra.keys import DataKey
from schemas.files import FileKind, FileState
from schemas.tables.arrangement import PlacedImage
from schemas.tables.case import Case
from schemas.tables.imaging import Instance, Series, StoredFile, Study


@dataclass(frozen=True)
class CaseShelf:
    """For whoever sees these images."""

    images: CaseImages
    newest_first: ClassVar[bool] = False

    @property
    def key(self) -> DataKey:
        return self.images.key

    @property
    def owner(self) -> Mapping[str, str]:
        return {"case_id": self.images.case.id}


@dataclass(frozen=True)
class CaseHome:
    access: CaseAccess
    newest_first: ClassVar[bool] = False

    @property
    def key(self) -> DataKey:
        return self.access.key

    @property
    def owner(self) -> Mapping[str, str]:
        return {"case_id": self.access.row.id}

    @property
    def shows_empty(self) -> bool:
        return images_of(self.access).up_to_set is None

    def hold(self, session: Session) -> None:
        session.exec(select(Case).where(Case.id == self.access.row.id).with_for_update()).one()

    def items(self, session: Session) -> Mapping[str, bool]:
        """Every study and every other file that this person sees, in the order of arrival. It may be moved as long as
        nobody can have read it: asked of the case as it is in this transaction."""
        case = session.get_one(Case, self.access.row.id)
        return {
            item_id: removable(case, newest_set)
            for item_id, newest_set in sets_of(session, images_of(self.access)).items()
        }

    def note(self, session: Session, what: str, subject_id: str) -> None:
        row, moment = self.access.row, now()
        write_audit(
            session, scope=row.id, act=f"files.{what}", actor=acting(self.access), at=moment, subject_id=subject_id
        )
        publish(session, "file.arranged", at=moment, practice_id=row.practice_id, case_id=row.id)


def sets_of(session: Session, images: CaseImages) -> dict[str, int | None]:
    """Each item in the order of arrival, with the newest image set that it is in."""
    shown = with_places(
        rows_of(col(Study.id), col(Study.created_at), func.max(func.coalesce(StoredFile.first_set, 0)))
        .select_from(Instance)
        .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
    )
    shown = images.narrow(
        shown.join(Series, col(Series.id) == READ_IN)
        .join(Study, col(Study.id) == col(Series.study_id))
        .where(col(Study.case_id) == images.case.id, col(StoredFile.state) == FileState.READY)
        .group_by(col(Study.id), col(Study.created_at))
        .order_by(col(Study.created_at), col(Study.id))
    )
    studies = {study_id: newest or None for study_id, _, newest in session.connection().execute(shown)}
    files = images.narrow(
        select(StoredFile)
        .join(PlacedImage, col(PlacedImage.id) == col(StoredFile.id), isouter=True)
        .where(
            StoredFile.case_id == images.case.id,
            StoredFile.kind != FileKind.DICOM,
            StoredFile.state == FileState.READY,
            col(PlacedImage.id).is_(None),
        )
    )
    ordered = session.exec(files.order_by(col(StoredFile.created_at), col(StoredFile.id))).all()
    return studies | {file.id: file.first_set for file in ordered}
