"""Uploads, stored files, image sets, and the DICOM hierarchy study > series > instance (DICOM PS3.3 A.1)."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from schemas.tables.columns import BIG_INTEGER, LONG_TEXT, code_field, id_field, moment_field, sealed_field, text_type


class Upload(SQLModel, table=True):
    """One tus upload (https://tus.io/protocols/resumable-upload), to a case or to a patient's record. ``offset`` is how far it
    was when that was last noted; the blob says what is durable.
    """

    __tablename__ = "upload"
    __table_args__ = (CheckConstraint("(case_id IS NULL) <> (patient_id IS NULL)", name="ck_upload_belongs_to_one"),)

    id: str = id_field(primary_key=True)
    case_id: str | None = id_field(foreign_key="report_case.id", index=True, nullable=True)
    patient_id: str | None = id_field(foreign_key="patient.id", index=True, nullable=True)
    practice_id: str = id_field(foreign_key="organization.id")
    user_id: str = id_field(foreign_key="user.id")
    file_id: str = id_field()
    """Of the file that it becomes, and of its blob."""
    duplicate_of: str | None = id_field(nullable=True)
    """The file that it became instead: the one of these very bytes that the case had already."""
    length: int | None = Field(default=None, sa_type=BIG_INTEGER, nullable=True)
    """None while its sender does not know (tus 1.0, "creation-defer-length")."""
    offset: int = Field(default=0, sa_type=BIG_INTEGER)
    concat: str | None = code_field(16, nullable=True)
    """``partial``, or ``final`` (tus 1.0, "concatenation")."""
    parts: str | None = Field(default=None, sa_type=LONG_TEXT, nullable=True)
    """JSON: ids of the uploads that a final one is joined from, in order."""
    meta: bytes = sealed_field()
    """JSON: filename, filetype, relative_path; ``header`` and ``concat``: Upload-Metadata and Upload-Concat as sent."""
    nonce: str | None = code_field(64, unique=True, nullable=True)
    """Hash of case or patient, person and the client's idempotency key, so that a creation whose answer was lost is not doubled."""
    state: str = code_field(16)
    """``open``, ``complete``, ``ended``."""
    claimed_at: datetime | None = moment_field(nullable=True)
    """When a request of its sender last met another one that had it."""
    created_at: datetime = moment_field()
    updated_at: datetime = moment_field()
    expires_at: datetime = moment_field(index=True)


class StoredFile(SQLModel, table=True):
    """A file of a case, as it came. Served only once it was checked (invariant 11)."""

    __tablename__ = "stored_file"
    __table_args__ = (Index("ix_stored_file_content", "case_id", "sha256"),)

    id: str = id_field(primary_key=True)
    case_id: str = id_field(foreign_key="report_case.id", index=True)
    practice_id: str = id_field(foreign_key="organization.id")
    name: bytes = sealed_field()
    """JSON: name and relative path."""
    blob_id: str = id_field(index=True)
    """Named as the file where the file came alone; files that came in one piece share a blob."""
    blob_offset: int = Field(default=0, sa_type=BIG_INTEGER)
    """Where in the blob its bytes begin; ``size`` says where they end."""
    parent_id: str | None = id_field(nullable=True)
    """The archive that it came in."""
    batch_id: str | None = id_field(nullable=True, index=True)
    """The folder or the archive with which it came; None for one that came alone."""
    size: int = Field(sa_type=BIG_INTEGER)
    sha256: str = code_field(64)
    kind: str = code_field(16)
    """See ``schemas.files.FileKind``."""
    facts: bytes | None = sealed_field(nullable=True)
    """JSON of what the check found out for lists: pages, triangles, what a disc says to hold."""
    state: str = code_field(16)
    """See ``schemas.files.FileState``."""
    problem_code: str | None = code_field(60, nullable=True)
    problem: str | None = Field(default=None, sa_type=text_type(500), nullable=True)
    first_set: int | None = None
    """The image set with which the file was submitted; None while it belongs to none."""
    uploaded_by: str = id_field(foreign_key="user.id")
    created_at: datetime = moment_field()
    checked_at: datetime | None = moment_field(nullable=True)


class FileBatch(SQLModel, table=True):
    """What came together as one folder or one archive. With two patients in it, it is refused as a whole."""

    __tablename__ = "file_batch"

    id: str = id_field(primary_key=True)
    case_id: str = id_field(foreign_key="report_case.id", index=True)
    key: str = code_field(64)
    """Hash of case, person and the folder's name or the client's own id, by which its files find each other."""
    name: bytes = sealed_field()
    """JSON: the name of the folder or the archive."""
    state: str = code_field(16)
    """``open`` (to be looked at), ``accepted``, ``refused``, ``ended`` (everything of it was removed)."""
    finding: bytes | None = sealed_field(nullable=True)
    """JSON of a refused one: each patient found, with the files that name them."""
    created_at: datetime = moment_field()


class Study(SQLModel, table=True):
    __tablename__ = "study"
    __table_args__ = (UniqueConstraint("case_id", "study_uid", name="uq_study"),)

    id: str = id_field(primary_key=True)
    case_id: str = id_field(foreign_key="report_case.id", index=True)
    practice_id: str = id_field(foreign_key="organization.id")
    study_uid: str = Field(sa_type=text_type(64), index=True)
    attributes: bytes = sealed_field()
    """DICOM JSON of the study level (PS3.18 F.2)."""
    created_at: datetime = moment_field()


class Series(SQLModel, table=True):
    __tablename__ = "series"
    __table_args__ = (UniqueConstraint("study_id", "series_uid", name="uq_series"),)

    id: str = id_field(primary_key=True)
    study_id: str = id_field(foreign_key="study.id", index=True)
    case_id: str = id_field(foreign_key="report_case.id", index=True)
    series_uid: str = Field(sa_type=text_type(64))
    modality: str = code_field(16)
    number: int | None = None
    attributes: bytes = sealed_field()
    created_at: datetime = moment_field()


class Instance(SQLModel, table=True):
    """One SOP instance: where its frames lie in the blob, so that a frame is served from a byte range."""

    __tablename__ = "instance"
    __table_args__ = (
        UniqueConstraint("series_id", "sop_uid", name="uq_instance"),
        Index("ix_instance_series_order", "series_id", "number"),
    )

    id: str = id_field(primary_key=True)
    series_id: str = id_field(foreign_key="series.id")
    case_id: str = id_field(foreign_key="report_case.id", index=True)
    file_id: str = id_field(foreign_key="stored_file.id", index=True)
    sop_uid: str = Field(sa_type=text_type(64))
    sop_class_uid: str = Field(sa_type=text_type(64))
    transfer_syntax_uid: str = Field(sa_type=text_type(64))
    number: int | None = None
    frames: int = 1
    rows: int | None = None
    columns: int | None = None
    frame_index: str = Field(sa_type=LONG_TEXT)
    """JSON: byte offset and length of each frame in the file; empty when it has no pixel data."""
    bulk_index: str = Field(default="[]", sa_type=LONG_TEXT)
    """JSON: tag, byte offset and length of each value that is left out of the DICOM JSON, but for the pixels."""
    metadata_json: bytes = sealed_field()
    """DICOM JSON of the instance without bulk data, written at ingest."""
    identity: str = code_field(16)
    """Outcome of the comparison with the case: exact, probable, contradictory or absent."""
    burned_in: str = Field(default="no", sa_type=text_type(16))
    """Whether its pixels may show the patient's name: yes, possible or no."""


class IdentityFinding(SQLModel, table=True):
    """What the comparison of an image set's identity with the case found; shown to the two people who may override it."""

    __tablename__ = "identity_finding"

    id: int | None = Field(default=None, primary_key=True)
    case_id: str = id_field(foreign_key="report_case.id", index=True)
    image_set: int
    outcome: str = code_field(16)
    details: bytes = sealed_field()
    """JSON: per patient found, its attributes, reasons, and which files."""
    created_at: datetime = moment_field()


class Preview(SQLModel, table=True):
    """A rendered JPEG of a series, an instance or a photograph: a cache, made again when absent."""

    __tablename__ = "preview"
    __table_args__ = (UniqueConstraint("subject_id", "kind", name="uq_preview"),)

    id: str = id_field(primary_key=True)
    case_id: str = id_field(foreign_key="report_case.id", index=True)
    subject_id: str = id_field()
    kind: str = code_field(16)
    image: bytes = sealed_field()


class AnnotationSet(SQLModel, table=True):
    """Annotations and viewer state of a case, as the viewer's plain JSON; ``revision`` is the ETag."""

    __tablename__ = "annotation_set"

    case_id: str = Field(sa_type=text_type(64), primary_key=True, foreign_key="report_case.id")
    content: bytes = sealed_field()
    content_hash: str = code_field(64)
    revision: int = 1
    updated_by: str = id_field(foreign_key="user.id")
    updated_at: datetime = moment_field()


class KeyImage(SQLModel, table=True):
    """An image that the radiologist put into the report, with its annotations drawn in."""

    __tablename__ = "key_image"
    __table_args__ = (Index("ix_key_image_case", "case_id", "position"),)

    id: str = id_field(primary_key=True)
    case_id: str = id_field(foreign_key="report_case.id")
    instance_id: str = id_field(foreign_key="instance.id")
    frame: int = 1
    caption: bytes = sealed_field()
    image: bytes = sealed_field()
    position: int = 0
    created_by: str = id_field(foreign_key="user.id")
    created_at: datetime = moment_field()
