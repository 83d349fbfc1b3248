"""The reading page: images and report side by side."""

from dataclasses import dataclass, field
from datetime import datetime

from schemas.report import ReportContent
from ui.views.case import ChatView
from ui.views.files import StudyView
from ui.views.forms import Action, FormState
from ui.views.status import Chip, Clock, Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyImageChoice:
    """A key image that was taken in the viewer; ``chosen`` says whether the report shows it."""

    id: str
    caption: str
    thumbnail: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AddendumView:
    """Earlier addenda of a report, as they were signed."""

    text: str
    author: str
    when: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingView:
    """``etag`` goes back as ``If-Match`` with each autosave; ``draft_url`` takes it. ``editable`` is false for a reader who
    may only look. The fields of the form are named by their path in `ReportContent` ("findings.0.text"). While an addendum
    is written, ``content_json`` is the signed text, which stays as it is, and ``addendum`` the words that are added.
    ``checks`` are what still stands between the draft and a signature, each a sentence.
    """

    case_id: str
    number: str
    patient: str
    about: str
    purpose: str
    question: str
    case_url: str
    chip: Chip
    clock: Clock
    wait: Wait | None
    series: tuple[StudyView, ...]
    study_uid: str
    series_url: str
    annotations_url: str
    dicomweb_url: str
    report: ReportContent
    key_images: tuple[KeyImageChoice, ...] = ()
    version: int
    history: str = ""
    draft_url: str
    etag: str
    editable: bool = True
    annotates: bool = True
    content_json: str = ""
    addendum: str = ""
    addenda: tuple[AddendumView, ...] = ()
    saved_at: datetime | None = None
    checks: tuple[str, ...] = ()
    sign: Action | None = None
    actions: tuple[Action, ...] = ()
    chat: ChatView | None = None
    prior: tuple[tuple[str, str], ...] = ()
    form: FormState = field(default_factory=FormState)
    window_url: str = ""
    note: str = ""
    image_set: int = 0
    """The newest set of images that this page shows."""
    identity_note: str = ""
    """Said where two people vouched for images that name somebody else."""
    problem: str = ""
    conflict: str = ""

    @property
    def appending(self) -> bool:
        return bool(self.content_json)
