"""Sample patients, forms, users, audit rows, mails, portal, errors."""

from datetime import date, timedelta
from typing import Final

from schemas.clinical import PREGNANCY_LABELS, PURPOSE_LABELS, REGION_LABELS, SEX_LABELS, Pregnancy
from schemas.lifecycle import State
from ui.pages.samples.base import COSTA, LIND, MARSH, OBI, RAMAN, WEBER, after, before, running
from ui.pages.samples.cases import CASE_URL, CHAT, STUDIES
from ui.pages.samples.lists import FINISHED, MINE_NEXT
from ui.pages.samples.reports import DRAFT, REPORT, SAVED_AT
from ui.pages.samples.waits import OFFER_WAIT
from ui.views import (
    Action,
    AuditRow,
    AuditView,
    Chip,
    DocumentGroup,
    DocumentRow,
    DocumentsView,
    Duplicate,
    ErrorPage,
    FormState,
    MailboxView,
    MailView,
    NewCaseView,
    Option,
    PatientRow,
    PatientsView,
    PatientView,
    PortalView,
    ReadingView,
    ResumeView,
    SignInView,
    UserRow,
    UsersView,
    state_chip,
)
from ui.views.admin import RegistrationRow, RegistrationsView, RoleForm, UserPageView, WelcomeView

SEXES: Final = tuple(Option(value=sex, word=word) for sex, word in SEX_LABELS.items())
PATIENTS: Final = PatientsView(
    rows=(
        PatientRow(url="/styleguide/pages/patient", name="Amara Okafor", born=date(1992, 3, 14), sex="Female", number="10442", cases=3, last=before(hours=2), waiting="1 waits"),
        PatientRow(url="/styleguide/pages/patient", name="Lena Brandt", born=date(1997, 7, 2), sex="Female", number="10518", cases=1, last=before(minutes=34)),
        PatientRow(url="/styleguide/pages/patient", name="Mateo Rivas", born=date(2015, 2, 2), sex="Male", number="10533", cases=1, last=before(minutes=12), waiting="1 waits"),
        PatientRow(url="/styleguide/pages/patient", name="Ingrid Sørensen", born=date(1979, 8, 30), sex="Female", number="09871", cases=5, last=before(hours=3)),
        PatientRow(url="/styleguide/pages/patient", name="George Whitcombe-Lancaster", born=date(1955, 5, 19), sex="Male", number="07210", cases=12, last=before(days=4)),
        PatientRow(url="/styleguide/pages/patient", name="Tomasz Zieliński", born=date(1968, 1, 9), sex="Male", number="10021", cases=2, last=before(hours=18)),
    ),
    sexes=SEXES,
    total=412,
    next_url="/patients?after=x",
)  # fmt: skip
PATIENTS_NONE: Final = PatientsView(rows=(), search=FormState(values={"q": "Okafro"}), sexes=SEXES)
PATIENT: Final = PatientView(
    id="pat_sample",
    name="Amara Okafor",
    born=date(1992, 3, 14),
    age="34 y",
    sex="Female",
    number="10442",
    email="amara.okafor@example.test",
    phone="+44 20 7946 0958",
    alerts=("Penicillin allergy",),
    new_case_url="/styleguide/pages/new-case",
    edit=FormState(
        values={
            "given_name": "Amara",
            "family_name": "Okafor",
            "birth_date-day": "14",
            "birth_date-month": "3",
            "birth_date-year": "1992",
            "sex": "female",
            "email": "amara.okafor@example.test",
            "phone": "+44 20 7946 0958",
        }
    ),
    sexes=SEXES,
    cases=(MINE_NEXT[0], *FINISHED),
    duplicates=(
        Duplicate(
            name="Amara Okafor-Bello",
            born=date(1992, 3, 14),
            url="/patients/x",
            why="Same birth date and phone number.",
            merge_url="/patients/x/not-same",
            nonce="n",
        ),
    ),
    documents=DocumentsView(
        patient_id="pat_sample",
        groups=(
            DocumentGroup(rows=(
                DocumentRow(id="fil_2", name="Consent, signed.jpg", detail="Photograph", size=2_400_000, day="3 Nov 2026", state="checking", is_photo=True, added_by=MARSH.name, nonce="n", edit_url="/files/2", move_url="/files/2/move", remove_url="/files/2/remove"),
                DocumentRow(id="fil_3", name="CT 0001", detail="File", size=524_000, day="2 Nov 2026", state="problem", added_by=MARSH.name, problem="Images for a report belong to a case: please add them there. Kept here are PDF and photographs (JPEG, PNG, TIFF, WebP, HEIC).", nonce="n", edit_url="/files/3", move_url="/files/3/move", remove_url="/files/3/remove"),
            )),
            DocumentGroup(id="grp_1", name="Before treatment", edit_url="/x", rows=(
                DocumentRow(id="fil_1", name="Treatment plan.pdf", detail="Document", description="As discussed on 3 November; the second quadrant comes first.", teeth=("24", "25"), size=184_000, day="3 Nov 2026", state="ready", added_by=MARSH.name, url="/files/1", nonce="n", edit_url="/files/1", move_url="/files/1/move", remove_url="/files/1/remove"),
            )),
        ),
        arrange_url="/api/v1/patients/pat_sample/arrangement",
        of_cases=(DocumentRow(id="fil_4", name="Referral letter.pdf", detail="Document", size=92_000, day="12 Mar 2024", state="ready", url="/files/4", case_number="R2403120418", case_url=CASE_URL),),
        upload_url="/api/v1/uploads",
        max_bytes=50_000_000,
    ),
)  # fmt: skip

