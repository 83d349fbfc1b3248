"""A case's files as its page shows them: studies, other files, what is wrong with some, and how many are on their way.

Names are opened only where they are shown: of photographs, documents and files with a problem, not of 400 slices.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session, col, func, select

from activities.imaging.file_facts import FileFacts, facts_of, missing_images
from activities.imaging.image_sets import SUBMITTABLE, removable
from activities.imaging.parser.problems import ProblemCode
from api.arrangement import Arrangement, arrangement_of
from api.case_arrangement import CaseHome
from api.case_studies import StudyLine, studies_of
from api.imaging.access import CaseImages, images_of
from api.imaging.stacks import photo_stacks
from api.standing import CaseAccess
from infra.database import now
from infra.file_names import name_of
from infra.uploads import count_under_way
from schemas.files import FileKind, FileState
from schemas.tables.imaging import StoredFile


@dataclass(frozen=True, slots=True)
class FileLine:
    """A photograph, a document, a surface, or a disc's table of contents with the images that are ``missing`` of it.
    ``together`` is how many photographs are read as one series, this the first of them."""

    file_id: str
    name: str
    kind: str
    size: int
    is_removable: bool
    facts: FileFacts = field(default_factory=FileFacts)
    missing: tuple[str, ...] = ()
    together: int = 1


@dataclass(frozen=True, slots=True)
class BrokenFile:
    file_id: str
    name: str
    problem: str
    is_removable: bool


@dataclass(frozen=True, slots=True)
class CaseFiles:
    """``waiting`` files are stored and not checked yet, ``checked`` of those that came with them are; ``uploading`` have not
    arrived whole."""

    studies: tuple[StudyLine, ...] = ()
    files: tuple[FileLine, ...] = ()
    broken: tuple[BrokenFile, ...] = ()
    arrangement: Arrangement = field(default_factory=Arrangement)
    waiting: int = 0
    waiting_size: int = 0
    checked: int = 0
    uploading: int = 0
    loose: int = 0
    """Files that could go into the next image set: stored or checked, and in none yet."""

    @property
    def usable(self) -> int:
        """How many could be submitted, as ``activities.records.submission`` counts them: zero or more."""
        return len(self.studies) + sum(line.kind != FileKind.DIRECTORY for line in self.files) + self.waiting


def case_files(session: Session, access: CaseAccess) -> CaseFiles:
    """What this person may see of them: a reader what was submitted and can be read, the practice everything."""
    images = images_of(access)
    waiting, waiting_size, since = session.exec(
        select(func.count(), func.coalesce(func.sum(StoredFile.size), 0), func.min(StoredFile.created_at)).where(
            StoredFile.case_id == images.case.id, StoredFile.state == FileState.STORED
        )
    ).one()
    uploading = count_under_way(session, images.case.id, now())
    sees_loose = images.up_to_set is None
    loose = session.exec(
        select(func.count()).where(
            StoredFile.case_id == images.case.id,
            col(StoredFile.first_set).is_(None),
            col(StoredFile.state).in_(SUBMITTABLE),
        )
    ).one()
    others = _others(session, images)
    studies = studies_of(session, access, images)
    together = photo_stacks(session, images.case.id)
    files = tuple(
        _file_line(session, images, file, 1 + len(together.by_first.get(file.id, ())))
        for file in others
        if file.state == FileState.READY and file.id not in together.followers
    )
    arrived = [*(line.study_id for line in studies), *(line.file_id for line in files)]
    return CaseFiles(
        studies=studies,
        files=files,
        arrangement=arrangement_of(session, CaseHome(access), arrived),
        broken=tuple(
            BrokenFile(
                file.id, name_of(images.key, file)["name"], file.problem or "", removable(images.case, file.first_set)
            )
            for file in others
            if file.state == FileState.UNREADABLE
        ),
        waiting=waiting if sees_loose else 0,
        waiting_size=waiting_size if sees_loose else 0,
        checked=_checked_since(session, images, since) if sees_loose else 0,
        uploading=uploading if sees_loose else 0,
        loose=loose if sees_loose else 0,
    )


def _checked_since(session: Session, images: CaseImages, oldest: datetime | None) -> int:
    """Files that were checked since the oldest that waits had arrived: with it they are one wave."""
    if oldest is None:
        return 0
    return session.exec(
        select(func.count()).where(StoredFile.case_id == images.case.id, col(StoredFile.checked_at) >= oldest)
    ).one()


def _file_line(session: Session, images: CaseImages, file: StoredFile, together: int) -> FileLine:
    facts = facts_of(images.key, file)
    return FileLine(
        file_id=file.id,
        name=name_of(images.key, file)["name"],
        kind=file.kind,
        size=file.size,
        is_removable=removable(images.case, file.first_set),
        facts=facts,
        missing=missing_images(session, images.case.id, facts),
        together=together,
    )


def _others(session: Session, images: CaseImages) -> Sequence[StoredFile]:
    statement = select(StoredFile).where(
        StoredFile.case_id == images.case.id,
        ((col(StoredFile.state) == FileState.UNREADABLE) & (col(StoredFile.problem_code) != ProblemCode.MIXED_PATIENTS))
        | ((col(StoredFile.state) == FileState.READY) & (col(StoredFile.kind) != FileKind.DICOM)),
    )
    if images.up_to_set is not None:
        statement = images.narrow(statement).where(
            StoredFile.state == FileState.READY, StoredFile.kind != FileKind.DIRECTORY
        )
    found: Sequence[StoredFile] = session.exec(statement.order_by(col(StoredFile.created_at), col(StoredFile.id))).all()
    return found
