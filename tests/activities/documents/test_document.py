"""What a document may be: its status is derived, its versions are whole, its file name says nothing."""

from typing import Any

import pytest
from pydantic import ValidationError

from activities.documents.document import DocumentStatus, ReportDocument, locale_of
from schemas.signed_report import Withdrawal
from tests.activities.documents.samples import AUTHOR, NOW, appended, content, document, signed


def test_a_document_survives_json_with_its_pictures() -> None:
    made = document(letterhead=document().letterhead.model_copy(update={"logo": b"\x89PNG\xff\x00"}))
    assert ReportDocument.model_validate_json(made.model_dump_json()) == made


def test_the_status_follows_from_the_versions() -> None:
    assert document().status is DocumentStatus.FINAL
    assert document(superseded_by=2).status is DocumentStatus.SUPERSEDED
    assert document(draft=content()).status is DocumentStatus.DRAFT
    assert document(draft=content(), preliminary_author=AUTHOR).status is DocumentStatus.PRELIMINARY
    withdrawal = Withdrawal(name="Dr. Ines Falk", at=NOW, reason="Wrong patient.")
    assert document(withdrawal=withdrawal, superseded_by=2).status is DocumentStatus.WITHDRAWN


def test_the_text_of_an_appended_version_keeps_its_first_signature() -> None:
    first = signed(content())
    made = document(appended(first, "More."), earlier=(first,))
    assert made.text_version == first


@pytest.mark.parametrize(
    "facts",
    [
        {"draft": content(), "report": signed(content())},
        {"draft": content(), "superseded_by": 2},
        {"preliminary_author": AUTHOR},
        {"report": appended(signed(content()), "More.")},
        {"report": appended(signed(content()), "More."), "earlier": (signed(content()),), "superseded_by": 2},
        {"images": ()},
        {"locale": "xx-YY"},
        {"time_zone": "../../etc/passwd"},
        {"generated_at": "2026-11-24T10:00:00"},
    ],
)
def test_a_document_that_would_mislead_is_refused(facts: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        document(**facts)


def test_an_accent_colour_is_a_colour_and_nothing_else() -> None:
    with pytest.raises(ValidationError):
        document().letterhead.model_validate({"name": "P", "accent": "red; background: url(http://127.0.0.1/)"})


def test_a_territory_that_a_language_lacks_falls_back_to_the_language() -> None:
    assert str(locale_of("de-CA")) == "de"
    assert str(locale_of("fr-CA")) == "fr_CA"
