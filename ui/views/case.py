"""One case, as its dentist, scheduler or radiologist sees it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ui.views.files import FilesView
from ui.views.forms import Action, FormState
from ui.views.report import ReportView
from ui.views.shell import Person
from ui.views.status import Chip, Clock, Step, Tone, Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One act: what happened, by whom, when, and a note."""

    what: str
    who: str
    when: datetime
    icon: str
    tone: Tone = "quiet"
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """``kind`` "question" blocks the signature until it is answered; ``answer_url`` takes the post that says it is."""

    id: str
    person: Person
    text: str
    when: datetime
    mine: bool = False
    kind: Literal["message", "question", "note"] = "message"
    read_by: str = ""
    answered: datetime | None = None
    answer_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatView:
    """``post_url`` is empty when this person may read but not write; ``may_ask``: a signature is ahead that could wait."""

    case_id: str
    messages: tuple[Message, ...] = ()
    post_url: str = ""
    may_ask: bool = False
    form: FormState = field(default_factory=FormState)
    limit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """The case page. What this person may not see is None or empty, and then has no place on the page.

    ``problem`` says why the step that was just tried was not taken; ``pending`` that one was received and is not settled.
    """

    id: str
    number: str
    patient: str
    patient_url: str
    about: str
    purpose: str
    modality: str
    teeth: tuple[str, ...]
    priority: str
    practice: str
    referrer: str
    radiologist: str
    question: str
    history: str
    facts: tuple[tuple[str, str], ...]
    chip: Chip
    wait: Wait | None
    clock: Clock
    steps: tuple[Step, ...]
    actions: tuple[Action, ...]
    files: FilesView | None = None
    report: ReportView | None = None
    chat: ChatView | None = None
    timeline: tuple[TimelineEntry, ...] = ()
    banner: str = ""
    banner_text: str = ""
    banner_tone: str = "warn"
    links_url: str = ""
    trace_url: str = ""
    edit_url: str = ""
    read_url: str = ""
    problem: str = ""
    pending: str = ""
