"""Makes the demo's studies as files, and keeps them in a cache.

Equal input gives equal bytes: UIDs are derived from names, dates are passed in, every random number has a fixed seed.
"""

import os
import shutil
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from worker.demo.detail import Detail
from worker.demo.manifest import DemoStudies, DemoStudy, PatientStudies, load_studies, save_manifest
from worker.demo.patients import DEMO_PATIENTS, IMPACTION_PATIENT, DemoPatient, Kind, PatientIdentity
from worker.demo.workshop import Progress, Steps, Workshop, parameters_key

__all__ = [
    "DEMO_PATIENTS",
    "DemoPatient",
    "DemoStudies",
    "DemoStudy",
    "Detail",
    "Kind",
    "PatientIdentity",
    "PatientStudies",
    "ensure_studies",
    "load_studies",
    "make_studies",
    "test_series",
]

EXAMINED = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
"""The date that studies are counted back from when none is given."""

_STALE = 3600.0  # seconds after which a half-made folder belongs to nobody


def make_studies(
    folder: Path,
    *,
    detail: Detail,
    progress: Progress = lambda what, part: None,
    patients: tuple[DemoPatient, ...] = DEMO_PATIENTS,
    examined: datetime = EXAMINED,
) -> DemoStudies:
    """Write all studies of the patients under ``folder`` (one folder each, and a manifest) and say what was written.

    ``examined`` is timezone-aware; each patient was examined ``days_before`` it.
    """
    key = parameters_key(detail, patients, examined)
    workshop = Workshop(folder, detail, Steps(patients, progress))
    made = DemoStudies(folder, key, tuple(workshop.patient(patient, examined) for patient in patients))
    save_manifest(made)
    progress("Studies are ready", 1.0)
    return made


def ensure_studies(
    cache_folder: Path,
    *,
    detail: Detail,
    progress: Progress = lambda what, part: None,
    patients: tuple[DemoPatient, ...] = DEMO_PATIENTS,
    examined: datetime = EXAMINED,
) -> DemoStudies:
    """The studies from the cache, made first when they are not there for exactly these parameters.

    They are made in a folder beside the cache's and renamed when complete, so a crash leaves no half cache.
    """
    folder = cache_folder / f"studies-{detail.name.lower()}-{parameters_key(detail, patients, examined)}"
    kept = load_studies(folder)
    if kept is not None:
        return kept
    cache_folder.mkdir(parents=True, exist_ok=True)
    _clear_stale(cache_folder)
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=cache_folder))
    try:
        make_studies(making, detail=detail, progress=progress, patients=patients, examined=examined)
        if folder.exists() and load_studies(folder) is None:
            shutil.rmtree(folder)
        try:
            making.rename(folder)
        except OSError:  # another process was quicker
            if load_studies(folder) is None:
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    ready = load_studies(folder)
    assert ready is not None
    return ready


def test_series(folder: Path, identity: PatientIdentity, *, compressed: bool = False) -> tuple[Path, ...]:
    """A small CBCT series of one patient for tests: 24 slices, sorted from the chin upwards, in about 0.2 s."""
    patient = replace(IMPACTION_PATIENT, identity=identity, kinds=frozenset({Kind.CBCT}), days_before=0)
    workshop = Workshop(folder, Detail.TEST, Steps((patient,), lambda what, part: None), compressed=compressed)
    (study,) = workshop.patient(patient, EXAMINED).studies
    return tuple(folder / name for name in study.files)


test_series.__test__ = False  # type: ignore[attr-defined]  # its name would make pytest collect it where it is imported


def _clear_stale(cache_folder: Path) -> None:
    """Remove what a crash left half made, unless somebody may still be at it."""
    for left in cache_folder.glob(".making-*"):
        if time.time() - left.stat().st_mtime > _STALE and os.access(left, os.W_OK):
            shutil.rmtree(left, ignore_errors=True)
