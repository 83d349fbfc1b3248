"""The reading page: images and report side by side."""

from dataclasses import dataclass, field
from datetime import datetime

from schemas.report import ReportContent
from ui.views.case import ChatView
from ui.views.files import StudyView
from ui.views.forms import Action, FormState
from ui.views.status import Chip, Clock, Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingView:
    """``etag`` goes back as ``If-Match`` with each autosave; ``draft_url`` takes it. ``editable`` is false for a reader who
    may only look. The fields of the form are named by their path in `ReportContent` ("regions.teeth.status"). ``checks`` are what still stands between the draft and a signature, each a sentence.
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
    annotations_url: str
    dicomweb_url: str = "/dicomweb"
    report: ReportContent
    version: int
    history: str = ""
    draft_url: str
    etag: str
    editable: bool = True
    saved_at: datetime | None = None
    checks: tuple[str, ...] = ()
    sign: Action | None = None
    actions: tuple[Action, ...] = ()
    chat: ChatView | None = None
    prior: tuple[tuple[str, str], ...] = ()
    form: FormState = field(default_factory=FormState)
    window_url: str = ""
