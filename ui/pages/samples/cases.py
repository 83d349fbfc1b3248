"""Sample cases, worklists and board."""

from datetime import timedelta
from typing import Final

from schemas.lifecycle import State
from ui.pages.samples.base import (
    MARSH,
    NOT_STARTED,
    STOPPED,
    WEBER,
    after,
    before,
    paused,
    running,
)
from ui.pages.samples.reports import REPORT_WITH_ADDENDUM
from ui.views import (
    Action,
    BoardBand,
    BoardView,
    CaseGroup,
    CaseRow,
    CaseView,
    ChatView,
    FilesView,
    Filter,
    FormState,
    Message,
    Option,
    PoolView,
    Step,
    StudyView,
    TimelineEntry,
    UploadProblem,
    Wait,
    WorklistView,
    state_chip,
)

_H = timedelta(hours=1)
_ROUTINE, _URGENT, _STAT = 48 * _H, 8 * _H, _H
CASE_ID: Final = "case_sample"
CASE_URL: Final = f"/cases/{CASE_ID}"

QUESTION_WAIT: Final = Wait(
    sentence="Waiting for you: a lateral view of 38 is missing.",
    since=before(hours=2, minutes=10),
    until=after(days=3, hours=5),
    then="the case goes back to Dr Weber as it is",
    yours=True,
)
READING_WAIT: Final = Wait(
    sentence="Waiting for Dr Weber's report.", since=before(hours=3), until=after(hours=2, minutes=25)
)
OFFER_WAIT: Final = Wait(
    sentence="Waiting for you to accept the case.",
    since=before(minutes=22),
    until=after(minutes=38),
    then="it is offered to another radiologist",
    yours=True,
)
RELEASE_WAIT: Final = Wait(
    sentence="Waiting for you to release the signed report to the patient.", since=before(hours=18), yours=True
)
SYSTEM_WAIT: Final = Wait(sentence="The images are being checked.", since=before(minutes=1))
POOL_WAIT: Final = Wait(
    sentence="Waiting for the scheduler: no radiologist is assigned yet.",
    since=before(minutes=34),
    until=after(hours=1),
)
LATE_WAIT: Final = Wait(
    sentence="Waiting for Dr Raman's approval.",
    since=before(hours=9),
    until=before(minutes=40),
    then="the scheduler is told",
    late=True,
)

MINE_NEXT: Final = (
    CaseRow(
        id="c1",
        url="/styleguide/pages/case-question",
        number="HL-2418",
        patient="Amara Okafor",
        about="34 y, female",
        purpose="Impacted teeth",
        modality="CBCT",
        teeth=("38", "48"),
        chip=state_chip(State.MODIFICATION_REQUESTED),
        wait=QUESTION_WAIT,
        clock=paused(21 * _H, "practice"),
        changed=before(hours=2),
        unread=2,
    ),
    CaseRow(
        id="c2",
        url="/styleguide/pages/case-signed",
        number="HL-2411",
        patient="Tomasz Zieliński",
        about="58 y, male",
        purpose="Implant planning",
        modality="CBCT",
        teeth=("36",),
        chip=state_chip(State.SIGNED),
        wait=RELEASE_WAIT,
        clock=STOPPED,
        changed=before(hours=18),
    ),
    CaseRow(
        id="c3",
        url="/styleguide/pages/case-attention",
        number="HL-2420",
        patient="Mateo Rivas",
        about="11 y, male",
        purpose="Trauma",
        modality="Intraoral",
        teeth=("11", "21"),
        priority="urgent",
        chip=state_chip(State.ATTENTION),
        wait=Wait(
            sentence="Waiting for you: two images name another patient. Replace them, or confirm that they are right.",
            since=before(minutes=12),
            yours=True,
        ),
        clock=paused(7 * _H, "practice"),
        changed=before(minutes=12),
    ),
)
UNDER_WAY: Final = (
    CaseRow(
        id="c4",
        url="/styleguide/pages/case-reading",
        number="HL-2416",
        patient="Ingrid Sørensen",
        about="47 y, female",
        purpose="Endodontics",
        modality="CBCT",
        teeth=("26",),
        priority="urgent",
        chip=state_chip(State.IN_REVIEW),
        wait=READING_WAIT,
        clock=running(timedelta(hours=2, minutes=25), _URGENT),
        changed=before(hours=3),
        radiologist="Dr Jonas Weber",
    ),
    CaseRow(
        id="c5",
        url="/styleguide/pages/case-reading",
        number="HL-2421",
        patient="Lena Brandt",
        about="29 y, female",
        purpose="Temporomandibular joints",
        modality="CBCT",
        chip=state_chip(State.UNASSIGNED),
        wait=POOL_WAIT,
        clock=running(timedelta(hours=46), _ROUTINE),
        changed=before(minutes=34),
    ),
    CaseRow(
        id="c6",
        url="/styleguide/pages/case-draft",
        number="HL-2422",
        patient="George Whitcombe-Lancaster",
        about="71 y, male",
        purpose="Pathology",
        modality="Panoramic",
        chip=state_chip(State.PROCESSING),
        wait=SYSTEM_WAIT,
        clock=running(timedelta(hours=47, minutes=58), _ROUTINE),
        changed=before(minutes=1),
    ),
)
FINISHED: Final = (
    CaseRow(
        id="c7",
        url="/styleguide/pages/case-signed",
        number="HL-2399",
        patient="Noor Haddad",
        about="22 y, female",
        purpose="Orthodontics",
        modality="Cephalometric",
        chip=state_chip(State.RELEASED),
        clock=STOPPED,
        changed=before(days=2),
    ),
    CaseRow(
        id="c8",
        url="/styleguide/pages/case-signed",
        number="HL-2387",
        patient="Piotr Nowak",
        about="63 y, male",
        purpose="Airway",
        modality="CBCT",
        chip=state_chip(State.CLOSED),
        clock=STOPPED,
        changed=before(days=31),
    ),
)

