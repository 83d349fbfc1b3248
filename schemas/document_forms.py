"""What the API accepts and answers about a patient's treatment documents."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, StringConstraints, field_validator

from schemas.forms import Form

DOCUMENT_NAME_LENGTH = 255

DocumentName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=DOCUMENT_NAME_LENGTH)]


class DocumentEdit(Form):
    """A new name. The ending that says what kind of file it is stays, whether it is written or not."""

    name: DocumentName

    @field_validator("name")
    @classmethod
    def _is_one_line(cls, name: str) -> str:
        if not name.isprintable():
            raise ValueError("a name is one line of letters")
        return name


class DocumentView(BaseModel):
    """A document or a photograph of a patient's record. ``kind``: unknown until it was checked, then document, photo or
    other. ``state``: stored (waits to be checked), ready, unreadable; then ``problem`` is a sentence with the way out. The
    addresses are null until it is ready; only a photograph has a small picture."""

    id: str
    name: str
    kind: str
    state: str
    problem_code: str | None
    problem: str | None
    size: int
    added_by: str
    created_at: datetime
    download_url: str | None
    thumbnail_url: str | None


class DocumentsView(BaseModel):
    """The newest first; ``next`` goes on."""

    items: list[DocumentView]
    next: str | None = None
