"""Who the demo's studies are of: invented people, and what is to be found in their mouths."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal

from worker.demo.phantom import Finding, Mouth


class Kind(StrEnum):
    """A kind of study."""

    CBCT = "cbct"
    PANORAMIC = "panoramic"
    INTRAORAL = "intraoral"
    PHOTOGRAPH = "photograph"


@dataclass(frozen=True)
class PatientIdentity:
    """What a modality writes about the patient."""

    name: str
    """DICOM PN: ``Family^Given`` (PS3.5 §6.2)."""
    birth_date: date
    sex: Literal["F", "M", "O"]
    patient_id: str
    issuer: str = "ODONTOFLOW-DEMO"


@dataclass(frozen=True)
class DemoPatient:
    """One invented patient: identity, mouth, and the studies to make."""

    identity: PatientIdentity
    mouth: Mouth
    kinds: frozenset[Kind] = field(default_factory=lambda: frozenset(Kind))
    cbct_height: float = 80.0
    """Height of the CBCT's field of view from below the chin, mm: 80 for both jaws, 48 for the lower one."""
    days_before: int = 0
    """How long before the given date the patient was examined."""


IMPLANT_PATIENT = DemoPatient(
    PatientIdentity("Lindqvist^Maja", date(1968, 4, 17), "F", "DEMO-1001"),
    Mouth(seed=3, findings=frozenset({Finding.IMPLANT, Finding.EDENTULOUS_GAP}), absent=frozenset({18, 38})),
    frozenset({Kind.CBCT, Kind.PANORAMIC, Kind.PHOTOGRAPH}),
    days_before=2,
)
ENDODONTIC_PATIENT = DemoPatient(
    PatientIdentity("Okafor^Daniel", date(1985, 11, 2), "M", "DEMO-1002"),
    Mouth(
        seed=8,
        findings=frozenset({Finding.ENDODONTIC}),
        absent=frozenset({18, 28, 48}),
        filled=frozenset({15, 26, 47}),
        mirrored=True,
    ),
    frozenset({Kind.CBCT, Kind.INTRAORAL}),
    cbct_height=48.0,
    days_before=5,
)
IMPACTION_PATIENT = DemoPatient(
    PatientIdentity("Ferreira^Inês", date(2003, 7, 29), "F", "DEMO-1003"),
    Mouth(seed=21, findings=frozenset({Finding.IMPACTION}), filled=frozenset()),
    frozenset({Kind.CBCT, Kind.PANORAMIC}),
    days_before=1,
)
CHECKUP_PATIENT = DemoPatient(
    PatientIdentity("Novák^Jiří", date(1994, 1, 8), "M", "DEMO-1004"),
    Mouth(seed=34, absent=frozenset({38, 48}), filled=frozenset({16, 46}), mirrored=True),
    frozenset({Kind.PANORAMIC, Kind.INTRAORAL}),
    days_before=12,
)
DEMO_PATIENTS = (IMPLANT_PATIENT, ENDODONTIC_PATIENT, IMPACTION_PATIENT, CHECKUP_PATIENT)
