"""The landing pages of a practice and of a radiologist."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from api.listing import Held
from api.row_facts import RowFacts
from api.waiting import waits_for
from schemas.access import owns_practice
from schemas.clinical import N_
from schemas.lifecycle import State, WaitReason
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


def practice_list(
    rows: Sequence[Held],
    finished: Sequence[Held],
    facts: RowFacts,
    looker: Looker,
    *,
    totals: Totals,
) -> WorklistView:
    """Open cases by whose move it is, the most urgent first, and the last finished ones below."""
    yours, drafts, others = [], [], []
    for row, held in rows:
        if row.wait_reason == WaitReason.INTAKE:
            drafts.append((row, held))
        elif waits_for(row, held, is_owner=owns_practice(looker.person, row.practice_id)):
            yours.append((row, held))
        else:
            others.append((row, held))
    if not rows and not finished:
        return WorklistView(groups=(), live_url="/?part=worklist")
    groups = [CaseGroup(title=looker.say(N_("Waiting for you")), rows=case_rows(yours, facts, looker), due=True)]
    for title, part, total, url in (
        (N_("Drafts"), drafts, totals.drafts, "/?show=drafts"),
        (N_("Under way"), others, 0, ""),
        (N_("Finished"), finished, totals.finished, "/?show=finished"),
    ):
        if part:
            shown = case_rows(part, facts, looker)
            more = url if total > len(shown) else ""
            groups.append(CaseGroup(title=looker.say(title), rows=shown, total=total or len(shown), more_url=more))
    return WorklistView(groups=tuple(groups), filters=practice_filters(looker, totals, ""), live_url="/?part=worklist")


def practice_filters(looker: Looker, totals: Totals, current: str) -> tuple[Filter, ...]:
    numbers = {"": totals.open, "drafts": totals.drafts, "finished": totals.finished}
    return tuple(
        Filter(
            word=looker.say(word), url=f"/?show={show}" if show else "/", total=numbers[show], current=show == current
        )
        for show, word in SHOWS.items()
    )


def one_group(
    title: str, rows: Sequence[Held], facts: RowFacts, looker: Looker, *, total: int | None = None, more_url: str = ""
) -> CaseGroup:
    shown = case_rows(rows, facts, looker)
    return CaseGroup(title=looker.say(title), rows=shown, total=total or len(shown), more_url=more_url)


def reading_tabs(looker: Looker, current: str, numbers: dict[str, int]) -> tuple[Filter, ...]:
    return tuple(
        Filter(
            word=looker.say(word), url=f"/?tab={tab}" if tab else "/", total=numbers.get(tab), current=tab == current
        )
        for tab, word in TABS.items()
    )


def reading_list(rows: Sequence[Held], facts: RowFacts, looker: Looker, *, tabs: tuple[Filter, ...]) -> PoolView:
    """A radiologist's own cases: offers first, for they lapse; then what is to be read; then what waits for others."""
    offered: list[Held] = []
    to_read: list[Held] = []
    elsewhere: list[Held] = []
    for row, held in rows:
        if row.state == State.ASSIGNED:
            offered.append((row, held))
        elif waits_for(row, held, is_owner=False):
            to_read.append((row, held))
        else:
            elsewhere.append((row, held))
    groups = tuple(
        one_group(title, part, facts, looker)
        for title, part in (
            (N_("Offered to you"), offered),
            (N_("To read"), to_read),
            (N_("Waiting for others"), elsewhere),
        )
        if part
    )
    return PoolView(tabs=tabs, groups=groups, live_url="/?part=worklist")
