"""The clinical form of a case: what a reader must be told before images mean anything (DOMAIN.md, "Intake asks").

A form is saved while it is being filled in, so every field may be empty; `ClinicalForm.missing_for_submission` says what
a submission still needs. Everything here is PHI once it is filled in: it is stored encrypted under the case's key.
"""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.translation import N_


class Purpose(StrEnum):
    """Why the study was made. It decides, with the field of view, the report's checklist (schemas/checklists.py)."""

    IMPLANT = "implant"
    ENDODONTICS = "endodontics"
    IMPACTION = "impaction"
    TMD = "tmd"
    AIRWAY = "airway"
    ORTHODONTICS = "orthodontics"
    PATHOLOGY = "pathology"
    TRAUMA = "trauma"


class Sex(StrEnum):
    """PatientSex as DICOM codes it (PS3.3 C.2.3, (0010,0040)), and `unknown` for an empty attribute."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"

    @property
    def dicom(self) -> str:
        """``F``, ``M``, ``O`` or the empty string."""
        return {"female": "F", "male": "M", "other": "O"}.get(self.value, "")

    @classmethod
    def from_dicom(cls, value: str | None) -> "Sex":
        """From a (0010,0040) value of any case; what the standard does not define is unknown."""
        return {"F": cls.FEMALE, "M": cls.MALE, "O": cls.OTHER}.get((value or "").strip().upper(), cls.UNKNOWN)


class Region(StrEnum):
    """Where the practice asks the reader to look, when it is not, or not only, a tooth."""

    UPPER_RIGHT = "upper_right"
    UPPER_ANTERIOR = "upper_anterior"
    UPPER_LEFT = "upper_left"
    LOWER_RIGHT = "lower_right"
    LOWER_ANTERIOR = "lower_anterior"
    LOWER_LEFT = "lower_left"
    MAXILLA = "maxilla"
    MANDIBLE = "mandible"
    BOTH_JAWS = "both_jaws"
    SINUSES = "sinuses"
    TMJ_RIGHT = "tmj_right"
    TMJ_LEFT = "tmj_left"
    TMJ_BOTH = "tmj_both"
    AIRWAY = "airway"
    WHOLE_VOLUME = "whole_volume"


class Pregnancy(StrEnum):
    """The answer where the question matters. DICOM's Pregnancy Status (0010,21C0) has no "not asked": None is that."""

    NOT_PREGNANT = "not_pregnant"
    POSSIBLY_PREGNANT = "possibly_pregnant"
    PREGNANT = "pregnant"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


PREGNANCY_AGES: Final = (10, 55)
"""Whole years, both ends included, in which the form asks about pregnancy."""


def pregnancy_matters(sex: Sex, age_years: int | None) -> bool:
    """Whether the form asks: not for a man, nor outside `PREGNANCY_AGES`. An unknown sex or age is asked."""
    if sex is Sex.MALE:
        return False
    return age_years is None or PREGNANCY_AGES[0] <= age_years <= PREGNANCY_AGES[1]


FDI_PATTERN: Final = r"^(?:(?:[1-4][1-8]|[5-8][1-5])S?|\?S?)$"
"""A tooth as it is stored (`schemas.teeth.Tooth.code`). ISO 3950: quadrants 1–4 with eight permanent teeth, 5–8 with five
deciduous teeth; with S an extra tooth beside the one named; ``?`` an unidentified tooth."""

FdiTooth = Annotated[str, StringConstraints(strip_whitespace=True, pattern=FDI_PATTERN)]
PersonLine = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]

MAX_FIELD_OF_VIEW_MM: Final = 400.0