_PRIORITIES = (
    Option(value="routine", word="Routine", hint="Report within 48 h of business time"),
    Option(value="urgent", word="Urgent", hint="Report within 8 h"),
    Option(value="stat", word="Stat", hint="Report within 1 h; the group is called"),
)
_NEW_VALUES = {
    "purpose": "impaction",
    "teeth": ["38", "48"],
    "history": "Two episodes of pericoronitis lower left in 2026.",
    "priority": "routine",
    "referrer": "Dr Helen Marsh",
    "pregnancy": "not_pregnant",
}


def new_case(errors: dict[str, str] | None = None) -> NewCaseView:
    return NewCaseView(
        heading="New case",
        url="/patients/pat_sample/new-case",
        patient="Amara Okafor",
        patient_url="/styleguide/pages/patient",
        about="34 y, female",
        form=FormState(values=_NEW_VALUES, errors=errors or {}, nonce="n"),
        purposes=tuple(Option(value=key, word=word) for key, word in PURPOSE_LABELS.items()),
        regions=tuple(Option(value=key, word=word) for key, word in REGION_LABELS.items()),
        pregnancies=tuple(
            Option(value=key, word=word) for key, word in PREGNANCY_LABELS.items() if key != Pregnancy.NOT_APPLICABLE
        ),
        priorities=_PRIORITIES,
        ask_pregnancy=True,
        tooth_labels={},
    )


READING: Final = ReadingView(
    case_id="case_sample",
    number="HL-2416",
    patient="Ingrid Sørensen",
    about="47 y, F, born 30 Aug 1979",
    purpose="Endodontics, 26",
    question="Persistent pain at 26 two years after treatment. Missed canal or fracture?",
    history="Root canal treatment in 2024. Percussion positive, no swelling, probing 3 mm all round.",
    case_url=CASE_URL,
    chip=state_chip(State.IN_REVIEW),
    clock=running(timedelta(minutes=85), timedelta(hours=8)),
    wait=OFFER_WAIT,
    series=STUDIES,
    study_uid="1.2.826.0.1.3680043.8.498.1",
    series_url="",
    dicomweb_url="/cases/case_sample/dicomweb",
    annotations_url="/api/v1/cases/case_sample/annotations",
    report=DRAFT,
    version=1,
    draft_url="/api/v1/cases/case_sample/report/draft",
    etag='"1"',
    saved_at=SAVED_AT,
    checks=tuple(item.sentence for item in DRAFT.missing_for_signature()),
    sign=Action(
        name="sign", word="Sign report", url=f"{CASE_URL}/actions/sign", nonce="n", kind="primary", icon="signed", form="sign"
    ),
    actions=(
        Action(name="request_modification", word="Ask the practice", url=f"{CASE_URL}/actions/request_modification", nonce="n", icon="question", form="question"),
        Action(name="submit_for_approval", word="Submit for approval", url=f"{CASE_URL}/actions/submit_for_approval", nonce="n", icon="approval", form="sign"),
        Action(name="reject", word="Reject case", url=f"{CASE_URL}/actions/reject", nonce="n", kind="danger", icon="stop", form="reason"),
    ),
    chat=CHAT,
    prior=(("Panoramic, 12 Mar 2024", "/cases/prior"),),
    window_url=f"{CASE_URL}/images?window=second",
)  # fmt: skip