WORKLIST: Final = WorklistView(
    groups=(
        CaseGroup(title="Waiting for you", rows=MINE_NEXT, due=True),
        CaseGroup(title="Under way", rows=UNDER_WAY),
        CaseGroup(title="Finished", rows=FINISHED, total=148, more_url="/?show=finished"),
    ),
    filters=(
        Filter(word="Open", url="/", total=6, current=True),
        Filter(word="Drafts", url="/?show=drafts", total=2),
        Filter(word="Finished", url="/?show=finished", total=148),
    ),
)


def _row(  # noqa: PLR0917 - a table reads best as a table
    number: str, who: str, about: str, study: str, purpose: str, teeth: str, state: State, left: float, target: timedelta,
    practice: str = "Harbour Lane Dental", action: str = "", wait: Wait | None = None, reader: str = "",
) -> CaseRow:  # fmt: skip
    clock = running(timedelta(minutes=left), target)
    if state is State.MODIFICATION_REQUESTED:
        clock = paused(timedelta(minutes=left), "practice")
    return CaseRow(
        id=number,
        url="/styleguide/pages/reading",
        number=number,
        patient=who,
        about=about,
        modality=study,
        purpose=purpose,
        teeth=tuple(teeth.split()),
        priority={_STAT: "stat", _URGENT: "urgent"}.get(target, "routine"),
        chip=state_chip(state),
        wait=wait,
        clock=clock,
        practice=practice,
        radiologist=reader,
        changed=before(hours=1),
        action=action,
        action_url=f"/cases/{number}/actions/{action.lower()}" if action else "",
        nonce=f"n-{number}",
    )


_READ = Wait(sentence="Waiting for your report.", yours=True)
_ASKED = Wait(sentence="Waiting for the practice: a lateral view of 38 is missing.")
_NORTH = "Northfield Endodontics"

