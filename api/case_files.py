"""A case's files as its page shows them: a study is one line, whatever the number of its files.

Names are opened only where they are shown: of photographs, documents and files with a problem, not of 400 slices.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import case
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, func, select

from activities.imaging.file_facts import FileFacts, facts_of, missing_images
from activities.imaging.identity import identity_in
from activities.imaging.image_sets import SUBMITTABLE, removable
from activities.imaging.parser.problems import ProblemCode
from activities.records.projection import state_of
from api.arrangement import Arrangement, arrangement_of
from api.case_arrangement import CaseHome
from api.imaging.access import CaseImages, images_of, root_of_case, up_to_set
from api.imaging.files import description_of
from api.imaging.stacks import READ_IN, moved_images, photo_stacks, thumbnail_of, with_places
from api.listing import Held
from api.standing import CaseAccess
from infra.database import now
from infra.file_names import name_of
from infra.keystore import KeyStore
from infra.uploads import count_under_way
from schemas.access import Right, may
from schemas.files import FileKind, FileState
from schemas.identity import IdentityOutcome
from schemas.lifecycle import State
from schemas.state import IdentityStanding
from schemas.tables.arrangement import PlacedImage
from schemas.tables.imaging import Instance, Series, StoredFile, Study

_BEARS_WRITING: Final = case((col(Instance.burned_in) == "no", 0), else_=1)
_IS_STRANGERS: Final = case((col(Instance.identity) == IdentityOutcome.CONTRADICTORY, 1), else_=0)


@dataclass(frozen=True, slots=True)
class StudyLine:
    """``frames`` are images of all its series; ``size`` is in bytes; ``thumbnail`` is of its largest series.

    ``stranger`` is the name in the images while they contradict the case's patient, for those who decide on that;
    ``bears_writing`` whether a picture may show the patient's name.
    """

    study_id: str
    modalities: tuple[str, ...]
    descriptions: tuple[str, ...]
    frames: int
    size: int
    is_removable: bool
    thumbnail: str
    stranger: str | None = None
    bears_writing: bool = False


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
    studies = _studies(session, images, shows_strangers=_shows_strangers(access))
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


def _shows_strangers(access: CaseAccess) -> bool:
    standing = state_of(access.row).identity.standing
    return access.may(Right.SEE_IDENTITY_CHECK) and standing is not IdentityStanding.OVERRIDDEN


def _studies(session: Session, images: CaseImages, *, shows_strangers: bool) -> tuple[StudyLine, ...]:
    totals = with_places(
        rows_of(
            READ_IN,
            func.sum(Instance.frames),
            func.sum(StoredFile.size),
            func.max(func.coalesce(StoredFile.first_set, 0)),
            func.max(_IS_STRANGERS),
            func.max(_BEARS_WRITING),
            func.count() - func.count(col(PlacedImage.id)),
        )
        .select_from(Instance)
        .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
        .where(
            col(Instance.case_id) == images.case.id,
            col(StoredFile.state) == FileState.READY,
            col(StoredFile.kind) == FileKind.DICOM,
        )
    ).group_by(READ_IN)
    by_series = {series_id: rest for series_id, *rest in session.connection().execute(images.narrow(totals))}
    rows = session.exec(
        select(Series, Study)
        .join(Study, col(Study.id) == col(Series.study_id))
        .where(Series.case_id == images.case.id)
        .order_by(col(Study.created_at), col(Series.number), col(Series.id))
    ).all()
    by_study: dict[str, list[_Part]] = {}
    for series, study in rows:
        if series.id in by_series:
            frames, size, newest_set, strange, written, own = by_series[series.id]
            loose = removable(images.case, newest_set or None)
            strangers = bool(strange) and shows_strangers
            part = _Part(series, study, frames, size, loose, strangers, bool(written), own > 0)
            by_study.setdefault(study.id, []).append(part)
    return tuple(_study_line(session, images, parts) for parts in by_study.values())


class _Part(NamedTuple):
    series: Series
    study: Study
    frames: int
    size: int
    is_loose: bool
    is_strangers: bool
    bears_writing: bool
    has_own: bool
    """Whether an image is left of those that the series came with."""


def _study_line(session: Session, images: CaseImages, parts: Sequence[_Part]) -> StudyLine:
    largest = max(parts, key=lambda part: (part.has_own, part.frames))
    texts = (description_of(images.key, part.series) for part in parts)
    return StudyLine(
        study_id=largest.study.id,
        modalities=tuple(dict.fromkeys(part.series.modality for part in parts)),
        descriptions=tuple(dict.fromkeys(text for text in texts if text)),
        frames=sum(part.frames for part in parts),
        size=sum(part.size for part in parts),
        is_removable=all(part.is_loose for part in parts),
        thumbnail=_thumbnail(session, images, largest),
        stranger=next((_named_in(session, images, part.series) for part in parts if part.is_strangers), None),
        bears_writing=any(part.bears_writing for part in parts),
    )


def _thumbnail(session: Session, images: CaseImages, part: _Part) -> str:
    root = root_of_case(images.case.id)
    if part.has_own:
        return f"{root}/studies/{part.study.study_uid}/series/{part.series.series_uid}/thumbnail"
    moved = next(each for each in moved_images(session, images) if each.listed_in == part.series.id)
    return thumbnail_of(moved, root)


def _named_in(session: Session, images: CaseImages, series: Series) -> str:
    """Patient's Name (0010,0010) as it is read, or empty, of the first image in the series that is not the patient's."""
    strange = session.exec(
        images.narrow(
            with_places(select(Instance))
            .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
            .where(
                series.id == READ_IN,
                Instance.identity == IdentityOutcome.CONTRADICTORY,
                StoredFile.state == FileState.READY,
            )
            .order_by(col(Instance.number), col(Instance.id))
        )
    ).first()
    return "" if strange is None else identity_in(images.key, strange.id, strange.metadata_json).full_name


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


@dataclass(frozen=True, slots=True)
class DocumentLine:
    case_id: str
    file_id: str
    name: str
    size: int
    at: datetime


def documents_of(session: Session, keys: KeyStore, rows: Sequence[Held]) -> list[DocumentLine]:
    """Documents of several cases, the newest first; only of those whose images the person may see."""
    images = {
        row.id: CaseImages(row, keys.data_key(row.key_id), up_to_set(row, held))
        for row, held in rows
        if may(Right.SEE_IMAGES, held, State(row.state))
    }
    if not images:
        return []
    files = session.exec(
        select(StoredFile)
        .where(
            col(StoredFile.case_id).in_(images),
            StoredFile.kind == FileKind.DOCUMENT,
            StoredFile.state == FileState.READY,
        )
        .order_by(col(StoredFile.created_at).desc(), col(StoredFile.id))
        .limit(100)
    ).all()
    return [
        DocumentLine(
            case_id=file.case_id,
            file_id=file.id,
            name=name_of(images[file.case_id].key, file)["name"],
            size=file.size,
            at=file.created_at,
        )
        for file in files
        if images[file.case_id].holds(file)
    ]
