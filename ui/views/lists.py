"""Worklists: dentist's rows, radiologist's and scheduler's tables."""

from dataclasses import dataclass, field
from datetime import datetime

from ui.views.forms import FormState, Option
from ui.views.status import Chip, Clock, Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One case in a list.

    ``patient`` is empty for a pool row, which has no identity; ``about`` is then age and sex. ``teeth`` are labels in the
    reader's notation. ``action`` is the word of the one thing to do from the row ("Accept"), which posts to ``action_url``.
    """

    id: str
    url: str
    number: str
    patient: str = ""
    about: str = ""
    purpose: str = ""
    modality: str = ""
    teeth: tuple[str, ...] = ()
    priority: str = "routine"
    chip: Chip
    wait: Wait | None = None
    clock: Clock
    practice: str = ""
    radiologist: str = ""
    radiologist_id: str = ""
    changed: datetime
    unread: int = 0
    action: str = ""
    action_url: str = ""
    nonce: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseGroup:
    """Rows under one heading. ``due`` marks the group that waits for the person who looks; ``key`` is what a link to it names."""

    title: str
    rows: tuple[CaseRow, ...]
    key: str = ""
    due: bool = False
    total: int = 0
    more_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    word: str
    url: str
    total: int | None = None
    current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistView:
    """The dentist's and the staff's landing page. ``live_url`` answers its list alone; empty for a list that stays as it is."""

    groups: tuple[CaseGroup, ...]
    filters: tuple[Filter, ...] = ()
    search: FormState = field(default_factory=FormState)
    new_case_url: str = "/patients"
    next_url: str = ""
    live_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolView:
    """The radiologist's landing page: tabs (mine, pool, approval) over one dense table."""

    tabs: tuple[Filter, ...]
    groups: tuple[CaseGroup, ...]
    search: FormState = field(default_factory=FormState)
    next_url: str = ""
    live_url: str = ""
    title: str = "Reading list"
    pool: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardBand:
    """A count above the board, of all the band's cases, and the group of rows that it links to."""

    key: str
    word: str
    icon: str
    tone: str
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardView:
    """The scheduler's board by time left. ``readers`` are the people a case can be given to, with their load in the hint.

    ``whole_url`` leads back from one band's page to the board.
    """

    bands: tuple[BoardBand, ...]
    groups: tuple[CaseGroup, ...]
    readers: tuple[Option, ...]
    filters: tuple[Filter, ...] = ()
    search: FormState = field(default_factory=FormState)
    next_url: str = ""
    live_url: str = "/board?part=board"
    whole_url: str = ""
