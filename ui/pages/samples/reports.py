"""Sample reports: signed, with an addendum, and a draft in the editor."""

from datetime import date, timedelta
from typing import Final

from schemas.clinical import Purpose
from schemas.report import ReportContent, blank_report
from schemas.report_parts import (
    AreaOfInterest,
    Examination,
    ImageQuality,
    Modality,
    Quality,
    Recommendation,
    RegionStatus,
)
from ui.pages.samples.base import NOW, before
from ui.views import ReportVersion, ReportView

_SECTIONS: Final = (
    (
        "Examination",
        "CBCT of 23 November 2026, Planmeca ProMax 3D, field of view 80 × 80 mm, voxel 0.16 mm. Indication: implant planning "
        "at 36.",
    ),
    ("Quality and limits", "Diagnostic. Streaks from the crown on 46 limit the assessment of its margins."),
    (
        "Systematic reading",
        "Teeth: 36 missing, the site healed. Crown on 46. Periapical tissues: normal. Alveolar bone: generalised horizontal "
        "loss of 1 to 2 mm. Maxillary sinuses: mucosal thickening of 3 mm on the right. Mandible: normal cortex and trabeculae.",
    ),
    (
        "Area of interest: 36",
        "Ridge width 7.2 mm at 2 mm below the crest, 9.1 mm at mid-height. Height above the mandibular canal 14.8 mm. The canal "
        "runs lingually, with intact walls. The lingual concavity is shallow. Trabecular pattern regular.",
    ),
    (
        "Recommendations",
        "No further imaging before placement. The sinus finding needs no treatment if he has no symptoms.",
    ),
)
_IMPRESSION: Final = (
    "The ridge at 36 takes an implant of 4.1 × 10 mm with more than 2 mm to the canal and the lingual plate.\n"
    "Incidental: slight thickening of the right sinus lining, without a sign of a dental cause."
)
ORIGINAL: Final = ReportVersion(
    number=1,
    kind="original",
    signed_at=before(hours=20),
    author="Dr Jonas Weber",
    registration="GDC 184422",
    impression=_IMPRESSION,
    sections=_SECTIONS,
    pdf_url="/cases/case_sample/report.pdf?version=1",
)
REPORT: Final = ReportView(
    versions=(ORIGINAL,),
    plain="There is enough healthy bone for an implant in the gap on the lower left. The nerve in the jaw is at a safe "
    "distance. The lining of one sinus is slightly thick; this is common and usually needs no treatment.",
)
REPORT_WITH_ADDENDUM: Final = ReportView(
    versions=(
        ReportVersion(
            number=2,
            kind="appended",
            signed_at=before(hours=18),
            author="Dr Jonas Weber",
            registration="GDC 184422",
            approver="Dr Priya Raman",
            reason="Added at the practice's request: the distance to the mental foramen is 11.3 mm.",
            impression=_IMPRESSION,
            sections=_SECTIONS,
            pdf_url="/cases/case_sample/report.pdf?version=2",
        ),
        ORIGINAL,
    ),
    plain=REPORT.plain,
)


def _draft() -> ReportContent:
    blank = blank_report(Purpose.ENDODONTICS, 80)
    texts = {
        "periapical": (
            RegionStatus.FINDING,
            "Radiolucency of 4.2 × 3.8 mm at the palatal root of 26, with a thinned but intact sinus floor above it.",
        ),
    }
    marked = []
    for index, region in enumerate(blank.regions):
        status, text = texts.get(region.code, (RegionStatus.NORMAL if index < 4 else None, ""))
        marked.append(region.model_copy(update={"status": status, "text": text}))
    return blank.model_copy(
        update={
            "examination": Examination(
                modality=Modality.CBCT,
                acquired_on=date(2026, 11, 23),
                device="Planmeca ProMax 3D",
                voxel_mm=0.16,
                field_of_view_mm=80,
                indication="Persistent pain at 26 after root canal treatment in 2024.",
            ),
            "quality": Quality(rating=ImageQuality.DIAGNOSTIC),
            "regions": tuple(marked),
            "areas_of_interest": (
                AreaOfInterest(
                    teeth=("26",),
                    text="Three treated canals; a fourth (MB2) is visible 1.9 mm lingually of MB1 and is not filled. The "
                    "palatal filling ends 1.1 mm short of the apex.",
                ),
            ),
            "impression": "Apical periodontitis at 26, most likely kept up by an untreated second mesiobuccal canal.",
            "recommendations": (Recommendation(text="Retreatment with a search for MB2 under magnification."),),
        }
    )


DRAFT: Final = _draft()
SAVED_AT: Final = NOW - timedelta(seconds=12)
