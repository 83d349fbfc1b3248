"""How a practice has put the images and documents of a case in order, for whoever looks at them."""

from datetime import datetime

from sqlmodel import SQLModel

from schemas.tables.columns import id_field, moment_field, sealed_field


class FileGroup(SQLModel, table=True):
    """A heading under which studies and files of a case stand."""

    __tablename__ = "file_group"

    id: str = id_field(primary_key=True)
    case_id: str = id_field(foreign_key="report_case.id", index=True)
    name: bytes = sealed_field()
    """JSON: the heading."""
    position: int
    created_at: datetime = moment_field()


class ArrangedItem(SQLModel, table=True):
    """A study or a file that was moved or described; one without a row stands where it arrived, with its own name."""

    __tablename__ = "arranged_item"

    id: str = id_field(primary_key=True)
    """Of the study or of the stored file."""
    case_id: str = id_field(foreign_key="report_case.id", index=True)
    group_id: str | None = id_field(foreign_key="file_group.id", index=True, nullable=True)
    position: int | None = None
    """Among those of its group, or of no group, from 0; None: after them, in the order of arrival."""
    labels: bytes | None = sealed_field(nullable=True)
    """JSON of ``schemas.arrangement_forms.Labels``."""
