"""A case's files as its people see them."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel
from sqlmodel import Session, col, or_, select

from activities.imaging.file_facts import facts_of, missing_images
from api.imaging.access import CaseImages
from infra.file_names import name_of
from infra.keys import DataKey, KeySource
from infra.sealing import column_aad, open_json
from infra.uploads import OPEN, PARTIAL
from schemas.errors import NotFound
from schemas.files import FileKind, FileState
from schemas.tables.imaging import Instance, Series, StoredFile, Study, Upload


class SeriesRef(BaseModel):
    """To which series an image belongs."""

    study_uid: str
    series_uid: str
    modality: str
    number: int | None
    description: str


class FileView(BaseModel):
    """One file. ``url`` shows it (a photograph drawn anew, a document as it is), ``download_url`` is the file as it came, a
    photograph without its metadata; both are null until it was checked. ``problem`` is a sentence with the way out.
    ``pages`` are the pictures in a photograph's file, ``triangles`` those of a surface; ``missing`` are the images that a
    disc's table of contents lists and that are not in the case."""

    id: str
    name: str
    path: str
    kind: str
    state: str
    problem_code: str | None
    problem: str | None
    size: int
    image_set: int | None
    created_at: datetime
    series: SeriesRef | None
    instance_uid: str | None
    url: str | None
    download_url: str | None
    thumbnail_url: str | None
    pages: int = 1
    triangles: int | None = None
    missing: list[str] = []


class UnfinishedUpload(BaseModel):
    """An upload that has not ended: it can be gone on with, or given up with DELETE at ``url``."""

    id: str
    name: str
    size: int | None
    """None while its sender does not know."""
    offset: int
    url: str
    expires_at: datetime


class FilesView(BaseModel):
    """``next`` is always null: a case's files are one page."""

    items: list[FileView]
    uploads: list[UnfinishedUpload]
    next: str | None = None


def files_of_case(session: Session, images: CaseImages, *, may_open: bool) -> list[FileView]:
    """Every file that is in the case, in the order of arrival. ``may_open`` False leaves out the addresses of content."""
    statement = (
        select(StoredFile, Instance, Series, Study)
        .join(Instance, col(Instance.file_id) == col(StoredFile.id), isouter=True)
        .join(Series, col(Series.id) == col(Instance.series_id), isouter=True)
        .join(Study, col(Study.id) == col(Series.study_id), isouter=True)
        .where(StoredFile.case_id == images.case.id, StoredFile.state != FileState.REMOVED)
        .order_by(col(StoredFile.created_at), col(StoredFile.id))
    )
    if images.up_to_set is not None:
        statement = images.narrow(statement).where(
            StoredFile.state == FileState.READY, StoredFile.kind != FileKind.DIRECTORY
        )
    descriptions: dict[str, str] = {}
    base = f"/api/v1/cases/{images.case.id}/files"
    views = []
    for file, instance, series, study in session.exec(statement).all():
        reference = None
        if instance is not None:
            if series.id not in descriptions:
                descriptions[series.id] = description_of(images.key, series)
            reference = SeriesRef(
                study_uid=study.study_uid,
                series_uid=series.series_uid,
                modality=series.modality,
                number=series.number,
                description=descriptions[series.id],
            )
        urls = _urls(file, f"{base}/{file.id}") if may_open else _Urls()
        view = _view(images.key, file, instance, reference, urls)
        if file.kind == FileKind.DIRECTORY:
            view.missing = list(missing_images(session, images.case.id, facts_of(images.key, file)))
        views.append(view)
    return views


def photographs_of(session: Session, images: CaseImages, base: str) -> list[FileView]:
    """The checked photographs alone, for somebody who gets no file as it came. ``base`` is where they are drawn."""
    statement = (
        select(StoredFile)
        .where(
            StoredFile.case_id == images.case.id, StoredFile.kind == FileKind.PHOTO, StoredFile.state == FileState.READY
        )
        .order_by(col(StoredFile.created_at), col(StoredFile.id))
    )
    return [
        _view(images.key, file, None, None, _Urls(f"{base}/{file.id}", None, f"{base}/{file.id}/thumbnail"))
        for file in session.exec(images.narrow(statement)).all()
    ]


class _Urls(NamedTuple):
    shown: str | None = None
    download: str | None = None
    thumbnail: str | None = None


def _urls(file: StoredFile, base: str) -> _Urls:
    if file.state != FileState.READY:
        return _Urls()
    return _Urls(
        shown=f"{base}/{'picture' if file.kind == FileKind.PHOTO else 'content'}",
        download=f"{base}/content",
        thumbnail=f"{base}/thumbnail" if file.kind in {FileKind.DICOM, FileKind.PHOTO} else None,
    )


def _view(key: DataKey, file: StoredFile, instance: Instance | None, series: SeriesRef | None, urls: _Urls) -> FileView:
    name = name_of(key, file)
    facts = facts_of(key, file)
    return FileView(
        id=file.id,
        name=name["name"],
        path=name["path"],
        kind=file.kind,
        state=file.state,
        problem_code=file.problem_code,
        problem=file.problem,
        size=file.size,
        image_set=file.first_set,
        created_at=file.created_at,
        series=series,
        instance_uid=instance.sop_uid if instance else None,
        url=urls.shown,
        download_url=urls.download,
        thumbnail_url=urls.thumbnail,
        pages=facts.pages,
        triangles=facts.triangles,
    )


def description_of(key: KeySource, series: Series) -> str:
    """Series Description (0008,103E), or empty."""
    attributes = open_json(key, series.attributes, column_aad("series", series.id, "attributes"))
    element = attributes.get("0008103E") if isinstance(attributes, dict) else None
    found = element.get("Value") if isinstance(element, dict) else None
    return str(found[0]) if isinstance(found, list) and found else ""


def unfinished_uploads(session: Session, images: CaseImages, at: datetime) -> list[UnfinishedUpload]:
    rows: Sequence[Upload] = session.exec(
        select(Upload)
        .where(
            Upload.case_id == images.case.id,
            Upload.state == OPEN,
            col(Upload.expires_at) > at,
            or_(col(Upload.concat).is_(None), Upload.concat != PARTIAL),
        )
        .order_by(col(Upload.created_at))
    ).all()
    views = []
    for row in rows:
        meta = open_json(images.key, row.meta, column_aad("upload", row.id, "meta"))
        assert isinstance(meta, dict)
        views.append(
            UnfinishedUpload(
                id=row.id,
                name=str(meta.get("filename") or "file"),
                size=row.length,
                offset=row.offset,
                url=f"/api/v1/uploads/{row.id}",
                expires_at=row.expires_at,
            )
        )
    return views


def place_within(session: Session, file: StoredFile) -> tuple[int, int] | None:
    """Offset and length of the document or the surface that a DICOM file encloses; None for every other file."""
    if file.kind not in {FileKind.DOCUMENT, FileKind.SURFACE}:
        return None
    index = session.exec(select(Instance.frame_index).where(Instance.file_id == file.id, Instance.frames == 0)).first()
    if index is None:
        return None
    offset, length = json.loads(index)[0]
    return int(offset), int(length)


def need_file(session: Session, images: CaseImages, file_id: str, *, ready: bool = True) -> StoredFile:
    """A file of this very case. Raises NotFound for another case's, a removed one, and one that was not checked yet."""
    file = session.get(StoredFile, file_id)
    if (
        file is None
        or not images.holds(file)
        or file.state == FileState.REMOVED
        or (ready and file.state != FileState.READY)
    ):
        raise NotFound()
    if file.kind == FileKind.DIRECTORY and images.up_to_set is not None:
        raise NotFound()
    return file
