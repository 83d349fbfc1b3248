"""The sample case in its variants."""

from datetime import timedelta
from typing import Final

from schemas.lifecycle import State
from ui.pages.samples.base import MARSH, NOT_STARTED, STOPPED, WEBER, after, before, paused, running
from ui.pages.samples.lists import MINE_NEXT
from ui.pages.samples.reports import REPORT_WITH_ADDENDUM
from ui.pages.samples.waits import QUESTION_WAIT, READING_WAIT, RELEASE_WAIT
from ui.views import (
    Action,
    CaseView,
    ChatView,
    FilesView,
    FormState,
    Message,
    Step,
    StudyView,
    TimelineEntry,
    UploadProblem,
    Wait,
    state_chip,
)

_H = timedelta(hours=1)
_URGENT = 8 * _H
CASE_ID: Final = "case_sample"
CASE_URL: Final = f"/cases/{CASE_ID}"

STUDIES: Final = (
    StudyView(
        id="s1",
        name="CBCT, both jaws",
        detail="80 × 80 mm, 0.16 mm voxel",
        images=400,
        size=212_000_000,
        state="ready",
        preview="/styleguide/images/axial.svg",
    ),
    StudyView(
        id="s2",
        name="Panoramic",
        detail="12 Nov 2026",
        images=1,
        size=8_400_000,
        state="ready",
        preview="/styleguide/images/panoramic.svg",
    ),
)
UPLOADING: Final = (
    StudyView(
        id="s3",
        name="CBCT, lower jaw",
        detail="folder “Okafor_A”",
        images=398,
        size=206_000_000,
        done=131_000_000,
        state="uploading",
        note="14 MB/s, 6 s left",
    ),
    StudyView(id="s4", name="Panoramic", detail="12 Nov 2026", images=1, size=8_400_000, state="checking"),
    StudyView(
        id="s5",
        name="scan_03.dcm",
        detail="single file",
        images=1,
        size=524_000,
        state="problem",
        problem="This file ends too early. Export it again from the scanner's software, then add it here.",
        remove_url="/x",
        nonce="n",
    ),
)

TIMELINE: Final = (
    TimelineEntry(
        what="Asked the practice for a lateral view",
        who="Dr Jonas Weber",
        when=before(hours=2, minutes=10),
        icon="question",
        tone="warn",
        note="clock paused",
    ),
    TimelineEntry(
        what="Accepted the case",
        who="Dr Jonas Weber",
        when=before(hours=3, minutes=40),
        icon="assigned",
        tone="info",
    ),
    TimelineEntry(
        what="Assigned automatically",
        who="OdontoFlow",
        when=before(hours=4, minutes=1),
        icon="inbox",
        note="same reader as the patient's last case",
    ),
    TimelineEntry(
        what="Images checked",
        who="OdontoFlow",
        when=before(hours=4, minutes=2),
        icon="check",
        tone="ok",
        note="401 images, identity matches",
    ),
    TimelineEntry(
        what="Submitted", who="Dr Helen Marsh", when=before(hours=4, minutes=3), icon="released", tone="accent"
    ),
    TimelineEntry(what="Created", who="Chidi Obi", when=before(days=1), icon="draft"),
)
CHAT: Final = ChatView(
    case_id=CASE_ID,
    messages=(
        Message(
            id="m1",
            person=MARSH,
            text="She has had two episodes of pericoronitis on the left this year. The right one is silent.",
            when=before(hours=3, minutes=20),
            mine=True,
            read_by="Dr Weber",
        ),
        Message(
            id="m2",
            person=WEBER,
            text="Thank you. The root of 38 lies close to the canal, and the volume is cut off just below it. Do you have "
            "a lateral view, or can you rescan with the field 10 mm lower?",
            when=before(hours=2, minutes=10),
            kind="question",
        ),
    ),
    post_url=f"{CASE_URL}/messages",
    form=FormState(nonce="n-msg"),
)
FACTS: Final = (
    ("Referring dentist", "Dr Helen Marsh"),
    ("Copies to", "Mr Alan Pryce, oral surgery"),
    ("Earlier images", "Panoramic, March 2024, here"),
    ("Pregnancy", "Not pregnant"),
    ("Consent", "Given on 23 Nov 2026"),
)


def steps(at: int) -> tuple[Step, ...]:
    words = ("Request", "Images checked", "Reading", "Signed", "Released")
    return tuple(Step(word=word, done=index < at, current=index == at) for index, word in enumerate(words))


_ANSWER = Action(
    name="answer_modification",
    word="Answer question",
    url=f"{CASE_URL}/actions/answer_modification",
    nonce="n1",
    kind="primary",
    icon="chat",
    form="answer",
)
_CANCEL = Action(
    name="cancel",
    word="Cancel case",
    url=f"{CASE_URL}/actions/cancel",
    nonce="n2",
    kind="danger",
    form="reason",
)


