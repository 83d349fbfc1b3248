"""Everything that one report PDF shows. A renderer reads nothing else: no database, no file, no network."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from schemas.clinical import Sex
from schemas.report import ReportContent
from schemas.report_text import Line, LocalId, Paragraph
from schemas.signed_facts import AddressLines, FactLine
from schemas.signed_report import Signature, SignedReport, Withdrawal
from schemas.sla import AmendmentKind
from schemas.teeth import Notation
from schemas.translation import N_

MAX_IMAGE_BYTES = 12 * 2**20
MAX_LOGO_BYTES = 2**20


def locale_of(tag: str) -> Locale:
    """The locale of a BCP 47 tag; where the territory is not known with this language, the language alone.

    Raises ValueError.
    """
    for candidate in (tag, tag.split("-", maxsplit=1)[0]):
        try:
            return Locale.parse(candidate, sep="-")
        except UnknownLocaleError:
            continue
    raise ValueError("This locale is not known.")


def _known_locale(tag: str) -> str:
    locale_of(tag)
    return tag


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise ValueError("This time zone is not known.") from unknown
    return name


LocaleTag = Annotated[str, Field(max_length=35), AfterValidator(_known_locale)]
"""A BCP 47 tag such as ``en-CA``."""
ZoneName = Annotated[str, Field(max_length=64), AfterValidator(_known_zone)]
"""An IANA time zone such as ``America/Toronto``."""
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]


class DocumentPart(BaseModel):
    """Frozen, closed, and the same after a round trip through JSON (bytes as base64)."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_bytes="base64", val_json_bytes="base64")


class PageSize(StrEnum):
    A4 = "a4"
    LETTER = "letter"


class DocumentStatus(StrEnum):
    DRAFT = "draft"
    PRELIMINARY = "preliminary"
    FINAL = "final"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


STATUS_LABELS: dict[DocumentStatus, str] = {
    DocumentStatus.DRAFT: N_("Draft: not signed"),
    DocumentStatus.PRELIMINARY: N_("Preliminary: not approved"),
    DocumentStatus.FINAL: N_("Final report"),
    DocumentStatus.SUPERSEDED: N_("Superseded by version %(version)s"),
    DocumentStatus.WITHDRAWN: N_("Entered in error"),
}


class Letterhead(DocumentPart):
    """The practice, as it writes letters. The logo is PNG or JPEG."""

    name: FactLine
    address_lines: AddressLines = ()
    phone: FactLine = ""
    email: Line = ""
    website: Line = ""
    logo: Annotated[bytes, Field(max_length=MAX_LOGO_BYTES)] | None = None
    accent: Colour = "#1d5c87"


class ReadingGroup(DocumentPart):
    name: FactLine
    address_lines: AddressLines = ()
    phone: FactLine = ""


class PatientBlock(DocumentPart):
    name: FactLine
    birth_date: date | None = None
    sex: Sex = Sex.UNKNOWN
    patient_id: FactLine = ""
    issuer: FactLine = ""
    """Who issued the patient id (DICOM (0010,0021))."""


class ImageAsset(DocumentPart):
    """The bytes (JPEG or PNG) of one key image, and where its millimetres come from (DOMAIN.md, spacing provenance)."""

    image_id: LocalId
    data: Annotated[bytes, Field(min_length=1, max_length=MAX_IMAGE_BYTES)]
    spacing_note: Line = ""


class ReportDocument(DocumentPart):
    """One PDF: a signed version (`report`, with every version before it in `earlier`), or a `draft`."""

    report_id: LocalId
    case_reference: Line = ""
    page_size: PageSize = PageSize.A4
    letterhead: Letterhead
    reading_group: ReadingGroup | None = None
    patient: PatientBlock
    referrer: FactLine = ""
    copies_to: Annotated[tuple[FactLine, ...], Field(max_length=10)] = ()
    report: SignedReport | None = None
    draft: ReportContent | None = None
    preliminary_author: Signature | None = None
    """Who submitted the draft for approval; a preliminary report names them, but shows no signature."""
    earlier: Annotated[tuple[SignedReport, ...], Field(max_length=50)] = ()
    superseded_by: Annotated[int, Field(ge=2)] | None = None
    withdrawal: Withdrawal | None = None
    notices: Annotated[tuple[Paragraph, ...], Field(max_length=6)] = ()
    """Facts for the top of the first page: an identity override, images that came after the signature."""
    images: Annotated[tuple[ImageAsset, ...], Field(max_length=24)] = ()
    notation: Notation = Notation.FDI
    locale: LocaleTag = "en"
    time_zone: ZoneName = "UTC"
    generated_at: AwareDatetime

    @model_validator(mode="after")
    def _is_one_document(self) -> Self:
        if (self.report is None) == (self.draft is None):
            raise ValueError("A document shows a signed report or a draft, and only one of them.")
        if self.report is None and (self.earlier or self.superseded_by or self.withdrawal):
            raise ValueError("A draft has no versions.")
        if self.report is not None:
            if self.preliminary_author is not None:
                raise ValueError("A signed report is not preliminary.")
            if [version.version for version in self.earlier] != list(range(1, self.report.version)):
                raise ValueError("Every earlier version is needed, in order.")
            if self.superseded_by is not None and self.superseded_by <= self.report.version:
                raise ValueError("A version is superseded by a later one.")
        held = {image.image_id for image in self.images}
        if any(image.image_id not in held for image in self.content.key_images):
            raise ValueError("A key image has no picture.")
        return self

    @property
    def content(self) -> ReportContent:
        content = self.report.content if self.report else self.draft
        if content is None:
            raise ValueError("A document shows a signed report or a draft.")
        return content

    @property
    def day(self) -> date:
        """By which an age is counted where the examination has no date; a rendering years later shows the same age."""
        return (self.report.signed_at if self.report else self.generated_at).date()

    @property
    def status(self) -> DocumentStatus:
        """Derived, never chosen: a draft cannot call itself final."""
        if self.report is None:
            return DocumentStatus.PRELIMINARY if self.preliminary_author else DocumentStatus.DRAFT
        if self.withdrawal is not None:
            return DocumentStatus.WITHDRAWN
        return DocumentStatus.SUPERSEDED if self.superseded_by else DocumentStatus.FINAL

    @property
    def text_version(self) -> SignedReport | None:
        """The version whose signatures stand under the text: addenda leave the text, and so its signatures, alone."""
        if self.report is None:
            return None
        for version in (self.report, *reversed(self.earlier)):
            if version.kind is not AmendmentKind.APPENDED:
                return version
        return self.report
