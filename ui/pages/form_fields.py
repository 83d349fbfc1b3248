"""From what was typed to the forms of ``schemas``: dates in parts, lists in lines, empty fields as nothing."""

from datetime import date
from typing import Any, Final

from pydantic import ValidationError

from schemas.clinical import ClinicalForm
from schemas.forms import Demographics
from ui.assemble.field_errors import sentences
from ui.assemble.looker import Looker
from ui.pages.typed import Typed

_PERSON_TEXTS: Final = (
    "given_name",
    "family_name",
    "sex",
    "patient_number",
    "issuer",
    "email",
    "phone",
    "address",
    "notes",
)
_CHOICES: Final = ("purpose", "region", "pregnancy")
_TEXTS: Final = ("referrer", "clinical_question", "history", "site_note", "prior_images")


def read_person(
    typed: Typed, looker: Looker, base: Demographics | None = None
) -> tuple[Demographics | None, dict[str, str]]:
    """The person, or one sentence for each field that is wrong. A field that the form lacks stays as in ``base``."""
    fields: dict[str, Any] = base.model_dump() if base else {}
    fields |= {name: typed.text(name) for name in _PERSON_TEXTS if name in typed.values}
    if not fields.get("email"):
        fields["email"] = None
    if not fields.get("sex"):
        fields.pop("sex", None)
    fields["birth_date"] = read_date(typed, "birth_date")
    try:
        person = Demographics.model_validate(fields)
    except ValidationError as error:
        return None, sentences(error.errors(), looker)
    if not person.birth_date.year >= 1900 or person.birth_date > looker.moment.date():
        return None, {"birth_date": looker.say("Check the date of birth: it is in the future or too long ago.")}
    return person, {}


def read_date(typed: Typed, name: str) -> date | None:
    """The date of three fields; None where it is none."""
    parts = [typed.text(f"{name}-{part}") for part in ("year", "month", "day")]
    try:
        return date(*(int(part) for part in parts))
    except (ValueError, OverflowError):
        return None


def read_clinical(typed: Typed, looker: Looker) -> tuple[ClinicalForm | None, dict[str, str]]:
    """The clinical form, which may be unfinished, or one sentence for each field that is wrong."""
    fields: dict[str, Any] = {name: typed.text(name) for name in _TEXTS}
    fields |= {name: typed.text(name) or None for name in _CHOICES}
    fields["copies_to"] = [line.strip() for line in typed.text("copies_to").splitlines() if line.strip()]
    fields["teeth"] = typed.many("teeth")
    fields["consent"] = typed.ticked("consent")
    fields["field_of_view_mm"] = typed.text("field_of_view_mm").replace(",", ".") or None
    try:
        return ClinicalForm.model_validate(fields), {}
    except ValidationError as error:
        return None, sentences(error.errors(), looker)
