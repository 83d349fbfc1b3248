"""The scheduler's board: open cases by the time that is left."""

from collections.abc import Sequence
from typing import Final

from api.listing import Held
from api.readers import ReaderLoad
from api.row_facts import RowFacts
from schemas.clinical import N_
from ui.assemble.case_actions import reader_option
from ui.assemble.case_rows import case_rows
from ui.assemble.looker import Looker
from ui.views import BoardBand, BoardView, CaseGroup, CaseRow, FormState

_BANDS: Final = (
    ("over", N_("Over target"), "attention", "bad"),
    ("risk", N_("At risk"), "attention", "warn"),
    ("fine", N_("On track"), "check", "ok"),
    ("paused", N_("Paused"), "pause", "quiet"),
)


def band_of(row: CaseRow) -> str:
    """A paused clock is nobody's hurry, however little is left of it."""
    if row.clock.state != "running":
        return "paused"
    return {"red": "over", "amber": "risk"}.get(row.clock.level, "fine")


def board(rows: Sequence[Held], facts: RowFacts, readers: Sequence[ReaderLoad], looker: Looker) -> BoardView:
    by_band: dict[str, list[CaseRow]] = {key: [] for key, *_ in _BANDS}
    for row in sorted(case_rows(rows, facts, looker, board=True), key=lambda row: row.clock.left):
        by_band[band_of(row)].append(row)
    return BoardView(
        bands=tuple(
            BoardBand(key=key, word=looker.say(word), icon=icon, tone=tone, total=len(by_band[key]))
            for key, word, icon, tone in _BANDS
        ),
        groups=tuple(
            CaseGroup(key=key, title=looker.say(word), rows=tuple(by_band[key]))
            for key, word, *_ in _BANDS
            if by_band[key]
        ),
        readers=tuple(reader_option(reader, looker) for reader in readers),
        search=FormState(),
    )