SIGN_IN: Final = SignInView(
    form=FormState(nonce=""),
    demo=(MARSH, WEBER, RAMAN, COSTA, LIND),
    demo_emails=("dentist@demo.test", "radiologist@demo.test", "radiologist2@demo.test", "scheduler@demo.test", "admin@demo.test"),
)  # fmt: skip
SIGN_IN_WRONG: Final = SignInView(
    form=FormState(
        values={"email": "dentist@demo.test"},
        errors={"password": "Email or password is not right. Check both and try again."},
    ),
    next_url="/cases/case_sample",
    notice="Your session has ended. Sign in to go on where you were.",
    ask_code=True,
)

_ACTIVE, _OFF = Chip(icon="check", word="Active", tone="ok"), Chip(icon="stop", word="Disabled", tone="quiet")
USERS: Final = UsersView(
    url="/admin/users",
    rows=(
        UserRow(id="u1", person=MARSH, email="dentist@demo.test", organization="Harbour Lane Dental", roles="Dentist, owner", chip=_ACTIVE, last_seen=before(minutes=4), url="/x", toggle_url="/x", toggle_word="Disable"),
        UserRow(id="u2", person=OBI, email="chidi.obi@example.test", organization="Harbour Lane Dental", roles="Staff", chip=Chip(icon="mail", word="Invited", tone="info"), last_seen=None, url="/x", toggle_url="/x", toggle_word="Disable"),
        UserRow(id="u3", person=WEBER, email="radiologist@demo.test", organization="Meridian Oral Radiology", roles="Radiologist", chip=_ACTIVE, last_seen=before(minutes=1), url="/x", toggle_url="/x", toggle_word="Disable"),
        UserRow(id="u4", person=RAMAN, email="radiologist2@demo.test", organization="Meridian Oral Radiology", roles="Radiologist, approver", chip=_ACTIVE, last_seen=before(hours=2), url="/x", toggle_url="/x", toggle_word="Disable"),
        UserRow(id="u5", person=COSTA, email="scheduler@demo.test", organization="Meridian Oral Radiology", roles="Scheduler", chip=_OFF, last_seen=before(days=40), url="/x", toggle_url="/x", toggle_word="Enable"),
        UserRow(id="u6", person=LIND, email="admin@demo.test", organization="Platform", roles="Admin", chip=_ACTIVE, last_seen=before(minutes=1)),
    ),
    roles=tuple(Option(value=word.lower(), word=word) for word in ("Dentist", "Staff", "Radiologist", "Scheduler")),
    organizations=(Option(value="a", word="Harbour Lane Dental"), Option(value="b", word="Meridian Oral Radiology")),
)  # fmt: skip
USER: Final = UserPageView(
    row=USERS.rows[2],
    list_url="/styleguide/pages/users",
    created=before(days=420),
    memberships=(
        RoleForm(
            organization="Meridian Oral Radiology",
            url="/x",
            form=FormState(values={"role": "radiologist"}),
            roles=(Option(value="radiologist", word="Radiologist"), Option(value="scheduler", word="Scheduler")),
            can_approve=True,
        ),
    ),
    registrations=RegistrationsView(
        rows=(
            RegistrationRow(id="r1", jurisdiction="GB", number="GDC 204178", valid_until=date(2027, 12, 31), chip=Chip(icon="check", word="Valid", tone="ok"), form=FormState(values={"number": "GDC 204178", "valid_until-day": "31", "valid_until-month": "12", "valid_until-year": "2027"}), url="/x"),
            RegistrationRow(
                id="r2",
                jurisdiction="US-CA",
                number="OMR 40312",
                valid_until=date(2026, 6, 30),
                chip=Chip(icon="clock", word="Lapsed", tone="warn"),
                form=FormState(values={"number": "OMR 40312", "valid_until-day": "31", "valid_until-month": "6", "valid_until-year": "2028"}, errors={"valid_until": "Write the last day with day, month and year, or leave all three empty."}),
                url="/x",
            ),
        ),
        add_url="/x",
    ),
)  # fmt: skip
_DONE = Chip(icon="check", word="Done", tone="ok")
_REFUSED = Chip(icon="stop", word="Refused", tone="bad")
AUDIT: Final = AuditView(
    rows=(
        AuditRow(seq=9, when=before(minutes=1), who="Erik Lind", role="admin", act="Read the audit trail", outcome=_DONE, link="9c1f 02ab"),
        AuditRow(seq=8, when=before(hours=2, minutes=10), who="Dr Jonas Weber", role="radiologist", act="Asked the practice", outcome=_DONE, case_number="HL-2418", case_url="/admin/audit?case=x", link="77d0 41e9"),
        AuditRow(seq=7, when=before(hours=3), who="Dr Grace Tan", role="dentist", act="Tried to open a case", detail="another practice's", outcome=_REFUSED, case_number="HL-2418", case_url="/admin/audit?case=x", link="0be2 c8f3"),
        AuditRow(seq=6, when=before(hours=3, minutes=40), who="Dr Jonas Weber", role="radiologist", act="Accepted the case", outcome=_DONE, case_number="HL-2418", case_url="/admin/audit?case=x", link="5a19 7710"),
        AuditRow(seq=5, when=before(hours=4, minutes=3), who="Dr Helen Marsh", role="dentist", act="Submitted the case", outcome=_DONE, case_number="HL-2418", case_url="/admin/audit?case=x", link="e340 91bd"),
        AuditRow(seq=4, when=before(days=1), who="OdontoFlow", role="system", act="Sent a mail", detail="release link", outcome=_DONE, case_number="HL-2399", case_url="/admin/audit?case=x", link="18c4 f65e"),
    ),
    chain=Chip(icon="link", word="Chain whole", tone="ok", reason="12,480 acts"),
    anchored=before(minutes=3),
    next_url="/admin/audit?before=4",
    trace_url="http://127.0.0.1:8233/namespaces/default/workflows/case-sample",
)  # fmt: skip