POOL: Final = PoolView(
    tabs=(
        Filter(word="Mine", url="/", total=9, current=True),
        Filter(word="Pool", url="/?tab=pool", total=14),
        Filter(word="To approve", url="/?tab=approve", total=1),
        Filter(word="Signed", url="/?tab=signed"),
    ),
    groups=(
        CaseGroup(
            title="Offered to you",
            rows=(
                _row("HL-2424", "Rosa Lindqvist", "19 y, F", "Intraoral", "Trauma", "11 21", State.ASSIGNED, 24, _STAT,
                     action="Accept", wait=OFFER_WAIT),
                _row("NF-0871", "Samuel Adeyemi", "41 y, M", "CBCT 50×50", "Endodontics", "46", State.ASSIGNED, 390, _URGENT,
                     _NORTH, "Accept", OFFER_WAIT),
            ),
        ),
        CaseGroup(
            title="To read",
            rows=(
                _row("HL-2409", "Bernard Achterberg", "66 y, M", "Panoramic", "Pathology", "", State.IN_REVIEW, -72, _URGENT, wait=_READ),
                _row("HL-2416", "Ingrid Sørensen", "47 y, F", "CBCT 80×80", "Endodontics", "26", State.IN_REVIEW, 85, _URGENT, wait=_READ),
                _row("NF-0866", "Wei Chen", "38 y, F", "CBCT 50×50", "Endodontics", "14 15", State.IN_REVIEW, 1020, _ROUTINE, _NORTH, wait=_READ),
                _row("HL-2405", "Fatima Zahra El Idrissi", "54 y, F", "CBCT 160×100", "Implant planning", "45 46 47", State.IN_REVIEW, 1510, _ROUTINE, wait=_READ),
                _row("HL-2402", "Oliver Grant", "16 y, M", "CBCT 80×80", "Impacted teeth", "13 23", State.IN_REVIEW, 2210, _ROUTINE, wait=_READ),
            ),
        ),
        CaseGroup(
            title="Waiting for others",
            rows=(
                _row("HL-2418", "Amara Okafor", "34 y, F", "CBCT 80×80", "Impacted teeth", "38 48", State.MODIFICATION_REQUESTED, 1260, _ROUTINE, wait=_ASKED),
                _row("NF-0859", "Hugo Martin", "44 y, M", "CBCT 50×50", "Endodontics", "36", State.AWAITING_APPROVAL, 240, _URGENT, _NORTH, wait=LATE_WAIT),
            ),
        ),
    ),
)  # fmt: skip

READERS: Final = (
    Option(value="weber", word="Dr Jonas Weber", hint="5 open"),
    Option(value="raman", word="Dr Priya Raman", hint="3 open"),
    Option(value="okada", word="Dr Yuki Okada", hint="1 open"),
)
BOARD: Final = BoardView(
    bands=(
        BoardBand(key="over", word="Over target", icon="attention", tone="bad", total=1),
        BoardBand(key="risk", word="At risk", icon="attention", tone="warn", total=2),
        BoardBand(key="fine", word="On track", icon="check", tone="ok", total=21),
        BoardBand(key="paused", word="Paused", icon="pause", tone="quiet", total=3),
    ),
    groups=(
        CaseGroup(title="Over target", rows=(
            _row("HL-2409", "", "66 y, M", "Panoramic", "Pathology", "", State.IN_REVIEW, -72, _URGENT, action="Reassign", wait=READING_WAIT, reader="Dr Jonas Weber"),
        )),
        CaseGroup(title="At risk", rows=(
            _row("HL-2424", "", "19 y, F", "Intraoral", "Trauma", "11 21", State.ASSIGNED, 9, _STAT, action="Reassign", wait=Wait(sentence="Waiting for Dr Weber to accept the case."), reader="Dr Jonas Weber"),
            _row("HL-2416", "", "47 y, F", "CBCT 80×80", "Endodontics", "26", State.IN_REVIEW, 85, _URGENT, action="Reassign", wait=READING_WAIT, reader="Dr Jonas Weber"),
        )),
        CaseGroup(title="On track", total=21, rows=(
            _row("NF-0871", "", "41 y, M", "CBCT 50×50", "Endodontics", "46", State.UNASSIGNED, 390, _URGENT, _NORTH, "Assign", POOL_WAIT),
            _row("HL-2421", "", "29 y, F", "CBCT 160×100", "Temporomandibular joints", "", State.UNASSIGNED, 2760, _ROUTINE, "Harbour Lane Dental", "Assign", POOL_WAIT),
            _row("NF-0866", "", "38 y, F", "CBCT 50×50", "Endodontics", "14 15", State.IN_REVIEW, 1020, _ROUTINE, _NORTH, "Reassign", READING_WAIT, "Dr Priya Raman"),
            _row("HL-2405", "", "54 y, F", "CBCT 160×100", "Implant planning", "45 46 47", State.IN_REVIEW, 1510, _ROUTINE, "Harbour Lane Dental", "Reassign", READING_WAIT, "Dr Yuki Okada"),
        )),
        CaseGroup(title="Paused", total=3, rows=(
            _row("HL-2418", "", "34 y, F", "CBCT 80×80", "Impacted teeth", "38 48", State.MODIFICATION_REQUESTED, 1260, _ROUTINE, wait=_ASKED, reader="Dr Jonas Weber"),
        )),
    ),
    readers=READERS,
)  # fmt: skip

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
    return CaseView(**(values | change))  # type: ignore[arg-type]


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
                text="Programs are not taken. Add DICOM, JPEG, PNG, PDF or ZIP files.",
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
            state=FormState(values={"recipient": "t.zielinski@example.test"}),
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
