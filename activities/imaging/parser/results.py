"""What a child said about a file, checked: a child that a file took over can say anything."""

import json
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from activities.imaging.parser.limits import MAX_BULK
from activities.imaging.parser.problems import ProblemCode
from schemas.files import FileKind

Uid = Annotated[str, Field(pattern=r"^[0-9][0-9.]{0,63}$")]
Number = Annotated[int, Field(gt=-(1 << 31), lt=1 << 31)]
_MAX_OFFSET: Final = 1 << 48


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Identity(_Answer):
    """Patient attributes of an instance as they are in it (PS3.3 C.7.1.1, C.2.2); empty when absent. PHI."""

    patient_name: str = Field("", alias="PatientName", max_length=1024)
    patient_id: str = Field("", alias="PatientID", max_length=1024)
    issuer: str = Field("", alias="IssuerOfPatientID", max_length=1024)
    birth_date: str = Field("", alias="PatientBirthDate", max_length=1024)
    sex: str = Field("", alias="PatientSex", max_length=1024)


class DicomFacts(_Answer):
    """One instance. ``ranges`` holds offset and length of the parts of each frame; empty when frames have to be decoded
    to be had at all. ``window`` is centre and width, ``spacing`` row and column spacing in mm."""

    study_uid: Uid
    series_uid: Uid
    sop_uid: Uid
    sop_class_uid: Annotated[str, Field(pattern=r"^[0-9.]{0,64}$")]
    transfer_syntax_uid: Uid
    modality: str = Field(max_length=16)
    series_number: Number | None
    number: Number | None
    frames: int = Field(ge=0, le=20_000)
    """0 for an encapsulated document, whose place is the only entry of ``ranges``."""
    rows: int = Field(ge=0, le=65535)
    columns: int = Field(ge=0, le=65535)
    ranges: list[list[Annotated[int, Field(ge=0, le=_MAX_OFFSET)]]]
    bulk: list[Annotated[list[Annotated[int, Field(ge=0, le=_MAX_OFFSET)]], Field(min_length=3, max_length=3)]] = Field(
        [], max_length=MAX_BULK + 1
    )
    """Tag, offset and length of each value that the DICOM JSON leaves out."""
    transcoded: bool
    """Whether the frames are always served decoded, as explicit VR little endian."""
    burned_in: Literal["yes", "possible", "no"]
    """Whether the pixels may show the patient's name."""
    identity: Identity
    window: tuple[float, float] | None
    spacing: tuple[float, float] | None
    spacing_source: str = Field(max_length=32)

    @model_validator(mode="after")
    def _ranges_fit_frames(self) -> Self:
        if self.ranges and len(self.ranges) != max(self.frames, 1):
            raise ValueError("one entry a frame")
        if any(len(parts) < 2 or len(parts) % 2 for parts in self.ranges):
            raise ValueError("offset and length in turn")
        return self

    def within(self, size: int) -> bool:
        """Whether every part lies in a file of that size."""
        return all(
            offset + length <= size
            for parts in self.ranges
            for offset, length in zip(parts[::2], parts[1::2], strict=True)
        ) and all(offset + length <= size for _, offset, length in self.bulk)


class PhotoFacts(_Answer):
    """A photograph, a document or a surface. Width and height in pixels, as shown; ``pages`` are the pictures in it."""

    format: str = Field(max_length=8)
    width: int | None = Field(None, ge=1)
    height: int | None = Field(None, ge=1)
    pages: int = Field(1, ge=1, le=9999)
    triangles: int | None = Field(None, ge=0, le=_MAX_OFFSET)


class ListedImage(_Answer):
    """An image that a disc's table of contents names."""

    path: str = Field(max_length=200)
    uid: Uid


class Member(_Answer):
    """An entry of an archive. It lies between ``offset`` and ``end``, ``packed`` bytes that unpack to ``size``."""

    path: str = Field(min_length=1, max_length=1000)
    offset: int = Field(ge=0, le=_MAX_OFFSET)
    end: int = Field(ge=0, le=_MAX_OFFSET)
    packed: int = Field(ge=0, le=_MAX_OFFSET)
    size: int = Field(ge=0, le=_MAX_OFFSET)
    method: Literal[0, 8]
    crc: int = Field(ge=0, lt=1 << 32)


class Examined(_Answer):
    """Result of an examination: what the file is, and either its facts or the problem with it."""

    kind: FileKind
    problem: ProblemCode | None = None
    dicom: DicomFacts | None = None
    photo: PhotoFacts | None = None
    listed: tuple[ListedImage, ...] = ()
    """Of a disc's table of contents."""
    members: tuple[Member, ...] = Field((), max_length=20_000)
    """Of an archive; ``left_out`` counts programs and system files in it."""
    left_out: int = Field(0, ge=0)
    metadata: bytes = b""
    """DICOM JSON of the instance without bulk data."""
    preview: bytes = b""
    """JPEG of a photograph."""


class BareCopy(_Answer):
    """How a photograph's file goes out: in pieces (see ``bare``), or ``drawn`` anew as JPEG."""

    pieces: tuple[tuple[int, int] | bytes, ...] = ()
    drawn: bytes = b""

    @property
    def size(self) -> int:
        return len(self.drawn) + sum(len(piece) if isinstance(piece, bytes) else piece[1] for piece in self.pieces)


class Picture(_Answer):
    """A JPEG with its size in pixels."""

    image: bytes
    width: int = Field(ge=1)
    height: int = Field(ge=1)


def metadata_object(metadata: bytes) -> dict[str, JsonValue]:
    """The DICOM JSON as an object. Raises ValueError when it is none."""
    value = json.loads(metadata)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value
