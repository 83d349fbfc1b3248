"""What changed between two versions of a report, section by section, in words that a patient can follow."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple

from schemas.clinical import PURPOSE_LABELS
from schemas.report import ReportContent
from schemas.report_parts import (
    METHOD_LABELS,
    MODALITY_LABELS,
    QUALITY_LABELS,
    REGION_STATUS_LABELS,
    Criticality,
    FollowUp,
)
from schemas.signed_report import SignedReport
from schemas.translation import N_


class Section(StrEnum):
    """The sections of a report, in the order in which they are printed."""

    EXAMINATION = "examination"
    QUALITY = "quality"
    AREA_OF_INTEREST = "area_of_interest"
    FINDINGS = "findings"
    REGIONS = "regions"
    KEY_IMAGES = "key_images"
    IMPRESSION = "impression"
    RECOMMENDATIONS = "recommendations"
    COMMUNICATION = "communication"
    ADDENDA = "addenda"


SECTION_LABELS: Final[dict[Section, str]] = {
    Section.EXAMINATION: N_("Examination"),
    Section.QUALITY: N_("Image quality and limits"),
    Section.AREA_OF_INTEREST: N_("Area of interest"),
    Section.FINDINGS: N_("Findings"),
    Section.REGIONS: N_("Systematic reading of the volume"),
    Section.KEY_IMAGES: N_("Key images"),
    Section.IMPRESSION: N_("Impression"),
    Section.RECOMMENDATIONS: N_("Recommendations"),
    Section.COMMUNICATION: N_("Communication"),
    Section.ADDENDA: N_("Addenda"),
}


class SectionChange(NamedTuple):
    """One section that differs; `before` or `after` is empty where the section was added or removed."""

    section: Section
    before: str
    after: str

    @property
    def label(self) -> str:
        """The message id of the section's name."""
        return SECTION_LABELS[self.section]

    @property
    def verb(self) -> str:
        """The message id of what happened to the section."""
        if not self.before:
            return N_("added")
        return N_("changed") if self.after else N_("removed")


class Dates(NamedTuple):
    """How a day and a moment are written."""

    day: Callable[[date], str]
    moment: Callable[[datetime], str]


def _iso_moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M %Z")


ISO_DATES: Final = Dates(date.isoformat, _iso_moment)


def section_texts(content: ReportContent, dates: Dates = ISO_DATES) -> dict[Section, str]:
    """Each section as plain text, one statement a line, in the source language; an empty section is the empty string.

    Teeth are FDI numbers. ``dates`` as their reader writes them; without, as programs do, to be compared.
    """
    return {
        Section.EXAMINATION: "\n".join(_examination(content, dates)),
        Section.QUALITY: "\n".join(_quality(content)),
        Section.AREA_OF_INTEREST: "\n".join(
            _at(_site(area.teeth, area.site), area.text) for area in content.areas_of_interest if area.text
        ),
        Section.FINDINGS: "\n".join(
            _at(_site(finding.teeth, finding.site), finding.text, _category(finding.criticality))
            for finding in content.findings
        ),
        Section.REGIONS: "\n".join(
            _at(region.label, REGION_STATUS_LABELS[region.status], region.text)
            for region in content.regions
            if region.status is not None
        ),
        Section.KEY_IMAGES: "\n".join(image.caption or image.image_id for image in content.key_images),
        Section.IMPRESSION: content.impression,
        Section.RECOMMENDATIONS: "\n".join(
            _joined(item.text, _follow_up(item.follow_up, dates)) for item in content.recommendations
        ),
        Section.COMMUNICATION: "\n".join(_communications(content, dates)),
    }


def diff_content(old: ReportContent, new: ReportContent) -> tuple[SectionChange, ...]:
    """The sections whose text differs, in printing order. A key image that was exchanged under one caption counts."""
    before, after = section_texts(old), section_texts(new)
    images_differ = old.key_images != new.key_images
    return tuple(
        SectionChange(section, before[section], after[section])
        for section in before
        if before[section] != after[section] or (section is Section.KEY_IMAGES and images_differ)
    )


def diff(old: SignedReport, new: SignedReport) -> tuple[SectionChange, ...]:
    """What a reader of `old` must know about `new`: changed sections, then the addenda that were added."""
    changes = diff_content(old.content, new.content)
    added = new.addenda[len(old.addenda) :]
    if not added:
        return changes
    earlier = "\n".join(addendum.text for addendum in old.addenda)
    every = "\n".join(addendum.text for addendum in new.addenda)
    return (*changes, SectionChange(Section.ADDENDA, earlier, every))


def _examination(content: ReportContent, dates: Dates) -> Iterator[str]:
    examination = content.examination
    yield MODALITY_LABELS[examination.modality]
    if content.purpose:
        yield f"Purpose: {PURPOSE_LABELS[content.purpose]}"
    if examination.acquired_on:
        yield f"Date: {dates.day(examination.acquired_on)}"
    if examination.device:
        yield f"Device: {examination.device}"
    if examination.voxel_mm:
        yield f"Voxel: {examination.voxel_mm:g} mm"
    if examination.field_of_view_mm:
        height = examination.field_of_view_height_mm
        yield f"Field of view: {examination.field_of_view_mm:g}{f' × {height:g}' if height else ''} mm"
    for name, text in (
        ("Indication", examination.indication),
        ("Technique", examination.technique),
        ("Comparison", examination.comparison),
    ):
        if text:
            yield f"{name}: {text}"


def _quality(content: ReportContent) -> Iterator[str]:
    if content.quality.rating:
        yield QUALITY_LABELS[content.quality.rating]
    if content.quality.limits:
        yield content.quality.limits


def _communications(content: ReportContent, dates: Dates) -> Iterator[str]:
    for item in content.communications:
        when = dates.moment(item.at) if item.at else ""
        how = METHOD_LABELS[item.method] if item.method else ""
        yield _joined(item.recipient, how, when, "read back" if item.read_back else "", item.note)


def _follow_up(follow_up: FollowUp | None, dates: Dates) -> str:
    if follow_up is None:
        return ""
    if follow_up.due_on:
        due = f"Follow-up on {dates.day(follow_up.due_on)}"
    else:
        months = f" in {follow_up.due_months} month{'' if follow_up.due_months == 1 else 's'}"
        due = f"Follow-up{months if follow_up.due_months else ''}"
    return _joined(due, follow_up.site, follow_up.owner)


def _category(criticality: Criticality) -> str:
    return "" if criticality is Criticality.NONE else f"category {criticality.value}"


def _site(teeth: tuple[str, ...], site: str) -> str:
    return _joined(", ".join(teeth), site)


def _at(place: str, *texts: str) -> str:
    text = _joined(*texts)
    return f"{place}: {text}" if place else text


def _joined(*parts: str) -> str:
    """The parts that are there, with semicolons; after a whole sentence a space is enough."""
    joined = ""
    for part in filter(None, parts):
        joined = f"{joined} {part}" if joined.endswith((".", "!", "?")) else f"{joined}; {part}" if joined else part
    return joined
