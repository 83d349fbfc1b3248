"""docs/promises.md names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "promises.md").read_text()


def test_every_test_that_a_promise_names_exists() -> None:
    missing = []
    for path, _, name in re.findall(r"`(tests/[\w/]+\.py)(::(test_\w+))?`", PAGE):
        file = ROOT / path
        if not file.exists() or (name and f"def {name}(" not in file.read_text()):
            missing.append(f"{path}::{name}" if name else path)
    assert missing == []


def test_every_promise_is_shown_or_admitted() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("|") and not re.match(r"\|[-| ]+\|$", line)]
    bare = [row for row in rows[1:] if "`tests/" not in row and "not yet" not in row.lower() and "Shown by" not in row]
    assert bare == []


def test_every_invariant_has_its_row_once() -> None:
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)] == list(range(1, 21))


def test_what_is_not_there_yet_is_promised_in_part_only() -> None:
    halves = [
        line
        for line in PAGE.splitlines()
        if line.startswith("|") and "`tests/" in line and "not yet" in line.lower() and "*In part*" not in line
    ]
    assert halves == []
