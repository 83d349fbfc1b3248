"""Treatment documents of a patient: what belongs to the person and to no case."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from schemas.tables.columns import code_field, id_field, moment_field, sealed_field, text_type


class PatientDocument(SQLModel, table=True):
    """A document or a photograph of a patient's record, as it came. Served only once it was checked."""

    __tablename__ = "patient_document"
    __table_args__ = (
        Index("ix_patient_document_newest", "patient_id", "created_at"),
        Index("ix_patient_document_waiting", "state", "created_at"),
    )

    id: str = id_field(primary_key=True)
    """Also the id of its blob."""
    patient_id: str = id_field(foreign_key="patient.id")
    practice_id: str = id_field(foreign_key="organization.id")
    name: bytes = sealed_field()
    """JSON: name and relative path, as of a case's file."""
    size: int
    sha256: str = code_field(64)
    kind: str = code_field(16)
    """See ``schemas.files.FileKind``: a document, a photograph, or none of use."""
    state: str = code_field(16)
    """See ``schemas.files.FileState``."""
    problem_code: str | None = code_field(60, nullable=True)
    problem: str | None = Field(default=None, sa_type=text_type(500), nullable=True)
    preview: bytes | None = sealed_field(nullable=True)
    """JPEG of a photograph, small."""
    uploaded_by: str = id_field(foreign_key="user.id")
    created_at: datetime = moment_field()
    checked_at: datetime | None = moment_field(nullable=True)
