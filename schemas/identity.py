"""Wrong-patient protection: does a file belong to the case's patient (DOMAIN rules)?

The rules, in this order:

- contradictory: the birth date is another one, or the name is clearly another one, or the sexes are male and female, or
  the patient numbers of the same issuer differ. One contradiction is enough; nothing outweighs it.
- exact: the name is the same but for case, diacritics, transliteration and word breaks, and so is the birth date.
- probable: a name, birth date or patient number agrees, but something is missing or was tolerated (names swapped or
  rearranged, initials, fewer names, one wrong letter). Twins can differ by one letter: probable is shown, never
  treated as exact.
- absent: neither name nor birth date nor patient number could be compared. Sex alone identifies nobody.

An empty or other sex never contradicts. Numbers of different issuers are never compared (PS3.3 C.7.1.1: PatientID is
unique within its issuer only).
"""

import re
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Final, Self

from pydantic import BaseModel, ConfigDict

from schemas.clinical import Sex
from schemas.identity_reasons import MEANINGS, Attribute, ReasonCode, Verdict
from schemas.person_names import PersonName, compare_name_groups, fold_tokens, is_named, parse_person_name

__all__ = [
    "Attribute",
    "IdentityComparison",
    "IdentityOutcome",
    "PatientInFiles",
    "PersonIdentity",
    "PersonName",
    "Reason",
    "ReasonCode",
    "Verdict",
    "combine",
    "compare",
    "distinct_patients",
    "fold_tokens",
    "parse_birth_date",
    "parse_person_name",
]


class IdentityOutcome(StrEnum):
    EXACT = "exact"
    PROBABLE = "probable"
    CONTRADICTORY = "contradictory"
    ABSENT = "absent"


class PersonIdentity(BaseModel):
    """Who somebody is, as a case or a file says it. All of it is PHI. ``other_names``: the name in further scripts."""

    model_config = ConfigDict(frozen=True, str_strip_whitespace=True)

    family: str = ""
    given: str = ""
    middle: str = ""
    birth_date: date | None = None
    sex: Sex = Sex.UNKNOWN
    patient_id: str = ""
    issuer: str = ""
    other_names: tuple[PersonName, ...] = ()

    @classmethod
    def from_dicom(
        cls,
        *,
        patient_name: str | None,
        birth_date: str | None,
        sex: str | None,
        patient_id: str | None = None,
        issuer: str | None = None,
    ) -> Self:
        """From the Patient Module's values as text. What cannot be read counts as missing; nothing raises."""
        name, *others = parse_person_name(_readable(patient_name)) or (PersonName(),)
        return cls(
            family=name.family,
            given=name.given,
            middle=name.middle,
            birth_date=parse_birth_date(birth_date),
            sex=Sex.from_dicom(sex),
            patient_id=_readable(patient_id),
            issuer=_readable(issuer),
            other_names=tuple(others),
        )

    @property
    def full_name(self) -> str:
        """As it is spoken: given, middle, family."""
        return " ".join(part for part in (self.given, self.middle, self.family) if part)

    @property
    def names(self) -> tuple[PersonName, ...]:
        return PersonName(family=self.family, given=self.given, middle=self.middle), *self.other_names


def _readable(text: str | None) -> str:
    """Without padding; bytes that no character set explained (lone surrogates) become ``?``."""
    return (text or "").encode("utf-8", "replace").decode().strip("\0 ")


_DA: Final = re.compile(r"(\d{4})(\.?)(\d{2})\2(\d{2})", re.ASCII)
_LAST_PLACEHOLDER: Final = date(1900, 1, 1)


def parse_birth_date(text: str | None) -> date | None:
    """A DICOM date (PS3.5 §6.2, DA: YYYYMMDD, formerly YYYY.MM.DD); None when it is not one.

    1900-01-01 and earlier is what devices write when they know nothing: None, too.
    """
    match = _DA.fullmatch((text or "").strip("\0 "))
    if not match:
        return None
    try:
        day = date(int(match[1]), int(match[3]), int(match[4]))
    except ValueError:
        return None
    return day if day > _LAST_PLACEHOLDER else None


class Reason(BaseModel):
    """What one attribute contributed. Holds no personal data."""

    model_config = ConfigDict(frozen=True)

    code: ReasonCode

    @property
    def attribute(self) -> Attribute:
        return MEANINGS[self.code].attribute

    @property
    def verdict(self) -> Verdict:
        return MEANINGS[self.code].verdict

    @property
    def sentence(self) -> str:
        """A message id for translation."""
        return MEANINGS[self.code].sentence


class IdentityComparison(BaseModel):
    """The outcome and the reason of every attribute: name, birth date, sex, patient number."""

    model_config = ConfigDict(frozen=True)

    outcome: IdentityOutcome
    reasons: tuple[Reason, ...]


