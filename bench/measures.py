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

    @property
    def ratio(self) -> Spread | None:
        if not self.anchor:
            return None
        return Spread.of([mine / theirs for mine, theirs in zip(self.ours, self.anchor, strict=True)])

    @property
    def is_met(self) -> bool | None:
        """None where there is nothing to be compared."""
        if self.goal is None or self.ratio is None:
            return None
        return self.ratio.middle >= self.goal if self.more_is_better else self.ratio.middle <= self.goal


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
    for figure in figures:
        digits = 1 if figure.unit == "ms" else 2
        ratio, met = figure.ratio, figure.is_met
        cells = [
            figure.key,
            figure.what,
            f"{Spread.of(figure.ours).text(digits)} {figure.unit}",
            f"{Spread.of(figure.anchor).text(digits)} {figure.unit}" if figure.anchor else "–",
            figure.anchor_is or "–",
            ratio.text(2) if ratio else "–",
            "–" if figure.goal is None else f"{'≥' if figure.more_is_better else '≤'} {figure.goal:g}",
            "–" if met is None else ("yes" if met else "**no**"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
