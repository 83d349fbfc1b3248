"""A patient's treatment documents."""

from dataclasses import dataclass
from typing import Literal

from ui.views.forms import FormState


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRow:
    """``detail`` says what kind it is, ``problem`` in one sentence why it is not served. One of a case has the case's
    number and address, and is changed there; ``rename`` is the form of one that may be changed here.
    """

    id: str
    name: str
    detail: str
    size: int
    day: str
    state: Literal["checking", "ready", "problem"]
    is_photo: bool = False
    added_by: str = ""
    url: str = ""
    preview: str = ""
    problem: str = ""
    case_number: str = ""
    case_url: str = ""
    rename: FormState | None = None
    edit_url: str = ""
    remove_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsView:
    """``rows`` are the record's own, the newest first. ``upload_url`` is the tus endpoint, or empty when nothing may be
    added; ``max_bytes`` is the largest file that is taken.
    """

    patient_id: str
    rows: tuple[DocumentRow, ...] = ()
    of_cases: tuple[DocumentRow, ...] = ()
    upload_url: str = ""
    max_bytes: int = 0
    live_url: str = ""
    newest_url: str = ""
    next_url: str = ""
