"""The scheduler's board: open cases by the time that is left, a band at a time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, and_
from sqlmodel import col

from api.listing import Held
from api.readers import ReaderLoad
from api.row_facts import RowFacts
from schemas.tables.case import Case
from schemas.translation import N_
from ui.assemble.case_actions import reader_option
from ui.assemble.case_rows import case_rows
from ui.assemble.looker import Looker
from ui.views import BoardBand, BoardView, CaseGroup, FormState

_BANDS: Final = (
    ("over", N_("Over target"), "attention", "bad"),
    ("risk", N_("At risk"), "attention", "warn"),
    ("fine", N_("On track"), "check", "ok"),
    ("paused", N_("Paused"), "pause", "quiet"),
)


BANDS: Final = tuple(key for key, *_ in _BANDS)


class BandRows(NamedTuple):
    """A page of a band, how many cases are in all of it, and the cursor of the next page."""

    rows: Sequence[Held]
    total: int
    following: str


def band_conditions(moment: datetime) -> dict[str, ColumnElement[bool]]:
    """Each open case is in one band. A paused clock is nobody's hurry, however little is left of it."""
    due, risk = col(Case.due_at), col(Case.risk_at)
    return {
        "over": due <= moment,
        "risk": and_(due > moment, risk <= moment),
        "fine": and_(due > moment, risk > moment),
        "paused": due.is_(None),
    }


def board(
    bands: Mapping[str, BandRows],
    totals: Mapping[str, int],
    facts: RowFacts,
    readers: Sequence[ReaderLoad],
    looker: Looker,
    *,
    band: str = "",
    after: str = "",
) -> BoardView:
    """The first page of each band; or with ``band`` one page of that one, and ``after`` says that it is a later one."""
    groups = []
    for key, word, *_ in _BANDS:
        if key in bands and bands[key].rows:
            part = bands[key]
            rows = sorted(case_rows(part.rows, facts, looker, board=True), key=lambda row: row.clock.left)
            more_url = f"/board?band={key}" if part.following and not band else ""
            title = looker.say(word)
            groups.append(CaseGroup(key=key, title=title, rows=tuple(rows), total=part.total, more_url=more_url))
    following = bands[band].following if band else ""
    live_url = f"/board?band={band}&part=board" if band else "/board?part=board"
    return BoardView(
        bands=tuple(
            BoardBand(key=key, word=looker.say(word), icon=icon, tone=tone, total=totals[key])
            for key, word, icon, tone in _BANDS
        ),
        groups=tuple(groups),
        readers=tuple(reader_option(reader, looker) for reader in readers),
        search=FormState(),
        next_url=f"/board?band={band}&after={following}" if following else "",
        live_url="" if after else live_url,
        whole_url="/board" if band else "",
    )
