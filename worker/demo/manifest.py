"""What was made: a record of each patient's studies, kept as a manifest beside the files."""

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from worker.demo.patients import Kind, PatientIdentity

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class DemoStudy:
    """One study (with one series), or one photograph."""

    kind: Kind
    modality: str
    """DICOM modality; XC for the photograph, which is no DICOM file."""
    description: str
    acquired: datetime
    files: tuple[str, ...]
    """Paths relative to the folder, in the order of the instance numbers."""
    sizes: tuple[int, ...]
    """Bytes of each file."""
    study_uid: str | None = None
    series_uid: str | None = None
    accession_number: str | None = None


@dataclass(frozen=True)
class PatientStudies:
    """One patient's studies."""

    identity: PatientIdentity
    findings: tuple[str, ...]
    studies: tuple[DemoStudy, ...]

    def of(self, kind: Kind) -> DemoStudy:
        """The study of a kind. Raises ``KeyError`` when the patient has none."""
        for study in self.studies:
            if study.kind is kind:
                return study
        raise KeyError(kind)


@dataclass(frozen=True)
class DemoStudies:
    """What was made, and where."""

    folder: Path
    key: str
    """Names the parameters that the studies were made from."""
    patients: tuple[PatientStudies, ...] = field(default=())

    def paths(self, study: DemoStudy) -> tuple[Path, ...]:
        """The study's files."""
        return tuple(self.folder / name for name in study.files)


def save_manifest(made: DemoStudies) -> None:
    """Write the manifest into the studies' folder; the last step, since its presence says that all is there."""
    told = json.dumps(plain(asdict(replace(made, folder=Path()))), indent=1)
    (made.folder / MANIFEST).write_text(told, encoding="utf-8")


def load_studies(folder: Path) -> DemoStudies | None:
    """What the manifest in ``folder`` lists, or None when it or one of its files is missing or of another length."""
    try:
        told = json.loads((folder / MANIFEST).read_text())
        people = tuple(_patient_from(person) for person in told["patients"])
        found = DemoStudies(folder, told["key"], people)
        whole = all(
            path.stat().st_size == size
            for person in people
            for study in person.studies
            for path, size in zip(found.paths(study), study.sizes, strict=True)
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if whole else None


def plain(value: Any) -> Any:
    """The value in JSON's own types; sets are sorted, so that equal values read the same."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, (set, frozenset)):
        return sorted(plain(part) for part in value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value) if isinstance(value, (Path, str)) else value


def _patient_from(told: dict[str, Any]) -> PatientStudies:
    identity = PatientIdentity(**{**told["identity"], "birth_date": date.fromisoformat(told["identity"]["birth_date"])})
    studies = tuple(
        DemoStudy(
            **{
                **study,
                "kind": Kind(study["kind"]),
                "acquired": datetime.fromisoformat(study["acquired"]),
                "files": tuple(study["files"]),
                "sizes": tuple(study["sizes"]),
            }
        )
        for study in told["studies"]
    )
    return PatientStudies(identity, tuple(told["findings"]), studies)
