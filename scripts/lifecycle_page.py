"""Writes the lifecycle into docs/architecture.md: ``make docs``."""

from pathlib import Path

from schemas.diagram import put_into

PAGE = Path(__file__).parents[1] / "docs" / "architecture.md"

if __name__ == "__main__":
    PAGE.write_text(put_into(PAGE.read_text()))
