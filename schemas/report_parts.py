"""The parts that a report is made of: examination, quality, regions, findings, images, recommendations, communication.

Sources: the sections of an imaging report (DICOM PS3.20); the whole volume is read (AAOMR); communication of
critical findings (ACR practice parameter on communication; DICOM PS3.20 §9.7.2).
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from schemas.checklists import REGIONS
from schemas.clinical import MAX_FIELD_OF_VIEW_MM
from schemas.report_text import Caption, Line, LocalId, LongText, Paragraph, Teeth
from schemas.translation import N_


class ReportPart(BaseModel):
    """What every part of a report has in common. Defaults never change: a hash leaves them out (`report_hash`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Modality(StrEnum):
    """What made the images, by DICOM's code where there is one (PS3.3 C.7.3.1.1.1; PX, IO, DX, CT)."""

    CBCT = "cbct"
    PANORAMIC = "panoramic"
    CEPHALOMETRIC = "cephalometric"
    INTRAORAL = "intraoral"
    OTHER = "other"


class RegionStatus(StrEnum):
    """The mark of one region of the systematic reading (DOMAIN.md)."""

    NORMAL = "normal"
    FINDING = "finding"
    NOT_IN_FIELD_OF_VIEW = "not_in_field_of_view"


class ImageQuality(StrEnum):
    DIAGNOSTIC = "diagnostic"
    LIMITED = "limited"
    NON_DIAGNOSTIC = "non_diagnostic"


class Criticality(StrEnum):
    """How soon a finding must reach a person: minutes, hours, days (ACR practice parameter on communication)."""

    NONE = "none"
    CATEGORY_1 = "1"
    CATEGORY_2 = "2"
    CATEGORY_3 = "3"


class CommunicationMethod(StrEnum):
    TELEPHONE = "telephone"
    IN_PERSON = "in_person"
    VIDEO = "video"
    SECURE_MESSAGE = "secure_message"


class Examination(ReportPart):
    """What was examined, with what, and why."""

    modality: Modality = Modality.CBCT
    acquired_on: date | None = None
    device: Line = ""
    voxel_mm: Annotated[float, Field(gt=0, le=5)] | None = None
    field_of_view_mm: Annotated[float, Field(gt=0, le=MAX_FIELD_OF_VIEW_MM)] | None = None
    """Diameter or largest in-plane side, in millimetres."""
    field_of_view_height_mm: Annotated[float, Field(gt=0, le=MAX_FIELD_OF_VIEW_MM)] | None = None
    indication: Paragraph = ""
    technique: Paragraph = ""
    comparison: Paragraph = ""


class Quality(ReportPart):
    rating: ImageQuality | None = None
    limits: Paragraph = ""


class RegionEntry(ReportPart):
    """One region of the checklist; `status` is None until the reader marks it."""

    code: LocalId
    status: RegionStatus | None = None
    text: Paragraph = ""

    @property
    def label(self) -> str:
        """The message id of the region's name; the code itself for a region that a later checklist dropped."""
        region = REGIONS.get(self.code)
        return region.label if region else self.code


class Finding(ReportPart):
    id: LocalId
    site: Line = ""
    teeth: Teeth = ()
    text: Paragraph = ""
    criticality: Criticality = Criticality.NONE


class AreaOfInterest(ReportPart):
    """The answer to the clinical question at one site."""

    teeth: Teeth = ()
    site: Line = ""
    text: LongText = ""


class KeyImage(ReportPart):
    """A reference: `image_id` names a stored rendering; the bytes are not part of the report's text."""

    image_id: LocalId
    caption: Caption = ""


class FollowUp(ReportPart):
    """What should happen, where and by whom: at a date, or after a number of months (DOMAIN.md)."""

    due_months: Annotated[int, Field(ge=1, le=120)] | None = None
    due_on: date | None = None
    site: Line = ""
    owner: Line = ""

    @model_validator(mode="after")
    def _one_due(self) -> Self:
        if self.due_months is not None and self.due_on is not None:
            raise ValueError("A follow-up is due after some months or on a date, not both.")
        return self


class Recommendation(ReportPart):
    text: Paragraph = ""
    follow_up: FollowUp | None = None


class Communication(ReportPart):
    """Who was told, when and how, and whether it was read back (DICOM PS3.20 §9.7.2; ACR)."""

    recipient: Line = ""
    at: AwareDatetime | None = None
    method: CommunicationMethod | None = None
    read_back: bool = False
    finding_id: LocalId | None = None
    note: Paragraph = ""


MODALITY_LABELS: Final[dict[Modality, str]] = {
    Modality.CBCT: N_("Cone beam CT"),
    Modality.PANORAMIC: N_("Panoramic radiograph"),
    Modality.CEPHALOMETRIC: N_("Cephalometric radiograph"),
    Modality.INTRAORAL: N_("Intraoral radiographs"),
    Modality.OTHER: N_("Other images"),
}

REGION_STATUS_LABELS: Final[dict[RegionStatus, str]] = {
    RegionStatus.NORMAL: N_("Normal"),
    RegionStatus.FINDING: N_("Finding"),
    RegionStatus.NOT_IN_FIELD_OF_VIEW: N_("Not in field of view"),
}

QUALITY_LABELS: Final[dict[ImageQuality, str]] = {
    ImageQuality.DIAGNOSTIC: N_("Diagnostic"),
    ImageQuality.LIMITED: N_("Diagnostic with limits"),
    ImageQuality.NON_DIAGNOSTIC: N_("Not diagnostic"),
}

CRITICALITY_LABELS: Final[dict[Criticality, str]] = {
    Criticality.NONE: N_("Not critical"),
    Criticality.CATEGORY_1: N_("Category 1: tell someone within minutes"),
    Criticality.CATEGORY_2: N_("Category 2: tell someone within hours"),
    Criticality.CATEGORY_3: N_("Category 3: tell someone within days"),
}

METHOD_LABELS: Final[dict[CommunicationMethod, str]] = {
    CommunicationMethod.TELEPHONE: N_("by telephone"),
    CommunicationMethod.IN_PERSON: N_("in person"),
    CommunicationMethod.VIDEO: N_("by video call"),
    CommunicationMethod.SECURE_MESSAGE: N_("by secure message"),
}
