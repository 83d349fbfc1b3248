"""Patients of a practice."""

from dataclasses import dataclass, field
from datetime import date, datetime

from ui.views.documents import DocumentsView
from ui.views.forms import FormState, Option
from ui.views.lists import CaseRow


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRow:
    url: str
    name: str
    born: date
    sex: str
    number: str
    cases: int
    last: datetime | None = None
    waiting: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """Another record that may be the same person, and what speaks for it."""

    name: str
    born: date
    url: str
    why: str
    merge_url: str = ""
    nonce: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientsView:
    """``next_url`` leads to the next page (keyset), or is empty on the last. ``create`` is the "new patient" form;
    ``duplicates`` are records that it may already be on. ``practices`` are to choose from, and ``practice`` is the one that
    is shown: both empty for people of one.
    """

    rows: tuple[PatientRow, ...]
    search: FormState = field(default_factory=FormState)
    create: FormState = field(default_factory=FormState)
    sexes: tuple[Option, ...] = ()
    total: int = 0
    next_url: str = ""
    duplicates: tuple[Duplicate, ...] = ()
    practice: str = ""
    practices: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientView:
    """``conflict`` lists what somebody else saved meanwhile: (field, on record now, as typed here)."""

    id: str
    name: str
    born: date
    age: str
    sex: str
    number: str
    email: str
    phone: str
    address: str = ""
    alerts: tuple[str, ...] = ()
    new_case_url: str = ""
    edit: FormState | None = None
    conflict: tuple[tuple[str, str, str], ...] = ()
    sexes: tuple[Option, ...] = ()
    cases: tuple[CaseRow, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    documents: DocumentsView | None = None
    """None for those who do not see them."""
