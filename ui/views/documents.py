"""A patient's treatment documents."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRow:
    """``detail`` says what kind it is, ``problem`` in one sentence why it is not served; ``description`` and ``teeth`` are the
    practice's. One of a case has the case's number and address, and is changed there; ``edit_url``, ``move_url`` and
    ``remove_url`` are of one that may be changed here.
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
    description: str = ""
    teeth: tuple[str, ...] = ()
    case_number: str = ""
    case_url: str = ""
    nonce: str = ""
    edit_url: str = ""
    move_url: str = ""
    remove_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentGroup:
    """A heading with what stands under it on this page, or without ``id`` what stands under none. ``next_id`` and
    ``previous_id`` are its documents beside this page."""

    id: str = ""
    name: str = ""
    rows: tuple[DocumentRow, ...] = ()
    next_id: str = ""
    previous_id: str = ""
    edit_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsView:
    """``groups`` are the record's own, first those under no heading. ``upload_url`` is the tus endpoint, or empty when
    nothing may be added; ``max_bytes`` is the largest file that is taken. ``arrange_url`` is the API's arrangement of the
    record, where something may be moved.
    """

    patient_id: str
    groups: tuple[DocumentGroup, ...] = ()
    of_cases: tuple[DocumentRow, ...] = ()
    upload_url: str = ""
    max_bytes: int = 0
    arrange_url: str = ""
    live_url: str = ""
    first_url: str = ""
    next_url: str = ""
