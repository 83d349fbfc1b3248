"""What the demo's radiologists write: complete reports on what the phantom shows."""

from datetime import date
from typing import Final

from schemas.clinical import Purpose
from schemas.report import ReportContent, blank_report
from schemas.report_parts import (
    AreaOfInterest,
    Finding,
    FollowUp,
    ImageQuality,
    KeyImage,
    Modality,
    Quality,
    Recommendation,
    RegionEntry,
    RegionStatus,
)

_SITE: Final[dict[Purpose, tuple[tuple[str, ...], str, str, str]]] = {
    Purpose.IMPLANT: (
        ("36",),
        "Edentulous site 36: crest width 7.1 mm, height above the mandibular canal 13.4 mm. The canal is corticated and "
        "runs lingually of the crest's centre. Trabeculation is regular.",
        "Bone at 36 is sufficient in width and height for an implant of standard size.",
        "A fixture of up to 10 mm keeps 2 mm above the canal. Plan with a surgical guide.",
    ),
    Purpose.ENDODONTICS: (
        ("36",),
        "36 is root filled; the mesial filling ends 2 mm short of the apex. A well defined periapical radiolucency of "
        "4 mm surrounds the mesial root; the buccal cortex is thinned and intact.",
        "Periapical lesion at the mesial root of 36, consistent with apical periodontitis of a root-filled tooth.",
        "Clinical correlation and consideration of retreatment.",
    ),
    Purpose.IMPACTION: (
        ("38",),
        "38 is mesioangularly impacted against 37. The roots touch the mandibular canal, which loses its cortex over "
        "3 mm. No resorption of 37.",
        "Impacted 38 in contact with the mandibular canal.",
        "Discuss the risk to the inferior alveolar nerve; coronectomy is an alternative to removal.",
    ),
}
_FOUND_IN: Final = {Purpose.IMPLANT: "alveolar_bone", Purpose.ENDODONTICS: "periapical", Purpose.IMPACTION: "teeth"}


def demo_report(
    purpose: Purpose, *, modality: Modality, acquired: date, question: str, key_images: tuple[KeyImage, ...] = ()
) -> ReportContent:
    """A report that may be signed. Purposes that the phantom has no finding for are read as the implant site."""
    teeth, text, impression, recommendation = _SITE.get(purpose, _SITE[Purpose.IMPLANT])
    where = _FOUND_IN.get(purpose, "alveolar_bone")
    fov = 80.0 if modality is Modality.CBCT else None
    blank = blank_report(purpose, fov)
    regions = tuple(
        RegionEntry(code=region.code, status=RegionStatus.FINDING, text=text)
        if region.code == where
        else RegionEntry(code=region.code, status=RegionStatus.NORMAL)
        for region in blank.regions
    )
    examination = blank.examination.model_copy(
        update={
            "modality": modality,
            "acquired_on": acquired,
            "device": "Synthetic CBCT, 0.4 mm" if modality is Modality.CBCT else "Synthetic panoramic unit",
            "voxel_mm": 0.4 if modality is Modality.CBCT else None,
            "indication": question,
            "technique": "Single acquisition; multiplanar reading of the whole volume."
            if modality is Modality.CBCT
            else "Single exposure.",
        }
    )
    return blank.model_copy(
        update={
            "examination": examination,
            "quality": Quality(
                rating=ImageQuality.LIMITED if modality is Modality.CBCT else ImageQuality.DIAGNOSTIC,
                limits="Streaks from metal restorations at the level of the crowns."
                if modality is Modality.CBCT
                else "",
            ),
            "regions": regions,
            "findings": (Finding(id="f1", teeth=teeth, text=text),),
            "areas_of_interest": (AreaOfInterest(teeth=teeth, text=text),),
            "key_images": key_images,
            "impression": impression,
            "recommendations": (
                Recommendation(text=recommendation),
                Recommendation(
                    text="Radiographic control of the site.",
                    follow_up=FollowUp(due_months=12, site=f"tooth {teeth[0]}", owner="Referring dentist"),
                ),
            ),
        }
    )
