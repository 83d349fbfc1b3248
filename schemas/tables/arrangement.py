"""How a practice has put images and documents in order, of a case or of a patient's record, for whoever looks at them."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import SQLModel

from schemas.tables.columns import id_field, moment_field, sealed_field


class FileGroup(SQLModel, table=True):
    """A heading under which studies and files of a case stand, or documents of a patient's record."""

    __tablename__ = "file_group"
    __table_args__ = (CheckConstraint("(case_id IS NULL) <> (patient_id IS NULL)", name="ck_group_belongs_to_one"),)

    id: str = id_field(primary_key=True)
    case_id: str | None = id_field(foreign_key="report_case.id", index=True, nullable=True)
    patient_id: str | None = id_field(foreign_key="patient.id", index=True, nullable=True)
    name: bytes = sealed_field()
    """JSON: the heading."""
    position: int
    created_at: datetime = moment_field()


class ArrangedItem(SQLModel, table=True):
    """What was moved or described; one without a row stands where it arrived, with its own name."""

    __tablename__ = "arranged_item"
    __table_args__ = (CheckConstraint("(case_id IS NULL) <> (patient_id IS NULL)", name="ck_item_belongs_to_one"),)

    id: str = id_field(primary_key=True)
    """Of the study, of the stored file, or of the document of a record."""
    case_id: str | None = id_field(foreign_key="report_case.id", index=True, nullable=True)
    patient_id: str | None = id_field(foreign_key="patient.id", index=True, nullable=True)
    group_id: str | None = id_field(foreign_key="file_group.id", index=True, nullable=True)
    position: int | None = None
    """Among those of its group, or of no group, from 0; None: where it arrived (``api.arrangement.Home.newest_first``)."""
    labels: bytes | None = sealed_field(nullable=True)
    """JSON of ``schemas.arrangement_forms.Labels``."""
