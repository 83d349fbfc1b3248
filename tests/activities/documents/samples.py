"""Documents for the tests: small pictures, one complete report, and its versions."""

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

from PIL import Image

from activities.documents.document import ImageAsset, Letterhead, PatientBlock, ReadingGroup, ReportDocument
from schemas.clinical import Purpose, Sex
from schemas.report import ReportContent, blank_report
from schemas.report_parts import (
    AreaOfInterest,
    Communication,
    CommunicationMethod,
    Criticality,
    Examination,
    Finding,
    FollowUp,
    ImageQuality,
    KeyImage,
    Quality,
    Recommendation,
    RegionEntry,
    RegionStatus,
)
from schemas.signed_facts import CoveredImages, CoveredPicture, PatientFacts, PracticeFacts, StudyFacts
from schemas.signed_report import Addendum, Signature, SignedReport, VersionToSign
from schemas.sla import AmendmentKind
from schemas.teeth import Notation

NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
AUTHOR = Signature(
    user_id="usr_1", name="Dr. Helena Brandt", registration_number="OMR 40312", jurisdiction="Ontario", signed_at=NOW
)
APPROVER = Signature(
    user_id="usr_2",
    name="Dr. Samuel Lindqvist",
    registration_number="OMR 28817",
    signed_at=NOW + timedelta(hours=1),
)


def picture(kind: str = "JPEG", size: tuple[int, int] = (320, 240), mode: str = "L", **options: Any) -> bytes:
    target = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(target, kind, **options)
    return target.getvalue()


def content(**update: Any) -> ReportContent:
    blank = blank_report(Purpose.IMPLANT, 80)
    regions = tuple(
        RegionEntry(code=region.code, status=RegionStatus.FINDING, text="Mucosal thickening of 3 mm.")
        if region.code == "maxillary_sinuses"
        else RegionEntry(code=region.code, status=RegionStatus.NORMAL)
        for region in blank.regions
    )
    values: dict[str, Any] = {
        "purpose": Purpose.IMPLANT,
        "scope": blank.scope,
        "examination": Examination(
            acquired_on=date(2026, 11, 20),
            device="Viso",
            voxel_mm=0.15,
            field_of_view_mm=80,
            indication="Implant at 46.",
        ),
        "quality": Quality(rating=ImageQuality.DIAGNOSTIC),
        "regions": regions,
        "findings": (
            Finding(id="f1", teeth=("36",), site="Mesial root", text="Periapical radiolucency of 4.2 mm."),
            Finding(id="f2", site="Right neck", text="Calcification.", criticality=Criticality.CATEGORY_3),
        ),
        "areas_of_interest": (AreaOfInterest(teeth=("46",), text="The ridge is 7.1 mm wide."),),
        "key_images": (KeyImage(image_id="k1", caption="Cross-section at 46."),),
        "impression": "Sufficient bone at 46.",
        "recommendations": (
            Recommendation(
                text="Treat 36 first.", follow_up=FollowUp(due_months=6, site="36", owner="Dr. Castellanos")
            ),
        ),
        "communications": (
            Communication(
                recipient="Dr. Maria Castellanos",
                at=NOW,
                method=CommunicationMethod.TELEPHONE,
                read_back=True,
                finding_id="f2",
            ),
        ),
    }
    return ReportContent(**(values | update))


PATIENT = PatientFacts(name="Martha Whitfield", birth_date=date(1968, 3, 9), sex=Sex.FEMALE, number="LDC-20731")
PRACTICE = PracticeFacts(
    name="Lakeshore Dental Centre",
    address_lines=("1280 Lakeshore Road",),
    phone="+1 905 555 0142",
    notation=Notation.FDI,
    locale="en-CA",
    time_zone="America/Toronto",
)
STUDY = StudyFacts(accession_number="R0123456789", referrer="Dr. Maria Castellanos")


def covered(text: ReportContent) -> CoveredImages:
    """Hashes that stand for marks, pictures and images."""
    pictures = tuple(CoveredPicture(image_id=image.image_id, sha256="2" * 64) for image in text.key_images)
    return CoveredImages(marks="0" * 64, pictures=pictures, image_set=1, image_set_hash="1" * 64)


def signed(text: ReportContent, version: int = 1, **facts: Any) -> SignedReport:
    values: dict[str, Any] = {
        "version": version,
        "content": text,
        "author": AUTHOR,
        "patient": PATIENT,
        "practice": PRACTICE,
        "study": STUDY,
        "covered": covered(text),
    }
    return VersionToSign(**(values | facts)).signed("case_1")


def appended(first: SignedReport, words: str) -> SignedReport:
    author = AUTHOR.model_copy(update={"signed_at": NOW + timedelta(days=1)})
    addendum = Addendum(text=words, author=author, version=2)
    return signed(
        first.content,
        2,
        kind=AmendmentKind.APPENDED,
        reason="Earlier images were received.",
        supersedes=1,
        addenda=(addendum,),
        author=author,
    )


def document(report: SignedReport | None = None, **facts: Any) -> ReportDocument:
    values: dict[str, Any] = {
        "report_id": "rep_0123",
        "case_reference": "2026-0417",
        "letterhead": Letterhead(
            name="Lakeshore Dental Centre", address_lines=("1280 Lakeshore Road",), phone="+1 905 555 0142"
        ),
        "reading_group": ReadingGroup(name="North Shore Oral Radiology"),
        "patient": PatientBlock(
            name="Martha Whitfield", birth_date=date(1968, 3, 9), sex=Sex.FEMALE, patient_id="LDC-20731"
        ),
        "referrer": "Dr. Maria Castellanos",
        "images": (ImageAsset(image_id="k1", data=picture(), spacing_note="By pixel spacing, not calibrated."),),
        "generated_at": NOW + timedelta(hours=2),
        "time_zone": "America/Toronto",
        "locale": "en-CA",
    }
    if report is None and "draft" not in facts:
        report = signed(content())
    return ReportDocument(**(values | {"report": report} | facts))
