"""A practice's patients: the list, a record, and the form of their details."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from api.patient_edits import ImagesSayOtherwise
from api.patient_facts import PatientCases
from schemas.clinical import SEX_LABELS, Sex
from schemas.forms import Demographics
from schemas.tables.people import Patient
from schemas.translation import N_
from ui.assemble.looker import Looker
from ui.views import Duplicate, FormState, Option, PatientRow
from ui.views.forms import Value

FIELDS: Final[Mapping[str, str]] = {
    "given_name": N_("First name"),
    "family_name": N_("Family name"),
    "birth_date": N_("Date of birth"),
    "sex": N_("Sex"),
    "patient_number": N_("Your patient number"),
    "issuer": N_("Issuer of the number"),
    "email": N_("Email"),
    "phone": N_("Phone"),
    "address": N_("Address"),
    "notes": N_("Notes"),
}
"""Of ``schemas.forms.Demographics``, in the order of the form."""


def sex_options(looker: Looker) -> tuple[Option, ...]:
    return tuple(Option(value=sex, word=looker.say(word)) for sex, word in SEX_LABELS.items())


def patient_rows(
    patients: Sequence[tuple[Patient, Demographics]], cases: Mapping[str, PatientCases], looker: Looker
) -> tuple[PatientRow, ...]:
    return tuple(_row(patient, person, cases.get(patient.id), looker) for patient, person in patients)


def _row(patient: Patient, person: Demographics, cases: PatientCases | None, looker: Looker) -> PatientRow:
    waiting = cases.waiting if cases else 0
    return PatientRow(
        url=f"/patients/{patient.id}",
        name=person.full_name,
        born=person.birth_date,
        sex=looker.say(SEX_LABELS[person.sex]),
        number=person.patient_number,
        cases=cases.total if cases else 0,
        last=cases.last if cases else None,
        waiting=looker.say_many(N_("%(num)s waits for you"), N_("%(num)s wait for you"), waiting) if waiting else "",
    )


def duplicates(found: Sequence[tuple[Patient, Demographics]], looker: Looker, *, why: str) -> tuple[Duplicate, ...]:
    return tuple(
        Duplicate(name=person.full_name, born=person.birth_date, url=f"/patients/{patient.id}", why=looker.say(why))
        for patient, person in found
    )


def details_as_typed(person: Demographics, *, revision: int) -> FormState:
    """The form filled with what is on record. ``revision`` travels with it, so that nobody's edit is lost."""
    born = person.birth_date
    values: dict[str, Value] = {name: str(getattr(person, name) or "") for name in FIELDS if name != "birth_date"}
    values |= {
        "sex": person.sex.value,
        "birth_date-day": str(born.day),
        "birth_date-month": str(born.month),
        "birth_date-year": str(born.year),
        "revision": str(revision),
    }
    return FormState(values=values)


def differences(stored: Demographics, typed: Demographics, looker: Looker) -> tuple[tuple[str, str, str], ...]:
    """(field, what is on record now, what was typed) where the two differ."""
    return tuple(
        (looker.say(word), _shown(getattr(stored, name), looker), _shown(getattr(typed, name), looker))
        for name, word in FIELDS.items()
        if getattr(stored, name) != getattr(typed, name)
    )


def images_say_otherwise(fact: ImagesSayOtherwise, looker: Looker) -> dict[str, str]:
    """What is wrong with each field: the first one has the way out, too."""
    first, *others = fact.fields
    words = {first: looker.say(fact.way_out, cases=fact.numbers)}
    return words | {
        field: looker.say(N_("The images of case %(cases)s say otherwise."), cases=fact.numbers) for field in others
    }


def _shown(value: object, looker: Looker) -> str:
    if isinstance(value, Sex):
        return looker.say(SEX_LABELS[value])
    if isinstance(value, date):
        return looker.day(value)
    return str(value or "–")