class ClinicalForm(BaseModel):
    """What the practice tells the reader. Empty is allowed while the case is a draft, unknown fields never are."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    referrer: str = Field("", max_length=200, description="Name of the referring dentist as the report addresses it.")
    copies_to: list[PersonLine] = Field(default_factory=list, max_length=10, description="Others who get the report.")
    purpose: Purpose | None = None
    clinical_question: str = Field("", max_length=2000)
    history: str = Field("", max_length=4000, description="Dental and medical history that bears on the question.")
    teeth: list[FdiTooth] = Field(default_factory=list, max_length=52, description="Stored ISO 3950 (FDI) codes.")
    region: Region | None = None
    site_note: str = Field("", max_length=300, description="The site in words, where no number says it.")
    prior_images: str = Field(
        "", max_length=1000, description="Earlier images: what, when, where; or that there are none."
    )
    pregnancy: Pregnancy | None = None
    consent: bool = Field(False, description="The patient agreed that images and record go to the reader.")
    field_of_view_mm: float | None = Field(
        None, gt=0, le=MAX_FIELD_OF_VIEW_MM, description="Largest side of the volume in millimetres, where known."
    )

    def missing_for_submission(self, *, ask_pregnancy: bool = False) -> list[str]:
        """Codes of the fields that a submission still needs, in the form's order; empty means complete.

        A tooth, a region or a note on the site: one of the three is enough (code ``teeth``). `ask_pregnancy` is the
        answer of `pregnancy_matters` for the case's patient.
        """
        missing: list[str] = []
        if not self.referrer:
            missing.append("referrer")
        if self.purpose is None:
            missing.append("purpose")
        if not self.clinical_question:
            missing.append("clinical_question")
        if not (self.teeth or self.region or self.site_note):
            missing.append("teeth")
        if ask_pregnancy and self.pregnancy is None:
            missing.append("pregnancy")
        if not self.consent:
            missing.append("consent")
        return missing


FIELD_LABELS: Final[dict[str, str]] = {
    "referrer": N_("Referring dentist"),
    "copies_to": N_("Copies to"),
    "purpose": N_("Purpose of the study"),
    "clinical_question": N_("Clinical question"),
    "history": N_("History"),
    "teeth": N_("Teeth"),
    "region": N_("Region"),
    "site_note": N_("Site in words"),
    "prior_images": N_("Earlier images"),
    "pregnancy": N_("Pregnancy"),
    "consent": N_("Consent of the patient"),
    "field_of_view_mm": N_("Field of view (mm)"),
}

PURPOSE_LABELS: Final[dict[Purpose, str]] = {
    Purpose.IMPLANT: N_("Implant planning"),
    Purpose.ENDODONTICS: N_("Endodontics"),
    Purpose.IMPACTION: N_("Impacted teeth"),
    Purpose.TMD: N_("Temporomandibular joints"),
    Purpose.AIRWAY: N_("Airway"),
    Purpose.ORTHODONTICS: N_("Orthodontics"),
    Purpose.PATHOLOGY: N_("Pathology"),
    Purpose.TRAUMA: N_("Trauma"),
}

SEX_LABELS: Final[dict[Sex, str]] = {
    Sex.FEMALE: N_("Female"),
    Sex.MALE: N_("Male"),
    Sex.OTHER: N_("Other"),
    Sex.UNKNOWN: N_("Not stated"),
}

REGION_LABELS: Final[dict[Region, str]] = {
    Region.UPPER_RIGHT: N_("Upper right"),
    Region.UPPER_ANTERIOR: N_("Upper front"),
    Region.UPPER_LEFT: N_("Upper left"),
    Region.LOWER_RIGHT: N_("Lower right"),
    Region.LOWER_ANTERIOR: N_("Lower front"),
    Region.LOWER_LEFT: N_("Lower left"),
    Region.MAXILLA: N_("Upper jaw"),
    Region.MANDIBLE: N_("Lower jaw"),
    Region.BOTH_JAWS: N_("Both jaws"),
    Region.SINUSES: N_("Maxillary sinuses"),
    Region.TMJ_RIGHT: N_("Right jaw joint"),
    Region.TMJ_LEFT: N_("Left jaw joint"),
    Region.TMJ_BOTH: N_("Both jaw joints"),
    Region.AIRWAY: N_("Airway"),
    Region.WHOLE_VOLUME: N_("Whole volume"),
}

PREGNANCY_LABELS: Final[dict[Pregnancy, str]] = {
    Pregnancy.NOT_PREGNANT: N_("Not pregnant"),
    Pregnancy.POSSIBLY_PREGNANT: N_("Possibly pregnant"),
    Pregnancy.PREGNANT: N_("Pregnant"),
    Pregnancy.UNKNOWN: N_("Not known"),
    Pregnancy.NOT_APPLICABLE: N_("Does not apply"),
}
