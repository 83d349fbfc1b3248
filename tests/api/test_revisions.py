"""An entity tag is a revision or nothing; what was never a revision reaches no database."""

import pytest

from api.revisions import revision_in


@pytest.mark.parametrize(("tag", "revision"), [('"3"', 3), ('W/"12"', 12), (" 7 ", 7), ('"0"', 0)])
def test_a_tag_names_its_revision_weak_or_strong(tag: str, revision: int) -> None:
    assert revision_in(tag) == revision


@pytest.mark.parametrize("tag", ["", '""', "*", '"-1"', '"three"', '"٣"', '"' + "9" * 40 + '"', '"1", "2"'])
def test_what_was_never_a_revision_is_none(tag: str) -> None:
    assert revision_in(tag) is None
