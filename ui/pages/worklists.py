"""Where each role lands: what waits for them now, the most urgent first."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy import ColumnElement
from sqlmodel import Session, col

from api.deps import PersonDep, ServicesDep, policy
from api.listing import CaseFilter, count_by_state, count_cases, list_cases, search_cases, worklist
from api.readers import readers_of
from api.row_facts import row_facts
from api.services import Services
from schemas.access import Person, is_admin
from schemas.clinical import N_
from schemas.errors import Forbidden
from schemas.lifecycle import Role, State
from schemas.tables.case import Case
from ui.assemble.board import board
from ui.assemble.case_rows import case_rows
from ui.assemble.search import matching
from ui.assemble.worklists import (
    FINISHED,
    Totals,
    one_group,
    practice_filters,
    practice_list,
    reading_list,
    reading_tabs,
)
from ui.pages.answers import answer, see_other
from ui.pages.shell import HOMES, Shell, ShellDep
from ui.pages.typed import TypedDep
from ui.views import CaseGroup, FormState, Page, PoolView, WorklistView

router: Final = APIRouter()

_OPEN_LIMIT: Final = 100
_BOARD_LIMIT: Final = 300
_PAGE: Final = 50
_LAST_FINISHED: Final = 5
_BOARD_STATES: Final = (
    State.PROCESSING,
    State.ATTENTION,
    State.BILLING_HOLD,
    State.UNASSIGNED,
    State.ASSIGNED,
    State.IN_REVIEW,
    State.MODIFICATION_REQUESTED,
    State.AWAITING_APPROVAL,
    State.AMENDING,
)
"""From submission to the report: what a scheduler keeps in time."""

_DRAFTS: Final = (State.DRAFT,)


@policy("schedules cases")
def scheduling(person: PersonDep) -> Person:
    if not is_admin(person) and all(member.role is not Role.SCHEDULER for member in person.members):
        raise Forbidden()
    return person


SchedulerDep = Annotated[Person, Depends(scheduling)]


@router.get("/")
def home(
    shell: ShellDep, services: ServicesDep, part: str = "", show: str = "", tab: str = "", after: str = ""
) -> Response:
    """The person's list; ``part=worklist`` is its live region alone."""
    elsewhere = HOMES.get(shell.looker.role)
    if elsewhere is not None:
        return see_other(elsewhere)
    with services.database.read() as session:
        if shell.looker.is_reader:
            return _reading_page(shell, _reading(session, services, shell, tab, after), part)
        view = _practice(session, services, shell, show, after)
    page = _cases_page(shell)
    template = "pages/worklist_groups.html" if part == "worklist" else "pages/worklist.html"
    return answer(template, page, view=view)


@router.get("/board")
def show_board(shell: ShellDep, person: SchedulerDep, services: ServicesDep, part: str = "") -> Response:
    with services.database.read() as session:
        view = board(**_board_facts(session, services, shell))
    template = "pages/board_table.html" if part == "board" else "pages/board.html"
    return answer(template, shell.page("Board", "board", live=True), view=view)


@router.get("/cases/search")
def go_home(person: PersonDep) -> Response:
    """The address of a search, asked for anew: what was typed is not in it."""
    return see_other("/")


@router.post("/cases/search")
def search(typed: TypedDep, shell: ShellDep, services: ServicesDep, request: Request) -> Response:
    """What was typed is in the body, so that no name is in an address; so is the answer, which is no redirect."""
    text = typed.text("q")
    looker = shell.looker
    with services.database.read() as session:
        found = search_cases(session, services.keys, looker.person, text) if text else []
        facts = row_facts(session, services.keys, found, looker.person.user_id)
        states = () if looker.role is Role.DENTIST or looker.role is Role.STAFF else (col(Case.state) != State.DRAFT,)
        open_rows = worklist(session, looker.person, *states, limit=_BOARD_LIMIT)
        open_facts = row_facts(session, services.keys, open_rows, looker.person.user_id)
        totals = _totals(session, looker.person)
    by_text = case_rows(found, facts, looker)
    known = {row.id for row in by_text}
    rows = (*by_text, *(row for row in matching(case_rows(open_rows, open_facts, looker), text) if row.id not in known))
    title = looker.say_many(N_("%(num)s case found"), N_("%(num)s cases found"), len(rows))
    group = CaseGroup(title=title, rows=rows)
    form = FormState(values={"q": text})
    if looker.role in {Role.DENTIST, Role.STAFF}:
        view = WorklistView(groups=(group,), filters=practice_filters(looker, totals, "found"), search=form)
        return answer("pages/worklist.html", _cases_page(shell, live=False), view=view)
    pool = PoolView(
        title=N_("Reading list") if looker.is_reader else N_("Cases"),
        tabs=reading_tabs(looker, "found", {}) if looker.is_reader else (),
        groups=(group,) if rows else (),
        search=form,
    )
    return answer("pages/pool.html", shell.page("Cases", "reading" if looker.is_reader else "board"), view=pool)


