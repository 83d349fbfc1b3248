"""The landing pages of a practice and of a radiologist."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from api.listing import Held
from api.row_facts import RowFacts
from schemas.lifecycle import State
from schemas.translation import N_
from ui.assemble.case_rows import case_rows
from ui.assemble.looker import Looker
from ui.views import CaseGroup, Filter, PoolView, WorklistView

FINISHED: Final = (State.RELEASED, State.CLOSED, State.REJECTED, State.CANCELLED, State.ENTERED_IN_ERROR)
"""What a practice has done with; a released report can still be amended, and is found here."""

SHOWS: Final = {"": N_("Open"), "drafts": N_("Drafts"), "finished": N_("Finished")}
TABS: Final = {"": N_("Mine"), "pool": N_("Pool"), "approve": N_("To approve"), "signed": N_("Signed")}


class Totals(NamedTuple):
    """How many cases a filter of the practice's list would show."""

    open: int
    drafts: int
    finished: int


class Part(NamedTuple):
    """The first page of one group of a list. ``url`` leads to all of it, where there is more."""

    title: str
    rows: Sequence[Held]
    total: int
    url: str = ""


def practice_list(
    yours: Part, others: Sequence[Part], facts: RowFacts, looker: Looker, *, totals: Totals
) -> WorklistView:
    """Open cases by whose move it is, and the last finished ones below. What waits for whoever looks is always named."""
    if not yours.rows and not any(part.rows for part in others):
        return WorklistView(groups=(), live_url="/?part=worklist")
    groups = (_group(yours, facts, looker, due=True), *(_group(part, facts, looker) for part in others if part.rows))
    return WorklistView(groups=groups, filters=practice_filters(looker, totals, ""), live_url="/?part=worklist")


def _group(part: Part, facts: RowFacts, looker: Looker, *, due: bool = False) -> CaseGroup:
    shown = case_rows(part.rows, facts, looker)
    more_url = part.url if part.total > len(shown) else ""
    return CaseGroup(title=looker.say(part.title), rows=shown, total=part.total, more_url=more_url, due=due)


def practice_filters(looker: Looker, totals: Totals, current: str) -> tuple[Filter, ...]:
    numbers = {"": totals.open, "drafts": totals.drafts, "finished": totals.finished}
    return tuple(
        Filter(
            word=looker.say(word), url=f"/?show={show}" if show else "/", total=numbers[show], current=show == current
        )
        for show, word in SHOWS.items()
    )


def reading_tabs(looker: Looker, current: str, numbers: dict[str, int]) -> tuple[Filter, ...]:
    return tuple(
        Filter(
            word=looker.say(word), url=f"/?tab={tab}" if tab else "/", total=numbers.get(tab), current=tab == current
        )
        for tab, word in TABS.items()
    )


def reading_list(
    parts: Sequence[Part],
    facts: RowFacts,
    looker: Looker,
    *,
    tabs: tuple[Filter, ...],
    live_url: str,
    next_url: str = "",
    pool: bool = False,
) -> PoolView:
    groups = tuple(_group(part, facts, looker) for part in parts if part.rows)
    return PoolView(tabs=tabs, groups=groups, live_url=live_url, next_url=next_url, pool=pool)


def one_group(part: Part, facts: RowFacts, looker: Looker) -> tuple[CaseGroup, ...]:
    """A list that is one group, or none."""
    return (_group(part, facts, looker),) if part.rows else ()
