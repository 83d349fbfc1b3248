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


class PlacedImage(SQLModel, table=True):
    """An image that is read in another series than the one it came in. Its bytes, its UIDs and what DICOMweb says of it stay
    as they came (docs/decisions/0019); without a row it is read where it came.
    """

    __tablename__ = "placed_image"

    id: str = id_field(primary_key=True)
    """Of the instance, or of a photograph's stored file."""
    case_id: str = id_field(foreign_key="report_case.id", index=True)
    stack_id: str = id_field(index=True)
    """What it is read in: a DICOM series, or the one image that a series of the practice's is named for: a photograph with
    which others stand, or an instance, also this one itself, that is read apart from the series that it came in."""
    series_id: str | None = id_field(foreign_key="series.id", index=True, nullable=True)
    """The DICOM series beside which the stack stands in lists; None of photographs."""
    placed_at: datetime = moment_field()
