"""The documentation's lifecycle is the table's."""

from pathlib import Path

from schemas.diagram import put_into

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"


def test_the_lifecycle_in_the_documentation_is_the_tables() -> None:
    page = ARCHITECTURE.read_text()
    assert put_into(page) == page, "run `make docs`"
