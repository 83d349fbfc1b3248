"""The reading page: the viewer beside the report editor; and the images in a window of their own."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import ValidationError

from activities.records.commands import APPLIED
from api.case_facts import Part, case_facts
from api.deps import CaseDep, ServicesDep, SessionsDep, require
from api.patients import EditedMeanwhile
from api.reports import read_draft, save_draft
from api.routes.reports import EditDraft
from api.services import Services
from api.standing import CaseAccess
from schemas.access import Right
from schemas.errors import InvalidInput, NotFound
from schemas.report_parts import (
    CRITICALITY_LABELS,
    METHOD_LABELS,
    MODALITY_LABELS,
    QUALITY_LABELS,
    REGION_STATUS_LABELS,
    RegionStatus,
)
from schemas.tables.case import CaseCommand
from schemas.translation import N_
from ui.assemble.case_actions import Tried
from ui.assemble.case_rows import about_known, case_url
from ui.assemble.reading import Typed, images_page, key_image_choices, reading_page
from ui.assemble.report_form import draft_of_form
from ui.pages.answers import answer, see_other
from ui.pages.shell import Shell, ShellDep
from ui.pages.steps import ActedOn, give_command, out_of_sight, place_after, reload_case, reload_tried
from ui.pages.typed import TypedDep

router: Final = APIRouter()

LABELS: Final = {
    "modality": MODALITY_LABELS,
    "quality": QUALITY_LABELS,
    "region": REGION_STATUS_LABELS | {RegionStatus.NOT_IN_FIELD_OF_VIEW: N_("Not in view")},
    "criticality": CRITICALITY_LABELS,
    "method": METHOD_LABELS,
}
_PARTS: Final = frozenset({Part.ACTIONS, Part.MESSAGES})
CHANGED: Final = N_(
    "This draft was changed in another window while you wrote. Yours is shown below. Save again to replace the other one, "
    "or open the page anew to see it."
)

SeeImages = Annotated[CaseAccess, Depends(require(Right.SEE_IMAGES))]


@router.get("/cases/{case_id}/read")
def show_reading(
    access: SeeImages,
    shell: ShellDep,
    services: ServicesDep,
    part: str = "",
    writing: str = "",
    seen: int | None = None,
) -> Response:
    """For whoever may see the draft; others who may see the images get these alone.

    ``writing`` says whether the page that asks for its note lets the person write (yes or no), ``seen`` which set of images
    it shows.
    """
    if not access.may(Right.SEE_DRAFT):
        return see_other(f"/cases/{access.row.id}/images")
    known = part if part in {"state", "note", "key-images"} else ""
    return _reading(services, access, shell, part=known, writing=writing, seen=seen)


@router.post("/cases/{case_id}/report/draft")
def save_by_post(typed: TypedDep, access: EditDraft, shell: ShellDep, services: ServicesDep) -> Response:
    """What the autosave does, for a browser without scripts."""
    revision = typed.number("etag")
    try:
        body = draft_of_form(typed.values, shell.looker.reader.zone)
    except (ValidationError, ValueError) as error:
        where = error.errors() if isinstance(error, ValidationError) else []
        named = ", ".join(dict.fromkeys(".".join(str(part) for part in each["loc"][1:]) for each in where))
        raise InvalidInput(f"Please go back and check: {named}." if named else None) from None
    try:
        with services.database.write() as session:
            save_draft(session, services.keys, access, body, -1 if revision is None else revision)
    except EditedMeanwhile:
        conflict = Typed(body, shell.looker.say(CHANGED))
        return _reading(services, access, shell, typed=conflict, status=EditedMeanwhile.status)
    services.feed.wake()
    return see_other(f"/cases/{access.row.id}/read", done="draft.saved")


@router.get("/cases/{case_id}/report/draft")
def go_to_reading(access: EditDraft) -> Response:
    """The address of the form, asked for anew."""
    return see_other(f"/cases/{access.row.id}/read")


@router.post("/cases/{case_id}/read/actions/{action}")
async def act_at_report(
    action: str, typed: TypedDep, access: ActedOn, shell: ShellDep, services: ServicesDep, sessions: SessionsDep
) -> Response:
    """Takes a step from the reading page; a refusal comes back to it, beside what was read."""
    if isinstance(access, CaseCommand):
        return out_of_sight(access)
    outcome = await give_command(services, sessions, access, shell.looker, action=action, typed=typed)
    if isinstance(outcome, Tried):
        fresh = await reload_tried(services, access, outcome)
        if isinstance(fresh, Response):
            return fresh
        if not (fresh.may(Right.SEE_DRAFT) and fresh.may(Right.SEE_IMAGES)):
            return see_other(f"/cases/{access.row.id}")
        return await asyncio.to_thread(_reading, services, fresh, shell, tried=outcome, status=outcome.status)
    if outcome.outcome != APPLIED:
        return see_other(f"/cases/{access.row.id}/commands/{outcome.id}")
    return see_other(await asyncio.to_thread(_after, services, access, action), done=action)


@router.get("/cases/{case_id}/read/actions/{action}")
def go_back(access: CaseDep) -> Response:
    return see_other(f"/cases/{access.row.id}/read")


@router.get("/cases/{case_id}/images")
def show_images(access: SeeImages, shell: ShellDep, services: ServicesDep) -> Response:
    """The images alone: a second screen, an earlier case, or a dentist's own images."""
    looker = shell.looker
    with services.database.read() as session:
        facts = case_facts(session, services.keys, access, frozenset())
        title = facts.person.full_name if facts.person else access.row.number
        about = f"{about_known(facts.person, access.row, looker)} · {access.row.number}"
        view = images_page(session, access, title, about, looker)
    return answer("pages/images.html", shell.page(title), view=view)


def _after(services: Services, access: CaseAccess, action: str) -> str:
    url = place_after(services, access, action)
    if url == "/":
        return url
    try:
        fresh = reload_case(services, access)
    except NotFound:
        return "/"
    return case_url(fresh.row, fresh.held)


def _reading(
    services: Services,
    access: CaseAccess,
    shell: Shell,
    *,
    tried: Tried | None = None,
    typed: Typed | None = None,
    part: str = "",
    writing: str = "",
    seen: int | None = None,
    status: int = 200,
) -> Response:
    with services.database.read() as session:
        if part == "key-images":
            content = read_draft(session, services.keys, access).body.content
            choices = key_image_choices(session, access, content)
            page = shell.page(access.row.number)
            editable = access.may(Right.EDIT_DRAFT)
            return answer("pages/reading_key_images.html", page, choices=choices, editable=editable)
        facts = case_facts(session, services.keys, access, _PARTS)
        view = reading_page(session, services.keys, access, facts, shell.looker, tried=tried, typed=typed)
    page = shell.page(view.patient, "reading", live=True)
    template = {"state": "pages/reading_state.html", "note": "pages/reading_note.html"}.get(part, "pages/reading.html")
    moved = bool(writing) and view.editable != (writing == "yes")
    added = seen is not None and view.image_set > seen
    return answer(template, page, status=status, view=view, labels=LABELS, moved=moved, added=added)
