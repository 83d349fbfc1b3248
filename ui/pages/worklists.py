"""Where each role lands: what waits for them now, the most urgent first."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from sqlmodel import Session, col

from api.deps import PersonDep, ServicesDep, policy
from api.listing import CaseFilter, count_by_state, count_cases, count_open, list_cases, search_cases, worklist
from api.readers import readers_of
from api.row_facts import row_facts
from api.services import Services
from api.waiting import not_waiting_for
from schemas.access import Person, is_admin
from schemas.errors import Forbidden
from schemas.lifecycle import Role, State
from schemas.tables.case import Case
from schemas.translation import N_
from ui.assemble.board import BANDS, BandRows, band_conditions, board
from ui.assemble.case_rows import case_rows
from ui.assemble.looker import Looker
from ui.assemble.search import matching
from ui.assemble.worklist_parts import (
    PAGE,
    UNFINISHED,
    Slice,
    first_page,
    page_of,
    practice_slices,
    reading_conditions,
    reading_slices,
)
from ui.assemble.worklists import (
    FINISHED,
    Part,
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
from ui.views import BoardView, CaseGroup, FormState, Page, PoolView, WorklistView

router: Final = APIRouter()

_SEARCHED: Final = 300
_LAST_FINISHED: Final = 5
_DRAFTS: Final = (State.DRAFT,)


@policy("schedules cases")
def scheduling(person: PersonDep) -> Person:
    if not is_admin(person) and all(member.role is not Role.SCHEDULER for member in person.members):
        raise Forbidden()
    return person


SchedulerDep = Annotated[Person, Depends(scheduling)]


@router.get("/")
def home(
    shell: ShellDep,
    services: ServicesDep,
    part: str = "",
    show: str = "",
    tab: str = "",
    after: Annotated[str, Query(max_length=300)] = "",
) -> Response:
    """The person's list; ``part=worklist`` is its live region alone."""
    elsewhere = HOMES.get(shell.looker.role)
    if elsewhere is not None:
        return see_other(elsewhere)
    with services.database.read() as session:
        if shell.looker.is_reader:
            return _reading_page(shell, _reading(session, services, shell, tab, show, after), part)
        view = _practice(session, services, shell, show, after)
    page = _cases_page(shell)
    template = "pages/worklist_groups.html" if part == "worklist" else "pages/worklist.html"
    return answer(template, page, view=view)


@router.get("/board")
def show_board(
    shell: ShellDep,
    person: SchedulerDep,
    services: ServicesDep,
    part: str = "",
    band: str = "",
    after: Annotated[str, Query(max_length=300)] = "",
) -> Response:
    """Every band's first page; ``band`` is one of them alone, ``after`` where its page begins."""
    with services.database.read() as session:
        view = _board(session, services, shell, band if band in BANDS else "", after)
    template = "pages/board_table.html" if part == "board" else "pages/board.html"
    return answer(template, shell.page(N_("Board"), "board", live=True), view=view)


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
        open_rows, _ = worklist(session, looker.person, *states, limit=_SEARCHED)
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
    return answer("pages/pool.html", shell.page(N_("Cases"), "reading" if looker.is_reader else "board"), view=pool)


def _cases_page(shell: Shell, *, live: bool = True) -> Page:
    return shell.page(N_("Cases"), "cases", live=live)


def _totals(session: Session, person: Person) -> Totals:
    by_state = count_by_state(session, person)
    drafts = sum(by_state.get(state, 0) for state in _DRAFTS)
    finished = sum(by_state.get(state, 0) for state in FINISHED)
    return Totals(open=sum(by_state.values()) - drafts - finished, drafts=drafts, finished=finished)


