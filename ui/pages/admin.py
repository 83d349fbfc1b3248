"""The audit trail and a case's trace, for administrators. Reading either is an act of its own."""

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError
from sqlmodel import Session, col, func, or_, select

from api.audit_trail import chain_head, note_reading, read_trail
from api.cases import acting
from api.codec_cors import DECODE
from api.deps import AdminDep, ServicesDep
from api.routes.admin import SeeTrace, verify_chain
from api.services import Services
from api.trace import temporal_url, trace_of
from infra.audit import write_audit
from infra.database import now
from schemas.access import Person
from schemas.audit_forms import AuditFilter, ChainView
from schemas.errors import NotFound
from schemas.tables.case import Case
from schemas.tables.people import User
from schemas.translation import N_
from ui.assemble.audit import act_words, audit_view, trace_page
from ui.pages.answers import NO_STORE, answer, see_other
from ui.pages.shell import Shell, ShellDep
from ui.pages.typed import TypedDep
from ui.views import FormState

router: Final = APIRouter(prefix="/admin")


def wanted_acts(case_id: str = "", person_id: str = "", act: str = "", before: str = "") -> AuditFilter:
    """From the address. What is no filter of ours narrows to nothing rather than to everything."""
    try:
        return AuditFilter.model_validate(
            {"case_id": case_id, "person_id": person_id, "act": act, "before": before or None}
        )
    except ValidationError:
        raise NotFound() from None


Wanted = Annotated[AuditFilter, Depends(wanted_acts)]


@router.get("/audit")
def show_audit(wanted: Wanted, person: AdminDep, shell: ShellDep, services: ServicesDep) -> Response:
    return _trail(services, shell, person, wanted)


@router.post("/audit/search")
def search_audit(typed: TypedDep, person: AdminDep, shell: ShellDep, services: ServicesDep) -> Response:
    """A case by its number, a person by name or address, or an act: leads to an address with ids alone."""
    text = typed.text("q")[:100]
    with services.database.read() as session:
        found = _meant(session, text)
    if found is not None:
        return see_other(f"/admin/audit?{urlencode(found)}" if text else "/admin/audit")
    return _trail(services, shell, person, AuditFilter(act="nothing."), typed=text)


@router.post("/audit/verify")
async def verify(person: AdminDep, shell: ShellDep, services: ServicesDep) -> Response:
    return _trail(services, shell, person, AuditFilter(), chain=await verify_chain(person, services))


@router.get("/cases/{case_id}/trace")
def show_trace(access: SeeTrace, shell: ShellDep, services: ServicesDep) -> Response:
    with services.database.write() as session:
        write_audit(session, scope=access.row.id, act="trace.read", actor=acting(access), at=now())
    with services.database.read() as session:
        trace = trace_of(session, services.settings, access.row)
    view = trace_page(trace, shell.looker, decode_url=services.settings.base_url + DECODE.removesuffix("/decode"))
    return answer("pages/trace.html", shell.page(shell.looker.say(N_("Trace")), "audit"), view=view)


@router.get("/cases/{case_id}/trace/temporal")
def open_temporal(access: SeeTrace, services: ServicesDep) -> Response:
    """To the workflow in Temporal's own UI on loopback, with a row in the audit trail."""
    url = temporal_url(services.settings, access.row.id)
    if url is None:
        raise NotFound()
    with services.database.write() as session:
        write_audit(session, scope=access.row.id, act="trace.open", actor=acting(access), at=now())
    return RedirectResponse(url, status_code=303, headers=NO_STORE)


def _meant(session: Session, text: str) -> dict[str, str] | None:
    if not text:
        return {}
    case_id = session.exec(select(Case.id).where(or_(col(Case.number) == text.upper(), col(Case.id) == text))).first()
    if case_id is not None:
        return {"case_id": case_id}
    like = f"%{text.lower().replace('%', '').replace('_', '')}%"
    people = session.exec(
        select(User.id).where(or_(col(User.email) == text.lower(), func.lower(User.name).like(like))).limit(2)
    ).all()
    if len(people) == 1:
        return {"person_id": people[0]}
    try:
        return {"act": AuditFilter(act=text.lower()).act} if "." in text else None
    except ValidationError:
        return None


def _trail(
    services: Services,
    shell: Shell,
    person: Person,
    wanted: AuditFilter,
    *,
    chain: ChainView | None = None,
    typed: str = "",
) -> Response:
    with services.database.write() as session:
        note_reading(session, person, wanted)
    with services.database.read() as session:
        page = read_trail(session, wanted)
        reached = chain or chain_head(session, services.settings.anchor_file)
        case = session.get(Case, wanted.case_id) if wanted.case_id else None
        whom = session.get(User, wanted.person_id) if wanted.person_id else None
    narrowed = {
        name: value for name, value in wanted.model_dump(include={"case_id", "person_id", "act"}).items() if value
    }
    view = audit_view(
        page.items,
        reached,
        wanted,
        shell.looker,
        next_url=f"/admin/audit?{urlencode({**narrowed, 'before': page.next})}" if page.next else "",
        shown=_shown(shell, wanted, case, whom, typed),
        number=case.number if case else "",
        search=FormState(values={"q": typed}),
    )
    return answer("pages/audit.html", shell.page(shell.looker.say(N_("Audit trail")), "audit"), view=view)


def _shown(shell: Shell, wanted: AuditFilter, case: Case | None, whom: User | None, typed: str) -> str:
    say = shell.looker.say
    if typed:
        return say(N_("Nothing is called “%(text)s”, or more than one person is."), text=typed)
    if case is not None:
        return say(N_("Acts on case %(number)s"), number=case.number)
    if whom is not None:
        return say(N_("Acts of %(name)s, and acts done to them"), name=whom.name)
    return say(N_("Acts: %(act)s"), act=act_words(wanted.act, shell.looker)) if wanted.act else ""
