"""The conformance statement's table of transfer syntaxes is the reader's own."""

import re
from pathlib import Path

from activities.imaging.parser.syntaxes import SYNTAXES

PAGE = Path(__file__).parents[3] / "docs" / "dicom-conformance.md"


def test_the_page_lists_every_syntax_that_is_read_and_what_becomes_of_its_frames() -> None:
    rows = re.findall(r"^\| (.+) \| (1\.2\.840\.10008\.1\.2[.\d]*) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    assert rows == [
        (syntax.name, uid, "as stored" if syntax.in_browsers else "always decoded")
        for uid, syntax in SYNTAXES.items()
        if syntax.coding is not None
    ]
