"""What the API accepts and answers about the series in which a case's images are read."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from schemas.forms import Form


class Placement(Form):
    """``series_id``: a series of the case, or the image's own id, which reads it apart from all others; null: back where it
    came."""

    series_id: Annotated[str, Field(max_length=64)] | None


class MovedImageView(BaseModel):
    """An image that is read here and came in another series: its DICOM UIDs, and what that series says of itself."""

    id: str
    study_uid: str
    series_uid: str
    instance_uid: str
    came_from: str


class SeriesEntry(BaseModel):
    """Images that are read as one series. ``id`` is where other images may be moved to. ``name`` and ``note`` are the
    practice's words, empty where it gave none, ``teeth`` as the person writes them. ``moved_away`` are SOP instance UIDs of
    the DICOM series that are read elsewhere; of one read apart, everything but what ``moved_in`` has.
    """

    kind: Literal["series"] = "series"
    id: str
    study_uid: str
    series_uid: str
    modality: str
    number: int | None
    description: str
    name: str = ""
    note: str = ""
    teeth: list[str] = []
    images: int
    thumbnail_url: str
    is_apart: bool = False
    moved_in: list[MovedImageView] = []
    moved_away: list[str] = []


class PictureView(BaseModel):
    """One photograph of several that are read together."""

    id: str
    name: str
    url: str | None
    thumbnail_url: str | None


class FileEntry(BaseModel):
    """A photograph or a document; ``pictures`` are the photographs that are read with it, itself the first, or nothing."""

    kind: Literal["file"] = "file"
    id: str
    file_kind: str
    name: str
    note: str = ""
    teeth: list[str] = []
    size: int
    url: str | None
    thumbnail_url: str | None
    pictures: list[PictureView] = []


Entry = Annotated[SeriesEntry | FileEntry, Field(discriminator="kind")]


class SeriesGroup(BaseModel):
    """``name`` is null for what stands under no heading, which comes first."""

    name: str | None
    entries: list[Entry]


class SeriesView(BaseModel):
    """A case's images as they are read: in the practice's order, under its headings."""

    groups: list[SeriesGroup]
