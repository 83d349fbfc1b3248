"""The styleguide: every component in every state, and every page with invented content. Embedded mode only.

The sample pages are rendered from the same templates and view models as the real ones, so that a look at them, an axe run or
a screenshot speaks for the product.
"""

from dataclasses import replace
from typing import Any, Final, get_args

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import HTMLResponse, Response

from api.deps import policy
from infra.settings import get_settings
from schemas.image_series import OtherGeometry
from schemas.lifecycle import State
from ui.pages.reading import LABELS
from ui.pages.samples import arranged, base, cases, lists, people, waits
from ui.pages.samples.pictures import PICTURES
from ui.templating import render
from ui.views import Page, PoolView, Toast, WorklistView, state_chip
from ui.views.shell import Theme

EDITOR_LABELS: Final = LABELS


@policy("public")
def _embedded_only() -> None:
    if get_settings().mode != "embedded":
        raise HTTPException(status_code=404)


router: Final = APIRouter(
    prefix="/styleguide",
    dependencies=[Depends(_embedded_only)],
    include_in_schema=False,
    default_response_class=HTMLResponse,
)


def _new_case_errors() -> dict[str, str]:
    return {
        "clinical_question": "Write what the reader should answer.",
        "consent": "Confirm that the patient agrees.",
    }


def _samples() -> dict[str, tuple[str, Page, Any]]:
    """Name → template, shell, view."""
    dentist = base.page("Cases", "dentist", "cases")
    patients = base.page("Patients", "dentist", "patients")
    reader = base.page("Reading list", "radiologist", "reading")
    admin = base.page("Audit trail", "admin", "audit")
    patient = base.plain_page("Your report", "patient")
    guest = base.plain_page("Sign in")
    pages: dict[str, tuple[str, Page, Any]] = {
        "sign-in": ("pages/sign_in.html", guest, people.SIGN_IN),
        "sign-in-wrong": ("pages/sign_in.html", guest, people.SIGN_IN_WRONG),
        "worklist": ("pages/worklist.html", dentist, lists.WORKLIST),
        "worklist-undo": (
            "pages/worklist.html",
            replace(dentist, toast=Toast(text="Case HL-2423 was cancelled.", undo_url="/x")),
            replace(lists.WORKLIST, groups=(replace(lists.WORKLIST.groups[0], rows=()), *lists.WORKLIST.groups[1:])),
        ),
        "worklist-empty": ("pages/worklist.html", dentist, WorklistView(groups=())),
        "patients": ("pages/patients.html", patients, people.PATIENTS),
        "patients-none": ("pages/patients.html", patients, people.PATIENTS_NONE),
        "patient": ("pages/patient.html", patients, people.PATIENT),
        "new-case": ("pages/new_case.html", patients, people.new_case()),
        "new-case-errors": ("pages/new_case.html", patients, people.new_case(_new_case_errors())),
        "case-draft": ("pages/case.html", dentist, cases.CASE_DRAFT),
        "case-arranged": ("pages/case.html", dentist, arranged.CASE_ARRANGED),
        "arrange": ("pages/arrange.html", base.page("Edit images or file", "dentist", "cases"), arranged.ARRANGE),
        "heading": ("pages/file_group.html", base.page("Edit heading", "dentist", "cases"), arranged.GROUP),
        "series": ("pages/series.html", base.page("Images in series", "dentist", "cases"), arranged.SERIES),
        "series-refused": (
            "pages/series.html",
            base.page("Images in series", "dentist", "cases"),
            replace(arranged.SERIES, problem=OtherGeometry.title, chosen=frozenset({"sty_9"}), target="ser_1"),
        ),
        "case-attention": ("pages/case.html", dentist, cases.CASE_ATTENTION),
        "case-question": ("pages/case.html", dentist, cases.CASE_QUESTION),
        "case-reading": ("pages/case.html", dentist, cases.CASE_READING),
        "case-signed": ("pages/case.html", dentist, cases.CASE_SIGNED),
        "reading-list": ("pages/pool.html", reader, lists.POOL),
        "reading-list-empty": ("pages/pool.html", reader, PoolView(tabs=lists.POOL.tabs, groups=())),
        "reading": ("pages/reading.html", base.page("Ingrid Sørensen", "radiologist"), people.READING),
        "board": ("pages/board.html", base.page("Board", "scheduler", "board"), lists.BOARD),
        "users": ("pages/users.html", base.page("Users", "admin", "users"), people.USERS),
        "user": ("pages/user.html", base.page("Dr Jonas Weber", "admin", "users"), people.USER),
        "audit": ("pages/audit.html", admin, people.AUDIT),
        "welcome": ("pages/welcome.html", base.plain_page("Choose your password"), people.WELCOME),
        "welcome-over": ("pages/welcome.html", base.plain_page("Choose your password"), people.WELCOME_OVER),
        "resume": ("pages/resume.html", guest, people.RESUME),
        "mailbox": ("pages/mailbox.html", base.page("Mailbox", "admin", "mailbox"), people.MAILBOX),
    }
    for stage in ("birth_date", "wrong", "code", "open", "expired", "locked", "revoked"):
        pages[f"portal-{stage}"] = ("pages/portal.html", patient, people.portal(stage))
    for name, error in people.ERRORS.items():
        pages[f"error-{name}"] = ("pages/error.html", base.plain_page(error.title), error)
    return pages


SAMPLES: Final = _samples()


@router.get("")
def components(theme: str = "auto") -> HTMLResponse:
    """All components in all states."""
    page = replace(base.page("Styleguide", "dentist"), theme=_theme(theme))
    return HTMLResponse(
        render(
            "pages/styleguide.html",
            page.reader,
            page=page,
            chips=[state_chip(state) for state in State],
            cases=cases,
            lists=lists,
            waits=waits,
            people=people,
            base=base,
            names=sorted(SAMPLES),
        )
    )


@router.get("/pages/{name}")
def sample_page(name: str, theme: str = "auto") -> HTMLResponse:
    """One page with invented content."""
    if name not in SAMPLES:
        raise HTTPException(status_code=404)
    template, page, view = SAMPLES[name]
    shown = replace(page, theme=_theme(theme))
    return HTMLResponse(render(template, page.reader, page=shown, view=view, labels=EDITOR_LABELS))


@router.get("/images/{name}.svg")
def picture(name: str) -> Response:
    if name not in PICTURES:
        raise HTTPException(status_code=404)
    return Response(PICTURES[name](), media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=3600"})


def _theme(wanted: str) -> Theme:
    return next((theme for theme in get_args(Theme) if theme == wanted), "auto")
