"""The report: a draft that is overwritten, and versions that never change (invariant 8)."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from schemas.tables.columns import code_field, id_field, moment_field, sealed_field, text_type


class ReportDraft(SQLModel, table=True):
    """The draft being written. ``revision`` is the ETag; autosave is not a step of the case (DECISIONS 6)."""

    __tablename__ = "report_draft"

    case_id: str = Field(sa_type=text_type(64), primary_key=True, foreign_key="report_case.id")
    content: bytes = sealed_field()
    content_hash: str = code_field(64)
    revision: int = 1
    updated_by: str = id_field(foreign_key="user.id")
    updated_at: datetime = moment_field()


class ReportVersion(SQLModel, table=True):
    """A signed version. ``document`` is the JSON of ``schemas.signed_report.SignedReport``."""

    __tablename__ = "report_version"
    __table_args__ = (UniqueConstraint("case_id", "version", name="uq_report_version"),)

    id: str = id_field(primary_key=True)
    case_id: str = id_field(foreign_key="report_case.id")
    version: int
    kind: str = code_field(24)
    document: bytes = sealed_field()
    report_hash: str = code_field(64)
    """SHA-256 over the case and everything of the version (invariant 7)."""
    marks: bytes = sealed_field()
    """The marks as they were signed, canonical JSON: those of the case may be drawn anew in an amendment."""
    author_id: str = id_field(foreign_key="user.id")
    approver_id: str | None = id_field(foreign_key="user.id", nullable=True)
    command_id: str = Field(sa_type=text_type(96))
    signed_at: datetime = moment_field()


class ReportPdf(SQLModel, table=True):
    """The rendered document of a version; its bytes are a blob."""

    __tablename__ = "report_pdf"
    __table_args__ = (UniqueConstraint("case_id", "version", name="uq_report_pdf"),)

    id: str = id_field(primary_key=True)
    case_id: str = id_field(foreign_key="report_case.id")
    version: int
    content: bytes = sealed_field()
    sha256: str = code_field(64)
    created_at: datetime = moment_field()
