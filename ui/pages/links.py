"""A case's release links: their state, and a code for a patient without e-mail."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path
from fastapi.responses import Response
from sqlmodel import col, select

from activities.records.opening import demographics_of
from api.cases import acting
from api.deps import PortalDep, ServicesDep, require
from api.routes.grants import HandOver, grant_view
from api.services import Services
from api.standing import CaseAccess
from schemas.access import Right
from schemas.forms import GrantView, HandedCode
from schemas.lifecycle import Relation, Role, Taker
from schemas.tables.people import Patient
from schemas.tables.release import ReleaseGrant
from schemas.translation import N_
from ui.pages.answers import answer, see_other
from ui.pages.shell import Shell, ShellDep
from ui.views import Chip
from ui.views.links import HandedView, LinkRow, LinksView

router: Final = APIRouter(prefix="/cases/{case_id}/links")

_CHIPS: Final = {
    "live": Chip(icon="released", word=N_("Works"), tone="ok"),
    "revoked": Chip(icon="stop", word=N_("Revoked"), tone="quiet"),
    "expired": Chip(icon="clock", word=N_("Ended"), tone="quiet"),
    "locked": Chip(icon="lock", word=N_("Locked"), tone="bad", reason=N_("five wrong tries")),
}

SeeCase = Annotated[CaseAccess, Depends(require(Right.SEE_CASE))]


@router.get("")
def show_links(access: SeeCase, shell: ShellDep, services: ServicesDep) -> Response:
    return _links(services, access, shell)


@router.post("/{grant_id}/code")
def show_code(
    access: HandOver,
    grant_id: Annotated[str, Path(max_length=64)],
    shell: ShellDep,
    services: ServicesDep,
    portal: PortalDep,
) -> Response:
    """Makes a code and shows it, once, with the link."""
    return _links(services, access, shell, portal.hand_over(access.row, grant_id, acting(access)))


@router.get("/{grant_id}/code")
def go_to_links(access: SeeCase) -> Response:
    return see_other(f"/cases/{access.row.id}/links")


def _links(services: Services, access: CaseAccess, shell: Shell, handed: HandedCode | None = None) -> Response:
    case = access.row
    with services.database.read() as session:
        rows = session.exec(
            select(ReleaseGrant)
            .where(ReleaseGrant.case_id == case.id)
            .order_by(col(ReleaseGrant.created_at).desc(), col(ReleaseGrant.id))
        ).all()
        patient = demographics_of(services.keys, session.get_one(Patient, case.patient_id))
    may_hand_over = Taker(Role.DENTIST, Relation.OWN) in access.held
    view = LinksView(
        number=case.number,
        patient=patient.full_name,
        case_url=f"/cases/{case.id}",
        rows=tuple(_row(grant_view(row), case.id, may_hand_over=may_hand_over) for row in rows),
        handed=HandedView(link=handed.link, code=handed.code, expires=handed.expires_at) if handed else None,
    )
    return answer("pages/links.html", shell.page(shell.looker.say(N_("Patient's links")), "cases"), view=view)


def _row(grant: GrantView, case_id: str, *, may_hand_over: bool) -> LinkRow:
    works = grant.state == "live" and may_hand_over
    return LinkRow(
        chip=_CHIPS[grant.state],
        created=grant.created_at,
        expires=grant.expires_at,
        opened=grant.first_opened_at,
        code_url=f"/cases/{case_id}/links/{grant.id}/code" if works else "",
    )