def case(**change: object) -> CaseView:
    """The sample case, with what a variant changes."""
    values: dict[str, object] = {
        "id": CASE_ID,
        "number": "HL-2418",
        "patient": "Amara Okafor",
        "patient_url": "/styleguide/pages/patient",
        "about": "34 y, female, born 14 Mar 1992",
        "purpose": "Impacted teeth",
        "modality": "CBCT",
        "teeth": ("38", "48"),
        "priority": "routine",
        "practice": "Harbour Lane Dental",
        "referrer": "Dr Helen Marsh",
        "radiologist": "Dr Jonas Weber",
        "question": "How close are the roots of 38 and 48 to the mandibular canal, and is there resorption of 37 or 47?",
        "history": "Two episodes of pericoronitis lower left in 2026, treated with rinses. No medicines. Penicillin allergy.",
        "facts": FACTS,
        "chip": state_chip(State.MODIFICATION_REQUESTED),
        "wait": QUESTION_WAIT,
        "clock": paused(21 * _H, "practice"),
        "steps": steps(2),
        "actions": (_ANSWER, _CANCEL),
        "files": FilesView(
            case_id=CASE_ID, studies=STUDIES, upload_url="/api/v1/uploads", viewer_url=f"{CASE_URL}/images"
        ),
        "chat": CHAT,
        "timeline": TIMELINE,
    }
    return CaseView(**(values | change))  # type: ignore[arg-type] # each sample names the fields that it changes


CASE_QUESTION: Final = case()
CASE_DRAFT: Final = case(
    number="HL-2422",
    chip=state_chip(State.DRAFT),
    wait=Wait(
        sentence="Waiting for you: add the images, then submit.",
        since=before(minutes=4),
        until=after(days=13, hours=23),
        then="the draft is cancelled",
        yours=True,
    ),
    clock=NOT_STARTED,
    steps=steps(0),
    actions=(
        Action(
            name="submit",
            word="Submit case",
            url=f"{CASE_URL}/actions/submit",
            nonce="n",
            kind="primary",
            icon="released",
            blocked="One file needs attention before you can submit.",
        ),
        _CANCEL,
    ),
    files=FilesView(
        case_id=CASE_ID,
        studies=UPLOADING,
        problems=(
            UploadProblem(
                filename="setup.exe",
                text="Programs are not taken. Add DICOM files, photographs or PDF files.",
            ),
        ),
        upload_url="/api/v1/uploads",
    ),
    chat=None,
    timeline=TIMELINE[-1:],
    edit_url=f"{CASE_URL}/edit",
)
CASE_ATTENTION: Final = case(
    number="HL-2420",
    patient="Mateo Rivas",
    about="11 y, male, born 2 Feb 2015",
    purpose="Trauma",
    modality="Intraoral",
    teeth=("11", "21"),
    priority="urgent",
    question="Root fracture of 11 or 21? Luxation? He fell from a bicycle yesterday evening.",
    history="Mobile 11, grade 2. Both teeth vital on cold test.",
    chip=state_chip(State.ATTENTION, "identity"),
    wait=MINE_NEXT[2].wait,
    clock=paused(7 * _H, "practice"),
    steps=steps(1),
    banner="Two of three images name “Mateo Rivera”, born 2 Feb 2015. They stay locked until this is settled.",
    actions=(
        Action(name="resubmit", word="Submit again", url=f"{CASE_URL}/actions/resubmit", nonce="n", kind="primary"),
        Action(
            name="confirm_identity",
            word="Confirm that it is this patient",
            url=f"{CASE_URL}/actions/confirm_identity",
            nonce="n",
            form="reason",
        ),
        _CANCEL,
    ),
    chat=None,
)
CASE_READING: Final = case(
    number="HL-2416",
    patient="Ingrid Sørensen",
    about="47 y, female, born 30 Aug 1979",
    purpose="Endodontics",
    teeth=("26",),
    priority="urgent",
    chip=state_chip(State.IN_REVIEW),
    wait=READING_WAIT,
    clock=running(timedelta(hours=2, minutes=25), _URGENT, "Dr Weber", "8 h"),
    actions=(_CANCEL,),
    files=FilesView(case_id=CASE_ID, studies=STUDIES, viewer_url=f"{CASE_URL}/images"),
    timeline=TIMELINE[1:],
)
CASE_SIGNED: Final = case(
    number="HL-2411",
    patient="Tomasz Zieliński",
    about="58 y, male, born 9 Jan 1968",
    purpose="Implant planning",
    teeth=("36",),
    chip=state_chip(State.SIGNED),
    wait=RELEASE_WAIT,
    clock=STOPPED,
    steps=steps(4),
    report=REPORT_WITH_ADDENDUM,
    actions=(
        Action(
            name="release",
            word="Release report",
            url=f"{CASE_URL}/actions/release",
            nonce="n",
            kind="primary",
            icon="released",
            form="release",
            state=FormState(values={"recipient": "t.zielinski@example.test", "link_ends": "8 Dec 2026"}),
        ),
        Action(
            name="request_amendment",
            word="Ask for an amendment",
            url=f"{CASE_URL}/actions/request_amendment",
            nonce="n",
            form="reason",
        ),
    ),
    files=FilesView(case_id=CASE_ID, studies=STUDIES, viewer_url=f"{CASE_URL}/images"),
    chat=ChatView(case_id=CASE_ID, post_url=f"{CASE_URL}/messages"),
    timeline=(
        TimelineEntry(
            what="Signed the report",
            who="Dr Jonas Weber",
            when=before(hours=18),
            icon="signed",
            tone="ok",
            note="version 2, approved by Dr Priya Raman",
        ),
        *TIMELINE[1:],
    ),
)