_PRACTICE = "Harbour Lane Dental"
_PHONE = "+44 20 7946 0111"


def portal(stage: str) -> PortalView:
    """The portal at a stage; before ``open`` it says no more than the practice's name."""
    wrong = (
        {"birth_date": "Enter the date of birth as day, month and year, such as 31 3 1980."} if stage == "wrong" else {}
    )
    is_open = stage == "open"
    return PortalView(
        stage="birth_date" if stage == "wrong" else stage,  # type: ignore[arg-type] # a name of the sample
        url="/r/sample",
        practice="" if stage == "revoked" else _PRACTICE,
        practice_phone="" if stage == "revoked" else _PHONE,
        form=FormState(
            errors=wrong,
            values={"birth_date-day": "9", "birth_date-month": "1", "birth_date-year": "1986"} if wrong else {},
        ),
        patient="Tomasz Zieliński" if is_open else "",
        report=REPORT if is_open else None,
        images=STUDIES if is_open else (),
        expires=after(days=13) if is_open else None,
        dentist="Dr Helen Marsh" if is_open else "",
    )


MAILBOX: Final = MailboxView(
    mails=(
        MailView(id="1", url="#1", to="t.zielinski@example.test", subject="Your report from Harbour Lane Dental", when=before(minutes=5)),
        MailView(id="2", url="#2", to="t.zielinski@example.test", subject="Your code for the report", when=before(minutes=4)),
        MailView(id="3", url="#3", to="dentist@demo.test", subject="A radiologist asks: case HL-2418", when=before(hours=2)),
    ),
    open=MailView(
        id="1",
        url="#1",
        to="t.zielinski@example.test",
        subject="Your report from Harbour Lane Dental",
        when=before(minutes=5),
        body="Hello,\n\nyour dentist has released a report for you. Open it with the link below and your date of birth.\n"
        "The link works until 8 December 2026.\n\nHarbour Lane Dental\n+44 20 7946 0111",
        links=("/r/sample",),
    ),
)  # fmt: skip

ERRORS: Final = {
    "404": ErrorPage(status=404, icon="search", title="There is nothing here", text="The address may be mistyped, or this is not yours to see.", actions=(("Go to your cases", "/"),)),
    "403": ErrorPage(status=403, icon="lock", title="This step belongs to someone else", text="You may see this case, but only its radiologist can sign the report.", actions=(("Back to the case", "/"),)),
    "409": ErrorPage(status=409, icon="history", title="The case has moved on", text="While this page was open, Dr Weber signed the report. Nothing of what you did was lost or done twice.", actions=(("Show the case as it is now", "/"),)),
    "503": ErrorPage(status=503, icon="attention", title="The case engine cannot be reached", text="Nothing was done and nothing is lost. Please try again in a moment; reading works meanwhile.", actions=(("Try again", "/"),), code="cmd_7f3a"),
    "session": ErrorPage(status=401, icon="lock", title="Your session has ended", text="For your patients' safety you are signed out after an hour without use. What you typed is kept.", actions=(("Sign in", "/sign-in"),)),
    "offline": ErrorPage(status=0, icon="offline", title="You are offline", text="This page cannot be loaded now. Reports that you are writing are kept and sent when the connection is back.", actions=(("Try again", "/"),)),
}  # fmt: skip

WELCOME: Final = WelcomeView(url="/welcome/sample", email="l.marsh@example.test")
WELCOME_OVER: Final = WelcomeView(url="/welcome/sample", email="")
RESUME: Final = ResumeView(url="/cases/sample/messages", back_url="/", kept=(("text", "The lateral view follows."),))
