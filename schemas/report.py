"""The structured report: what a radiologist writes and signs (sections of an imaging report: DICOM PS3.20).

A `ReportContent` is a value: frozen, bounded, and the same after a round trip through JSON. A draft may be incomplete;
`ReportContent.missing_for_signature` says what a signature still needs. Its parts are in schemas/report_parts.py, versions
and signatures in schemas/signed_report.py, the comparison of two versions in schemas/report_changes.py.
"""

from collections.abc import Iterator
from typing import Annotated, NamedTuple, Self

from pydantic import Field, model_validator

from schemas.checklists import Scope, checklist, scope_of
from schemas.clinical import Purpose
from schemas.report_parts import (
    AreaOfInterest,
    Communication,
    Criticality,
    Examination,
    Finding,
    ImageQuality,
    KeyImage,
    Modality,
    Quality,
    Recommendation,
    RegionEntry,
    RegionStatus,
    ReportPart,
)
from schemas.report_text import LongText
from schemas.translation import N_


class MissingItem(NamedTuple):
    """Something that a signature still needs: the field, and a message id with the values it names."""

    field: str
    message: str
    label: str = ""

    @property
    def sentence(self) -> str:
        """The sentence in the source language; a page translates `message` and `label` instead."""
        return self.message.replace("%(label)s", self.label)


class ReportContent(ReportPart):
    """The words that a signature covers; what it covers beside them is in schemas/signed_facts.py."""

    purpose: Purpose | None = None
    scope: Scope = Scope.CRANIOFACIAL
    examination: Examination = Examination()
    quality: Quality = Quality()
    regions: Annotated[tuple[RegionEntry, ...], Field(max_length=40)] = ()
    findings: Annotated[tuple[Finding, ...], Field(max_length=60)] = ()
    areas_of_interest: Annotated[tuple[AreaOfInterest, ...], Field(max_length=32)] = ()
    key_images: Annotated[tuple[KeyImage, ...], Field(max_length=24)] = ()
    impression: LongText = ""
    recommendations: Annotated[tuple[Recommendation, ...], Field(max_length=20)] = ()
    communications: Annotated[tuple[Communication, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        for what, ids in (
            ("region", [region.code for region in self.regions]),
            ("finding", [finding.id for finding in self.findings]),
            ("key image", [image.image_id for image in self.key_images]),
        ):
            if len(set(ids)) != len(ids):
                raise ValueError(f"A {what} is listed twice.")
        return self

    @property
    def critical_findings(self) -> tuple[Finding, ...]:
        """Findings of category 1 to 3, the most urgent first. The document's template asks for them."""
        critical = [finding for finding in self.findings if finding.criticality is not Criticality.NONE]
        return tuple(sorted(critical, key=lambda finding: finding.criticality))

    def missing_for_signature(self) -> tuple[MissingItem, ...]:
        """What the report still needs before anyone may sign it, in reading order; empty means ready."""
        return tuple(self._missing())

    def _missing(self) -> Iterator[MissingItem]:
        if not self.examination.indication:
            yield MissingItem("examination.indication", N_("Write the indication for the examination."))
        if self.quality.rating is None:
            yield MissingItem("quality.rating", N_("Rate the quality of the images."))
        elif self.quality.rating is not ImageQuality.DIAGNOSTIC and not self.quality.limits:
            yield MissingItem("quality.limits", N_("Say what limits the images and what that means for the reading."))
        yield from self._missing_regions()
        yield from self._missing_findings()
        if not any(area.text for area in self.areas_of_interest):
            yield MissingItem("areas_of_interest", N_("Describe the area of interest."))
        for index, image in enumerate(self.key_images):
            if not image.caption:
                yield MissingItem(f"key_images.{index}.caption", N_("Give each key image a caption."))
        if not self.impression:
            yield MissingItem("impression", N_("Write the impression."))
        yield from self._missing_recommendations()
        yield from self._missing_communications()

    def _missing_regions(self) -> Iterator[MissingItem]:
        """Every region of the checklist is marked (AAOMR: the whole volume), and a finding is described."""
        marked = {region.code: region for region in self.regions}
        required = checklist(self.purpose, self.examination.field_of_view_mm) if self._is_volume else ()
        for code in dict.fromkeys([*marked, *(region.code for region in required)]):
            entry = marked.get(code, RegionEntry(code=code))
            if entry.status is None:
                yield MissingItem(
                    f"regions.{code}.status",
                    N_("Mark “%(label)s” as normal, as a finding, or as not in the field of view."),
                    entry.label,
                )
            elif entry.status is RegionStatus.FINDING and not entry.text:
                yield MissingItem(f"regions.{code}.text", N_("Describe the finding in “%(label)s”."), entry.label)
        if not marked and not required:
            yield MissingItem("regions", N_("Add the regions that were read."))

    def _missing_findings(self) -> Iterator[MissingItem]:
        for index, finding in enumerate(self.findings):
            if not finding.text:
                yield MissingItem(f"findings.{index}.text", N_("Describe each listed finding, or remove it."))
            elif not (finding.site or finding.teeth):
                yield MissingItem(f"findings.{index}.site", N_("Give each finding its site or its teeth."))

    def _missing_recommendations(self) -> Iterator[MissingItem]:
        for index, recommendation in enumerate(self.recommendations):
            where = f"recommendations.{index}"
            if not recommendation.text:
                yield MissingItem(f"{where}.text", N_("Write each recommendation, or remove it."))
            follow_up = recommendation.follow_up
            if follow_up is None:
                continue
            if follow_up.due_months is None and follow_up.due_on is None:
                yield MissingItem(f"{where}.follow_up.due", N_("Say when the follow-up is due."))
            if not follow_up.site:
                yield MissingItem(f"{where}.follow_up.site", N_("Say which site the follow-up is about."))
            if not follow_up.owner:
                yield MissingItem(f"{where}.follow_up.owner", N_("Say who sees to the follow-up."))

    def _missing_communications(self) -> Iterator[MissingItem]:
        known = {finding.id for finding in self.findings}
        for index, item in enumerate(self.communications):
            where = f"communications.{index}"
            if not item.recipient:
                yield MissingItem(f"{where}.recipient", N_("Say who was told."))
            if item.at is None:
                yield MissingItem(f"{where}.at", N_("Say when they were told."))
            if item.method is None:
                yield MissingItem(f"{where}.method", N_("Say how they were told."))
            if item.finding_id is not None and item.finding_id not in known:
                yield MissingItem(f"{where}.finding_id", N_("A communication names a finding that is not listed."))

    @property
    def _is_volume(self) -> bool:
        """Only a volume has a field of view by which a checklist can be demanded; projections list what they show."""
        return self.examination.modality is Modality.CBCT


def blank_report(purpose: Purpose | None, fov_mm: float | None) -> ReportContent:
    """A report with its checklist laid out and nothing marked.

    `fov_mm` is the largest side of the volume in millimetres, None if unknown.
    """
    return ReportContent(
        purpose=purpose,
        scope=scope_of(fov_mm),
        examination=Examination(field_of_view_mm=fov_mm),
        regions=tuple(RegionEntry(code=region.code) for region in checklist(purpose, fov_mm)),
        areas_of_interest=(AreaOfInterest(),),
    )
