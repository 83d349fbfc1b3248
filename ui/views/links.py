"""The release links of a case, as its practice sees them."""

from dataclasses import dataclass
from datetime import datetime

from ui.views.status import Chip


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """``code_url`` takes the post that makes a one-time code; empty where there is none to be had."""

    chip: Chip
    created: datetime
    expires: datetime
    opened: datetime | None
    code_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedView:
    """Shown once, for the practice to hand over: where the patient goes, and the code to type there."""

    link: str
    code: str
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LinksView:
    number: str
    patient: str
    case_url: str
    rows: tuple[LinkRow, ...]
    handed: HandedView | None = None
