"""The benchmarks run, and their table renders. Nothing here is timed: figures belong to a quiet machine."""

import asyncio
from pathlib import Path

import pytest

from bench.__main__ import BENCHMARKS
from bench.commands import measure
from bench.measures import Figure, percentile, table
from bench.report import BEGIN, END, machine, write_table


def figure(**changes: object) -> Figure:
    said: dict[str, object] = {
        "key": "P0",
        "what": "a step",
        "anchor_is": "a bare one",
        "unit": "ms",
        "goal": 1.5,
        "ours": [12.0, 10.0, 14.0],
        "anchor": [10.0, 10.0, 10.0],
    }
    return Figure(**(said | changes))  # type: ignore[arg-type]


def test_a_command_and_its_anchor_are_measured_on_a_real_system() -> None:
    timings = asyncio.run(measure(rounds=1, count=2))
    assert [len(each) for each in (timings.ours[0], timings.anchor[0], timings.read[0])] == [2, 2, 2]
    assert all(value > 0 for value in timings.ours[0] + timings.anchor[0])


def test_every_benchmark_can_be_loaded() -> None:
    from importlib import import_module

    assert all(callable(import_module(module).run) for module in BENCHMARKS.values())


def test_a_row_shows_median_spread_ratio_and_whether_the_goal_is_met() -> None:
    row = table([figure()]).splitlines()[-1]
    assert (
        row
        == "| P0 | a step | 12.0 (10.0–14.0) ms | 10.0 (10.0–10.0) ms | a bare one | 1.20 (1.00–1.40) | ≤ 1.5 | yes |"
    )


@pytest.mark.parametrize(
    ("changes", "met"),
    [
        ({"goal": 1.1}, False),
        ({"goal": 1.1, "more_is_better": True}, True),
        ({"goal": 1.3, "more_is_better": True}, False),
        ({"goal": None}, None),
        ({"anchor": []}, None),
    ],
)
def test_a_goal_is_judged_by_the_median_of_the_ratios(changes: dict[str, object], met: bool | None) -> None:
    assert figure(**changes).is_met is met


def test_the_percentile_is_a_value_that_was_measured() -> None:
    assert percentile(list(range(1, 101)), 95) == 95
    assert percentile([3.0], 95) == 3.0


def test_the_table_is_written_between_its_markers_and_nowhere_else(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_table(page, table([figure()]))
    written = page.read_text()
    assert written.startswith(f"before\n{BEGIN}\n")
    assert written.endswith(f"{END}\nafter\n")
    assert "old" not in written
    assert "| P0 |" in written


def test_a_page_without_a_place_for_the_table_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text("nothing here")
    with pytest.raises(ValueError, match="no place"):
        write_table(page, "")


def test_the_real_page_has_its_place() -> None:
    page = (Path(__file__).parents[2] / "docs" / "performance.md").read_text()
    assert page.index(BEGIN) < page.index(END)


def test_the_paragraph_above_the_table_says_where_it_was_measured() -> None:
    said = machine(3, 0.5)
    assert "3 interleaved rounds" in said
    assert "temporalio" in said
