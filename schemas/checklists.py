"""Which regions a report must speak about, by purpose and field of view. Data only.

Sources:

- AAOMR executive opinion statement (Carter et al., Oral Surg Oral Med Oral Pathol Oral Radiol Endod 2008;106:561–562):
  all information in the volume is read and reported, not the area of interest alone.
- RCDSO, Standard of Practice: Dental CT Scanners (2011), "Field of View": up to 8 cm is dentoalveolar, more than 8 cm is
  craniofacial.
- AAOMR position paper on implants (Tyndall et al., OOOO 2012;113:817–826); AAE/AAOMR joint position statement on
  endodontics (OOOO 2015;120:508–512); AAOMR position statement on orthodontics (OOOO 2013;116:238–257).
"""

from enum import StrEnum
from typing import Final, NamedTuple

from schemas.clinical import Purpose
from schemas.translation import N_

DENTOALVEOLAR_LIMIT_MM: Final = 80.0
"""Largest side of a dentoalveolar volume in millimetres (RCDSO 2011, "Field of View": 8 cm)."""


class Scope(StrEnum):
    """What a volume covers, and so how far the systematic reading goes (RCDSO 2011)."""

    DENTOALVEOLAR = "dentoalveolar"
    CRANIOFACIAL = "craniofacial"


class ChecklistRegion(NamedTuple):
    """One line of the systematic reading: a stable code and its label."""

    code: str
    label: str


REGIONS: Final[dict[str, ChecklistRegion]] = {
    region.code: region
    for region in (
        ChecklistRegion("teeth", N_("Teeth and restorations")),
        ChecklistRegion("periapical", N_("Periapical tissues")),
        ChecklistRegion("alveolar_bone", N_("Alveolar bone and periodontium")),
        ChecklistRegion("maxilla", N_("Maxilla")),
        ChecklistRegion("mandible", N_("Mandible")),
        ChecklistRegion("maxillary_sinuses", N_("Maxillary sinuses")),
        ChecklistRegion("nasal_cavity", N_("Nasal cavity")),
        ChecklistRegion("soft_tissues", N_("Soft tissues and calcifications")),
        ChecklistRegion("paranasal_sinuses", N_("Frontal, ethmoid and sphenoid sinuses")),
        ChecklistRegion("tmj_right", N_("Right temporomandibular joint")),
        ChecklistRegion("tmj_left", N_("Left temporomandibular joint")),
        ChecklistRegion("airway", N_("Pharyngeal airway")),
        ChecklistRegion("orbits", N_("Orbits and zygomatic complex")),
        ChecklistRegion("skull_base", N_("Skull base and temporal bones")),
        ChecklistRegion("cervical_spine", N_("Cervical spine")),
        ChecklistRegion("neck", N_("Neck")),
    )
}
"""Every region by its code, in reading order. A code never changes its meaning: signed reports refer to it."""

_DENTOALVEOLAR: Final = (
    "teeth",
    "periapical",
    "alveolar_bone",
    "maxilla",
    "mandible",
    "maxillary_sinuses",
    "nasal_cavity",
    "soft_tissues",
)

_SCOPE_REGIONS: Final[dict[Scope, tuple[str, ...]]] = {
    Scope.DENTOALVEOLAR: _DENTOALVEOLAR,
    Scope.CRANIOFACIAL: tuple(REGIONS),
}

_PURPOSE_REGIONS: Final[dict[Purpose, tuple[str, ...]]] = {
    Purpose.IMPLANT: (),
    Purpose.ENDODONTICS: (),
    Purpose.IMPACTION: (),
    Purpose.TMD: ("tmj_right", "tmj_left"),
    Purpose.AIRWAY: ("airway", "paranasal_sinuses", "cervical_spine"),
    Purpose.ORTHODONTICS: ("tmj_right", "tmj_left", "airway"),
    Purpose.PATHOLOGY: (),
    Purpose.TRAUMA: ("tmj_right", "tmj_left", "orbits"),
}
"""Regions that a purpose adds to a small volume: the question is about them, so their absence must be said."""


def scope_of(field_of_view_mm: float | None) -> Scope:
    """The scope of a volume by its largest side (mm). An unknown field of view gets the long list, never the short one."""
    if field_of_view_mm is not None and field_of_view_mm <= DENTOALVEOLAR_LIMIT_MM:
        return Scope.DENTOALVEOLAR
    return Scope.CRANIOFACIAL


def checklist(purpose: Purpose | None, field_of_view_mm: float | None) -> tuple[ChecklistRegion, ...]:
    """The regions that a report must mark, in reading order and without repetition."""
    wanted = set(_SCOPE_REGIONS[scope_of(field_of_view_mm)])
    if purpose is not None:
        wanted.update(_PURPOSE_REGIONS[purpose])
    return tuple(region for code, region in REGIONS.items() if code in wanted)
