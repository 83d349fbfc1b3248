"""What a benchmark returns: figures with their spread, each beside its anchor and its goal."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Self


@dataclass(frozen=True)
class Spread:
    """The median of the rounds, and the lowest and highest of them."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, rounds: Sequence[float]) -> Self:
        return cls(median(rounds), min(rounds), max(rounds))

    def text(self, digits: int) -> str:
        return f"{self.middle:.{digits}f} ({self.low:.{digits}f}–{self.high:.{digits}f})"


@dataclass(frozen=True)
class Figure:
    """One line of the table. ``ours`` and ``anchor`` hold one value a round; the ratio is taken round by round."""

    key: str
    what: str
    anchor_is: str
    unit: str
    goal: float | None
    ours: Sequence[float]
    anchor: Sequence[float] = ()
    more_is_better: bool = False
    is_bound: bool = False
    """The goal bounds our own value, in its unit, not the ratio."""

    @property
    def ratio(self) -> Spread | None:
        if not self.anchor:
            return None
        return Spread.of([mine / theirs for mine, theirs in zip(self.ours, self.anchor, strict=True)])

    @property
    def is_met(self) -> bool | None:
        """None where there is nothing to be compared."""
        judged = Spread.of(self.ours) if self.is_bound else self.ratio
        if self.goal is None or judged is None:
            return None
        return judged.middle >= self.goal if self.more_is_better else judged.middle <= self.goal

    @property
    def _verdict(self) -> str:
        if self.goal is None:
            return "–"
        return {True: "yes", False: "**no**", None: "**not measured**"}[self.is_met]

    @property
    def _aim(self) -> str:
        if self.goal is None:
            return "–"
        return f"{'≥' if self.more_is_better else '≤'} {self.goal:g}{f' {self.unit}' if self.is_bound else ''}"

    def row(self) -> str:
        """Of the table."""
        digits = 1 if self.unit in {"ms", "MiB"} else 0 if self.unit == "MB/s" else 2
        cells = [
            self.key,
            self.what,
            f"{Spread.of(self.ours).text(digits)} {self.unit}",
            f"{Spread.of(self.anchor).text(digits)} {self.unit}" if self.anchor else "–",
            self.anchor_is or "–",
            self.ratio.text(2) if self.ratio else "–",
            self._aim,
            self._verdict,
        ]
        return f"| {' | '.join(cells)} |"


@dataclass
class Outcome:
    """What a benchmark found, and sentences that belong beside its figures."""

    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least ``percent`` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


def table(figures: Sequence[Figure]) -> str:
    """Markdown. Values are medians of the rounds, with the lowest and highest round in brackets."""
    lines = [
        "| | What | Ours | Anchor | Anchor is | Ratio | Goal | Met |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *(figure.row() for figure in figures)])
