"""A case's images as they are read: series, photographs and documents in the practice's order, under its headings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from api.arrangement import arrangement_of
from api.case_arrangement import CaseShelf, sets_of
from api.imaging.access import CaseImages
from api.imaging.files import description_of
from api.imaging.stacks import Moved, Stack, photo_stacks, stacks_of
from infra.file_names import name_of
from schemas.arrangement_forms import Labels
from schemas.files import FileKind, FileState
from schemas.series_forms import FileEntry, MovedImageView, PictureView, SeriesEntry, SeriesGroup, SeriesView
from schemas.tables.imaging import StoredFile


@dataclass(frozen=True, slots=True)
class ReadSeries:
    """``among`` is how many series the study has, to all of which the labels belong."""

    stack: Stack
    labels: Labels
    among: int = 1


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A photograph or a document, with the photographs that are read together with it."""

    file: StoredFile
    labels: Labels
    others: tuple[StoredFile, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadGroup:
    """``name`` None: what stands under no heading."""

    name: str | None
    entries: tuple[ReadSeries | ReadFile, ...]


def reading_order(session: Session, images: CaseImages) -> list[ReadGroup]:
    """What this requester sees, and of headings those over something."""
    arrangement = arrangement_of(session, CaseShelf(images), list(sets_of(session, images)))
    by_study: dict[str, list[Stack]] = {}
    for stack in stacks_of(session, images):
        by_study.setdefault(stack.study.id, []).append(stack)
    files = _files(session, images)
    together = photo_stacks(session, images.case.id).by_first

    def entries(item_id: str) -> list[ReadSeries | ReadFile]:
        labels = arrangement.labels_of(item_id)
        if item_id in files:
            others = tuple(files[each] for each in together.get(item_id, ()) if each in files)
            return [ReadFile(files[item_id], labels, others)]
        stacks = by_study.get(item_id, [])
        return [ReadSeries(stack, labels, len(stacks)) for stack in stacks]

    groups = [
        ReadGroup(group.name if group.id else None, tuple(each for item in group.items for each in entries(item)))
        for group in arrangement.groups
    ]
    return [group for group in groups if group.entries]


def _files(session: Session, images: CaseImages) -> dict[str, StoredFile]:
    statement = select(StoredFile).where(
        StoredFile.case_id == images.case.id,
        StoredFile.state == FileState.READY,
        col(StoredFile.kind).not_in([FileKind.DICOM, FileKind.DIRECTORY]),
    )
    return {file.id: file for file in session.exec(images.narrow(statement)).all()}


@dataclass(frozen=True)
class Telling:
    """How the order is told. ``root`` is the DICOMweb service; ``files`` where photographs and documents are had, with
    ``shown`` behind a photograph's id; ``teeth`` writes them as the person does. ``is_patients``: the practice's words are
    between it and the reader, so a patient gets the order alone, of images and photographs.
    """

    root: str
    files: str
    shown: str
    teeth: Callable[[Sequence[str]], list[str]]
    is_patients: bool = False


def series_view(images: CaseImages, groups: Sequence[ReadGroup], telling: Telling) -> SeriesView:
    if telling.is_patients:
        groups = [ReadGroup(None, tuple(for_patient(groups)))]
    return SeriesView(
        groups=[
            SeriesGroup(
                name=group.name,
                entries=[
                    _series(images, each, telling) if isinstance(each, ReadSeries) else _file(images, each, telling)
                    for each in group.entries
                ],
            )
            for group in groups
        ]
    )


def for_patient(groups: Sequence[ReadGroup]) -> list[ReadSeries | ReadFile]:
    """Series and photographs in the same order, without a word of the practice's."""
    found: list[ReadSeries | ReadFile] = []
    for group in groups:
        for each in group.entries:
            if isinstance(each, ReadSeries):
                found.append(ReadSeries(each.stack, Labels()))
            elif each.file.kind == FileKind.PHOTO:
                found.append(ReadFile(each.file, Labels(), each.others))
    return found


def series_name(images: CaseImages, entry: ReadSeries) -> str:
    """The practice's name; with the series' own where the name is of several. Empty where it gave none."""
    title = entry.labels.title
    if not title or entry.among == 1:
        return title
    own = description_of(images.key, entry.stack.series) or entry.stack.series.modality
    return f"{title} · {own}"


def _series(images: CaseImages, entry: ReadSeries, telling: Telling) -> SeriesEntry:
    stack = entry.stack
    return SeriesEntry(
        id=stack.id,
        study_uid=stack.study.study_uid,
        series_uid=stack.series.series_uid,
        modality=stack.series.modality,
        number=stack.series.number,
        description=description_of(images.key, stack.series),
        name=series_name(images, entry),
        note=entry.labels.description,
        teeth=telling.teeth(entry.labels.teeth),
        images=stack.images,
        thumbnail_url=stack.thumbnail(telling.root),
        is_apart=stack.is_apart,
        moved_in=[_moved(images, each, stack) for each in stack.moved_in],
        moved_away=[each.sop_uid for each in stack.moved_away],
    )


def _moved(images: CaseImages, moved: Moved, stack: Stack) -> MovedImageView:
    return MovedImageView(
        id=moved.instance_id,
        study_uid=moved.study_uid,
        series_uid=moved.series.series_uid,
        instance_uid=moved.sop_uid,
        came_from="" if moved.series.id == stack.series.id else came_from(images, moved),
    )


def came_from(images: CaseImages, moved: Moved) -> str:
    """What the series that the image came in says of itself."""
    return description_of(images.key, moved.series) or moved.series.modality


def _file(images: CaseImages, entry: ReadFile, telling: Telling) -> FileEntry:
    shown = [_picture(images, each, telling) for each in (entry.file, *entry.others)]
    is_photo = entry.file.kind == FileKind.PHOTO
    return FileEntry(
        id=entry.file.id,
        file_kind=entry.file.kind,
        name=entry.labels.title or shown[0].name,
        note=entry.labels.description,
        teeth=telling.teeth(entry.labels.teeth),
        size=entry.file.size,
        url=shown[0].url if is_photo else f"{telling.files}/{entry.file.id}/content",
        thumbnail_url=shown[0].thumbnail_url if is_photo else None,
        pictures=shown if entry.others else [],
    )


def _picture(images: CaseImages, file: StoredFile, telling: Telling) -> PictureView:
    return PictureView(
        id=file.id,
        name="" if telling.is_patients else name_of(images.key, file)["name"],
        url=f"{telling.files}/{file.id}{telling.shown}",
        thumbnail_url=f"{telling.files}/{file.id}/thumbnail",
    )
