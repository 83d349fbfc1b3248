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


SCOPE_LABELS: Final[dict[Scope, str]] = {
    Scope.DENTOALVEOLAR: N_("Dentoalveolar"),
    Scope.CRANIOFACIAL: N_("Craniofacial"),
}


class ChecklistRegion(NamedTuple):
    """One line of the systematic reading: a stable code, its label, and what to look for there."""

    code: str
    label: str
    prompts: tuple[str, ...]


class FocusPoint(NamedTuple):
    """What the purpose of the study asks of the area of interest."""

    code: str
    prompt: str


REGIONS: Final[dict[str, ChecklistRegion]] = {
    region.code: region
    for region in (
        ChecklistRegion(
            "teeth",
            N_("Teeth and restorations"),
            (N_("number, eruption, shape"), N_("caries, resorption, fracture"), N_("restorations, implants")),
        ),
        ChecklistRegion(
            "periapical",
            N_("Periapical tissues"),
            (N_("ligament space and lamina dura"), N_("radiolucent or radiopaque lesions")),
        ),
        ChecklistRegion(
            "alveolar_bone",
            N_("Alveolar bone and periodontium"),
            (N_("crest height and defects"), N_("furcations"), N_("edentulous sites")),
        ),
        ChecklistRegion(
            "maxilla",
            N_("Maxilla"),
            (N_("cortex and trabeculae"), N_("nasopalatine canal"), N_("palate and tuberosities")),
        ),
        ChecklistRegion(
            "mandible",
            N_("Mandible"),
            (
                N_("cortex and trabeculae"),
                N_("mandibular canal, mental and lingual foramina"),
                N_("submandibular fossa"),
            ),
        ),
        ChecklistRegion(
            "maxillary_sinuses",
            N_("Maxillary sinuses"),
            (
                N_("floor and walls"),
                N_("mucosa, fluid, retention cyst"),
                N_("ostium, septa, posterior superior alveolar canal"),
            ),
        ),
        ChecklistRegion(
            "nasal_cavity",
            N_("Nasal cavity"),
            (N_("septum and turbinates"), N_("floor")),
        ),
        ChecklistRegion(
            "soft_tissues",
            N_("Soft tissues and calcifications"),
            (N_("tonsilloliths, sialoliths, phleboliths"), N_("stylohyoid ligament"), N_("foreign bodies")),
        ),
        ChecklistRegion(
            "paranasal_sinuses",
            N_("Frontal, ethmoid and sphenoid sinuses"),
            (N_("aeration"), N_("mucosa, fluid"), N_("bony walls")),
        ),
        ChecklistRegion(
            "tmj_right",
            N_("Right temporomandibular joint"),
            (N_("condyle shape and cortex"), N_("fossa and eminence"), N_("joint space and position")),
        ),
        ChecklistRegion(
            "tmj_left",
            N_("Left temporomandibular joint"),
            (N_("condyle shape and cortex"), N_("fossa and eminence"), N_("joint space and position")),
        ),
        ChecklistRegion(
            "airway",
            N_("Pharyngeal airway"),
            (N_("patency and symmetry"), N_("adenoids, tonsils, tongue base"), N_("narrowest section")),
        ),
        ChecklistRegion(
            "orbits",
            N_("Orbits and zygomatic complex"),
            (N_("orbital walls"), N_("zygomatic arches"), N_("infraorbital canals")),
        ),
        ChecklistRegion(
            "skull_base",
            N_("Skull base and temporal bones"),
            (N_("sella and clivus"), N_("mastoid air cells and middle ear"), N_("intracranial calcifications")),
        ),
        ChecklistRegion(
            "cervical_spine",
            N_("Cervical spine"),
            (N_("alignment"), N_("C1–C2 and dens"), N_("degenerative change")),
        ),
        ChecklistRegion(
            "neck",
            N_("Neck"),
            (N_("calcifications at the carotid bifurcation"), N_("hyoid and laryngeal cartilages"), N_("lymph nodes")),
        ),
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

_FOCUS: Final[dict[Purpose, tuple[FocusPoint, ...]]] = {
    Purpose.IMPLANT: (
        FocusPoint("ridge", N_("Ridge height and width at each site, with the direction of measurement")),
        FocusPoint("vital_structures", N_("Distance to canal, mental foramen, sinus or nasal floor")),
        FocusPoint("bone", N_("Cortical and trabecular quality, concavities, residual lesions")),
        FocusPoint("neighbours", N_("Roots and lesions of the neighbouring teeth")),
    ),
    Purpose.ENDODONTICS: (
        FocusPoint("canals", N_("Number and course of roots and canals, missed canals")),
        FocusPoint("periapex", N_("Periapical lesion: size, borders, cortical perforation")),
        FocusPoint("resorption_fracture", N_("Resorption, perforation, signs of vertical root fracture")),
        FocusPoint("earlier_treatment", N_("Length and density of filling, posts, separated instruments")),
    ),
    Purpose.IMPACTION: (
        FocusPoint("position", N_("Position and inclination of the impacted tooth, root development")),
        FocusPoint("nerve", N_("Relation to the mandibular canal: side, contact, cortication")),
        FocusPoint("resorption", N_("Resorption of neighbouring teeth")),
        FocusPoint("follicle", N_("Follicle width, cystic change, ankylosis")),
    ),
    Purpose.TMD: (
        FocusPoint("condyles", N_("Flattening, erosion, osteophytes, sclerosis, subcortical cysts")),
        FocusPoint("position", N_("Condylar position and joint space, with the jaw position at the scan")),
        FocusPoint("symmetry", N_("Symmetry of condyles and rami")),
    ),
    Purpose.AIRWAY: (
        FocusPoint("narrowest", N_("Narrowest section: level, area, and head posture at the scan")),
        FocusPoint("obstruction", N_("Septum, turbinates, adenoids, tonsils, tongue base")),
        FocusPoint("skeleton", N_("Skeletal relation and hyoid position")),
    ),
    Purpose.ORTHODONTICS: (
        FocusPoint("development", N_("Missing, supernumerary, ectopic or impacted teeth")),
        FocusPoint("roots", N_("Root length, shape and resorption")),
        FocusPoint("bone", N_("Alveolar boundaries, dehiscence, cleft")),
        FocusPoint("skeleton", N_("Skeletal symmetry and jaw relation")),
    ),
    Purpose.PATHOLOGY: (
        FocusPoint("location", N_("Location, extent in three planes, epicentre")),
        FocusPoint("borders", N_("Periphery and shape")),
        FocusPoint("internal", N_("Internal structure")),
        FocusPoint("effects", N_("Effects on teeth, canal, cortex, sinus and soft tissue")),
        FocusPoint("differential", N_("Differential diagnosis, most likely first")),
    ),
    Purpose.TRAUMA: (
        FocusPoint("fractures", N_("Fracture lines, displacement, comminution")),
        FocusPoint("teeth", N_("Luxation, root and alveolar fractures, missing fragments")),
        FocusPoint("joints", N_("Condylar and subcondylar regions on both sides")),
    ),
}


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


def focus_points(purpose: Purpose | None) -> tuple[FocusPoint, ...]:
    """What the area of interest should answer; empty while the purpose is not chosen."""
    return () if purpose is None else _FOCUS[purpose]