def _cases_page(shell: Shell, *, live: bool = True) -> Page:
    return shell.page("Cases", "cases", live=live)


def _totals(session: Session, person: Person) -> Totals:
    by_state = count_by_state(session, person)
    drafts = sum(by_state.get(state, 0) for state in _DRAFTS)
    finished = sum(by_state.get(state, 0) for state in FINISHED)
    return Totals(open=sum(by_state.values()) - drafts - finished, drafts=drafts, finished=finished)


def _practice(session: Session, services: Services, shell: Shell, show: str, after: str) -> WorklistView:
    looker = shell.looker
    person, keys = looker.person, services.keys
    totals = _totals(session, person)
    states = {"drafts": _DRAFTS, "finished": FINISHED}.get(show)
    if states is not None:
        wanted = CaseFilter(states=states, limit=_PAGE, cursor=after or None)
        rows, following = list_cases(session, person, wanted)
        facts = row_facts(session, keys, rows, person.user_id)
        title, total = (N_("Drafts"), totals.drafts) if show == "drafts" else (N_("Finished"), totals.finished)
        groups = (one_group(title, rows, facts, looker, total=total),) if rows else ()
        next_url = f"/?show={show}&after={following}" if following else ""
        filters = practice_filters(looker, totals, show)
        live_url = f"/?show={show}&part=worklist"
        return WorklistView(groups=groups, filters=filters, next_url=next_url, live_url="" if after else live_url)
    rows = worklist(session, person, col(Case.state).not_in(FINISHED), limit=_OPEN_LIMIT)
    finished, _ = list_cases(session, person, CaseFilter(states=FINISHED, limit=_LAST_FINISHED))
    facts = row_facts(session, keys, [*rows, *finished], person.user_id)
    return practice_list(rows, finished, facts, looker, totals=totals)


def _reading(session: Session, services: Services, shell: Shell, tab: str, after: str) -> PoolView:
    looker = shell.looker
    person = looker.person
    conditions = _reading_conditions(person)
    numbers = {key: count_cases(session, person, *conditions[key]) for key in ("", "pool", "approve")}
    tabs = reading_tabs(looker, tab if tab in conditions else "", numbers)
    if tab == "signed":
        wanted = CaseFilter(extra=conditions["signed"], limit=_PAGE, cursor=after or None)
        rows, following = list_cases(session, person, wanted)
        facts = row_facts(session, services.keys, rows, person.user_id)
        groups = (one_group(N_("Signed by you"), rows, facts, looker),) if rows else ()
        next_url = f"/?tab=signed&after={following}" if following else ""
        return PoolView(tabs=tabs, groups=groups, next_url=next_url, live_url="" if after else _live_url("signed"))
    rows = worklist(session, person, *conditions.get(tab, conditions[""]), limit=_OPEN_LIMIT)
    facts = row_facts(session, services.keys, rows, person.user_id)
    titles = {"pool": N_("Free to take"), "approve": N_("Waiting for your approval")}
    if tab in titles:
        groups = (one_group(titles[tab], rows, facts, looker),) if rows else ()
        return PoolView(tabs=tabs, groups=groups, pool=tab == "pool", live_url=_live_url(tab))
    return reading_list(rows, facts, looker, tabs=tabs)


def _live_url(tab: str) -> str:
    return f"/?tab={tab}&part=worklist"


def _reading_conditions(person: Person) -> dict[str, tuple[ColumnElement[bool], ...]]:
    """By tab. The assignee of a signed case has nothing to do with it until an amendment is asked for."""
    me = col(Case.assignee_id) == person.user_id
    author = col(Case.author_id) == person.user_id
    unfinished = col(Case.state).in_(_BOARD_STATES) | (col(Case.wait_owner) == "radiologist")
    return {
        "": (me, unfinished),
        "pool": (col(Case.assignee_id).is_(None), col(Case.state).in_([State.UNASSIGNED, State.ATTENTION])),
        "approve": (col(Case.approver_id) == person.user_id, col(Case.state) == State.AWAITING_APPROVAL),
        "signed": (author | (col(Case.approver_id) == person.user_id), col(Case.version) > 0),
    }


def _reading_page(shell: Shell, view: PoolView, part: str) -> Response:
    page = shell.page("Reading list", "pool" if view.pool else "reading", live=True)
    return answer("pages/pool_table.html" if part == "worklist" else "pages/pool.html", page, view=view)


def _board_facts(session: Session, services: Services, shell: Shell) -> dict[str, Any]:
    person = shell.looker.person
    rows = worklist(session, person, col(Case.state).in_(_BOARD_STATES), limit=_BOARD_LIMIT)
    return {
        "rows": rows,
        "facts": row_facts(session, services.keys, rows, person.user_id, chat=False),
        "readers": readers_of(session, {row.practice_id for row, _ in rows}),
        "looker": shell.looker,
    }