def _practice(session: Session, services: Services, shell: Shell, show: str, after: str) -> WorklistView:
    looker = shell.looker
    person, keys = looker.person, services.keys
    totals = _totals(session, person)
    slices = practice_slices(session, person)
    if show in {"drafts", "finished"}:
        states, title = (_DRAFTS, N_("Drafts")) if show == "drafts" else (FINISHED, N_("Finished"))
        total = totals.drafts if show == "drafts" else totals.finished
        rows, following = list_cases(session, person, CaseFilter(states=states, limit=PAGE, cursor=after or None))
        part = Part(title, rows, total)
    elif show in slices:
        part, following = page_of(session, person, slices[show], after)
    else:
        return _practice_home(session, services, looker, slices, totals)
    facts = row_facts(session, keys, part.rows, person.user_id)
    return WorklistView(
        groups=one_group(part, facts, looker),
        filters=practice_filters(looker, totals, "" if show in slices else show),
        next_url=f"/?show={show}&after={following}" if following else "",
        live_url="" if after else f"/?show={show}&part=worklist",
    )


def _practice_home(
    session: Session, services: Services, looker: Looker, slices: dict[str, Slice], totals: Totals
) -> WorklistView:
    person = looker.person
    # What waits for the person is asked first and alone: its clocks are paused, so that among all open cases it is last.
    yours, underway = (first_page(session, person, each, f"/?show={show}") for show, each in slices.items())
    drafts, _ = list_cases(session, person, CaseFilter(states=_DRAFTS, limit=PAGE))
    # A released report can wait for the practice again: it is shown once.
    over = CaseFilter(states=FINISHED, extra=(not_waiting_for(session, person),), limit=_LAST_FINISHED)
    finished, _ = list_cases(session, person, over)
    others = (
        Part(N_("Drafts"), drafts, totals.drafts, "/?show=drafts"),
        underway,
        Part(N_("Finished"), finished, totals.finished, "/?show=finished"),
    )
    rows = [row for part in (yours, *others) for row in part.rows]
    facts = row_facts(session, services.keys, rows, person.user_id)
    return practice_list(yours, others, facts, looker, totals=totals)


def _reading(session: Session, services: Services, shell: Shell, tab: str, show: str, after: str) -> PoolView:
    looker = shell.looker
    person = looker.person
    conditions = reading_conditions(person)
    tab = tab if tab in conditions else ""
    numbers = {key: count_cases(session, person, *conditions[key]) for key in ("", "pool", "approve")}
    tabs = reading_tabs(looker, tab, numbers)
    slices = reading_slices(session, person, tab, conditions[tab])
    address = f"/?tab={tab}"
    following = ""
    if tab == "signed":
        wanted = CaseFilter(extra=conditions["signed"], limit=PAGE, cursor=after or None)
        rows, cursor = list_cases(session, person, wanted)
        parts, following = [Part(N_("Signed by you"), rows, len(rows))], cursor or ""
    elif show in slices:
        part, following = page_of(session, person, slices[show], after)
        parts, address = [part], f"/?tab={tab}&show={show}"
    else:
        parts = [first_page(session, person, each, f"/?tab={tab}&show={key}") for key, each in slices.items()]
    facts = row_facts(session, services.keys, [row for part in parts for row in part.rows], person.user_id)
    next_url = f"{address}&after={following}" if following else ""
    live_url = "" if after else f"{address}&part=worklist"
    return reading_list(parts, facts, looker, tabs=tabs, live_url=live_url, next_url=next_url, pool=tab == "pool")


def _reading_page(shell: Shell, view: PoolView, part: str) -> Response:
    page = shell.page(N_("Reading list"), "pool" if view.pool else "reading", live=True)
    return answer("pages/pool_table.html" if part == "worklist" else "pages/pool.html", page, view=view)


def _board(session: Session, services: Services, shell: Shell, band: str, after: str) -> BoardView:
    looker = shell.looker
    person = looker.person
    conditions = band_conditions(looker.moment)
    bands: dict[str, BandRows] = {}
    totals = {}
    for key, condition in conditions.items():
        totals[key] = count_open(session, person, UNFINISHED, condition)
        if band in {"", key}:
            rows, following = worklist(session, person, UNFINISHED, condition, limit=PAGE, cursor=after if band else "")
            bands[key] = BandRows(rows, totals[key], following)
    rows = [row for part in bands.values() for row in part.rows]
    facts = row_facts(session, services.keys, rows, person.user_id, chat=False)
    readers = readers_of(session, {row.practice_id for row, _ in rows})
    return board(bands, totals, facts, readers, looker, band=band, after=after)