def compare(case: PersonIdentity, found: PersonIdentity) -> IdentityComparison:
    """Compare what a file says with the case. Symmetric."""
    codes = (
        compare_name_groups(case.names, found.names),
        _compare_birth_dates(case, found),
        _compare_sexes(case, found),
        _compare_patient_ids(case, found),
    )
    name, birth_date, _, patient_id = verdicts = [MEANINGS[code].verdict for code in codes]
    if Verdict.CONTRADICTS in verdicts:
        outcome = IdentityOutcome.CONTRADICTORY
    elif name is birth_date is Verdict.AGREES:
        outcome = IdentityOutcome.EXACT
    elif {name, birth_date, patient_id} == {Verdict.SILENT}:
        outcome = IdentityOutcome.ABSENT
    else:
        outcome = IdentityOutcome.PROBABLE
    return IdentityComparison(outcome=outcome, reasons=tuple(Reason(code=code) for code in codes))


def _compare_birth_dates(a: PersonIdentity, b: PersonIdentity) -> ReasonCode:
    if a.birth_date is None or b.birth_date is None:
        return ReasonCode.BIRTH_DATE_MISSING
    return ReasonCode.BIRTH_DATE_EQUAL if a.birth_date == b.birth_date else ReasonCode.BIRTH_DATE_DIFFERENT


def _compare_sexes(a: PersonIdentity, b: PersonIdentity) -> ReasonCode:
    if not {a.sex, b.sex} <= {Sex.FEMALE, Sex.MALE}:
        return ReasonCode.SEX_UNKNOWN
    return ReasonCode.SEX_EQUAL if a.sex is b.sex else ReasonCode.SEX_OPPOSITE


def _compare_patient_ids(a: PersonIdentity, b: PersonIdentity) -> ReasonCode:
    if not (a.patient_id and b.patient_id):
        return ReasonCode.PATIENT_ID_MISSING
    if not a.issuer or a.issuer.casefold() != b.issuer.casefold():
        return ReasonCode.PATIENT_ID_OTHER_ISSUER
    return ReasonCode.PATIENT_ID_EQUAL if a.patient_id == b.patient_id else ReasonCode.PATIENT_ID_DIFFERENT


def combine(outcomes: Iterable[IdentityOutcome]) -> IdentityOutcome:
    """The outcome of a set of files: the most doubtful one that any file gives; of no file, absent.

    Files without an identity (photographs, documents) do not weigh on files with one.
    """
    found = set(outcomes)
    for outcome in (IdentityOutcome.CONTRADICTORY, IdentityOutcome.PROBABLE, IdentityOutcome.EXACT):
        if outcome in found:
            return outcome
    return IdentityOutcome.ABSENT


class PatientInFiles(BaseModel):
    """One patient as the first file says it, and the files that may be this patient's, in the order given."""

    model_config = ConfigDict(frozen=True)

    person: PersonIdentity
    files: tuple[str, ...]


_MOST_SPELLINGS: Final = 100


def distinct_patients(files: Iterable[tuple[str, PersonIdentity]], limit: int = 20) -> tuple[PatientInFiles, ...]:
    """Who is in which file, of a ZIP or a folder: more than one entry means more than one patient.

    Files of one patient contradict each other nowhere. One wrong letter is tolerated here only with the same patient
    number: files of one device that name two people so alike are siblings rather than typing errors. Files without any
    identity are left out. A hostile archive may hold thousands of identities: the search ends once ``limit`` patients
    are found, and beyond `_MOST_SPELLINGS` every further spelling counts as another patient.
    """
    by_identity: dict[PersonIdentity, list[tuple[int, str]]] = {}
    for place, (file, person) in enumerate(files):
        by_identity.setdefault(person, []).append((place, file))
    known = [person for person in by_identity if _identifies(person)]
    groups: list[list[PersonIdentity]] = []
    for spelling, person in enumerate(known):
        searched = groups if spelling < _MOST_SPELLINGS else []
        home = next((group for group in searched if all(_may_be_one(person, other) for other in group)), None)
        if home is not None:
            home.append(person)
        elif len(groups) < limit:
            groups.append([person])
        else:
            break
    return tuple(
        PatientInFiles(
            person=group[0],
            files=tuple(file for _, file in sorted(entry for person in group for entry in by_identity[person])),
        )
        for group in groups
    )


def _identifies(person: PersonIdentity) -> bool:
    numbered = bool(person.patient_id and person.issuer)
    return numbered or person.birth_date is not None or any(is_named(name) for name in person.names)


def _may_be_one(a: PersonIdentity, b: PersonIdentity) -> bool:
    comparison = compare(a, b)
    if comparison.outcome is IdentityOutcome.CONTRADICTORY:
        return False
    alike = comparison.reasons[0].code is ReasonCode.NAME_TYPO
    return not alike or (bool(a.patient_id) and a.patient_id == b.patient_id)
