"""What a signed version keeps of the world it was signed in: patient, practice, study, and what lies beside the text.

A version is rendered again when a later one supersedes it, and read years later: then the patient may have another name
and the practice another address, and neither may change what was signed (invariants 7, 8).
"""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from schemas.clinical import Sex
from schemas.report_parts import ReportPart
from schemas.report_text import LocalId, clean_line
from schemas.teeth import Notation

Sha256Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
FactLine = Annotated[str, AfterValidator(clean_line), Field(max_length=1_000)]
"""One line as it is on record. Wider than any column it comes from: a signature never fails for an address."""
AddressLines = Annotated[tuple[FactLine, ...], Field(max_length=5)]


class PatientFacts(ReportPart):
    """Who the report is about (PS3.3 C.7.1.1: name, birth date, sex, patient id within its issuer). PHI."""

    name: FactLine
    birth_date: date
    sex: Sex
    number: FactLine = ""
    issuer: FactLine = ""


class GroupFacts(ReportPart):
    """The reading group."""

    name: FactLine
    address_lines: AddressLines = ()
    phone: FactLine = ""


class PracticeFacts(ReportPart):
    """The practice that asked, and how it reads: its tooth notation, language and clock decide what the page says."""

    name: FactLine
    address_lines: AddressLines = ()
    phone: FactLine = ""
    notation: Notation
    locale: FactLine
    time_zone: FactLine


class StudyFacts(ReportPart):
    """What was asked, by whom, and who read it. ``accession_number`` is (0008,0050), the case's number."""

    accession_number: FactLine
    referrer: FactLine = ""
    copies_to: Annotated[tuple[FactLine, ...], Field(max_length=10)] = ()
    reading_group: GroupFacts | None = None
    identity_overridden: bool = False
    """The images carried another identity, and two people agreed that they are this patient's."""


class CoveredPicture(ReportPart):
    image_id: LocalId
    sha256: Sha256Hex
    """Of the picture's bytes as they are printed."""


class CoveredImages(ReportPart):
    """What the signature covers beside the words, by SHA-256: the marks as canonical JSON, each key image, the image set."""

    marks: Sha256Hex
    pictures: Annotated[tuple[CoveredPicture, ...], Field(max_length=24)] = ()
    image_set: int
    image_set_hash: Sha256Hex
