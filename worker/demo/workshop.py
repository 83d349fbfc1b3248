"""Draws and writes one patient's studies after the other."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from worker.demo import dicomfiles
from worker.demo.detail import Detail
from worker.demo.intraoral import expose, views
from worker.demo.manifest import DemoStudy, PatientStudies, plain
from worker.demo.panoramic import panoramic
from worker.demo.patients import DemoPatient, Kind
from worker.demo.phantom import Dentition, dentition, jaws, populate
from worker.demo.photograph import photograph
from worker.demo.scanner import Scanner
from worker.demo.tissues import Grain

Progress = Callable[[str, float], None]
"""Told what is being made, and the part that is done (0..1)."""


VERSION = 1
"""Counts changes of what is drawn or written; a cache of another version is not used."""


def parameters_key(detail: Detail, patients: tuple[DemoPatient, ...], examined: datetime) -> str:
    """A short name of everything that the studies depend on."""
    people = [plain(asdict(patient)) for patient in patients]
    told = json.dumps([VERSION, detail.name, asdict(detail.value), examined.isoformat(), people], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


class Steps:
    """Adds up progress: the parts of the work and their rough cost in seconds."""

    _COST: ClassVar = {Kind.CBCT: 3.0, Kind.PANORAMIC: 1.0, Kind.INTRAORAL: 4.0, Kind.PHOTOGRAPH: 1.5}
    JAWS = 4.0

    def __init__(self, patients: tuple[DemoPatient, ...], progress: Progress) -> None:
        self._total = self.JAWS + sum(self._COST[kind] for patient in patients for kind in patient.kinds)
        self._done = 0.0
        self._progress = progress

    def jaws(self, part: float) -> None:
        self._progress("Shaping jaws", self.JAWS * part / self._total)
        if part >= 1.0:
            self._done = self.JAWS

    def begin(self, kind: Kind) -> None:
        self._progress(f"Taking images: {kind}", self._done / self._total)
        self._done += self._COST[kind]


class Workshop:
    """Draws and writes: the jaws once, then patient after patient."""

    def __init__(self, folder: Path, detail: Detail, steps: Steps, *, compressed: bool = True) -> None:
        self._folder, self._detail, self._steps = folder, detail, steps
        self._compressed = compressed
        self._grid = detail.grid
        self._grain = Grain(5)
        self._base: NDArray[np.int16] | None = None

    def patient(self, patient: DemoPatient, examined: datetime) -> PatientStudies:
        acquired = examined - timedelta(days=patient.days_before)
        (self._folder / patient.identity.patient_id).mkdir(parents=True, exist_ok=True)
        people = dentition(patient.mouth)
        volume = self._volume(patient, people) if patient.kinds & {Kind.CBCT, Kind.PANORAMIC} else None
        studies = []
        for place, kind in enumerate(kind for kind in Kind if kind in patient.kinds):
            self._steps.begin(kind)
            when = acquired + timedelta(minutes=12 * place)
            if kind is Kind.PHOTOGRAPH:
                studies.append(self._photograph(patient, when))
                continue
            header = self._header(patient, kind, when)
            if kind is Kind.INTRAORAL:
                written = self._intraoral(patient, header)
            else:
                assert volume is not None
                written = (
                    self._cbct(patient, header, volume, people)
                    if kind is Kind.CBCT
                    else self._panoramic(patient, header, volume)
                )
            studies.append(self._study(kind, header, list(written)))
        return PatientStudies(patient.identity, tuple(sorted(patient.mouth.findings)), tuple(studies))

    def _volume(self, patient: DemoPatient, people: Dentition) -> NDArray[np.int16]:
        if self._base is None:
            self._base = jaws(self._grid, self._grain, self._steps.jaws)
        base = self._base[:, :, ::-1] if patient.mouth.mirrored else self._base
        return populate(base, self._grid, people)

    def _header(self, patient: DemoPatient, kind: Kind, when: datetime) -> dicomfiles.SeriesHeader:
        modality, description = {
            Kind.CBCT: ("CT", "CBCT both jaws" if _both_jaws(patient) else "CBCT mandible"),
            Kind.PANORAMIC: ("PX", "Panoramic"),
            Kind.INTRAORAL: ("IO", "Periapical and bitewing"),
        }[kind]
        # Named by all that is known of this patient, and of nobody else: the others may change.
        names = (parameters_key(self._detail, (patient,), when), kind.value)
        return dicomfiles.SeriesHeader(
            identity=patient.identity,
            study_uid=dicomfiles.uid("study", *names),
            series_uid=dicomfiles.uid("series", *names),
            accession_number="A" + hashlib.sha256("/".join(names).encode()).hexdigest()[:9].upper(),
            modality=modality,
            description=description,
            series_number=1,
            acquired=when,
        )

    def _study(self, kind: Kind, header: dicomfiles.SeriesHeader, paths: list[Path]) -> DemoStudy:
        return DemoStudy(
            kind=kind,
            modality=header.modality,
            description=header.description,
            acquired=header.acquired,
            files=tuple(path.relative_to(self._folder).as_posix() for path in paths),
            sizes=tuple(path.stat().st_size for path in paths),
            study_uid=header.study_uid,
            series_uid=header.series_uid,
            accession_number=header.accession_number,
        )

    def _cbct(
        self, patient: DemoPatient, header: dicomfiles.SeriesHeader, volume: NDArray[np.int16], people: Dentition
    ) -> Iterator[Path]:
        folder = self._folder / patient.identity.patient_id / "cbct"
        folder.mkdir()
        frame = dicomfiles.uid("frame of reference", header.series_uid)
        scanner = Scanner(self._grid, seed=patient.mouth.seed)
        region = dicomfiles.JAW if _both_jaws(patient) else dicomfiles.MANDIBLE
        thickness = self._detail.thickness
        for index, pixels in enumerate(scanner.slices(volume, people.metal, round(patient.cbct_height / thickness))):
            dataset = dicomfiles.ct_slice(
                header, self._grid, index, frame_of_reference=frame, thickness=thickness, region=region
            )
            path = folder / f"{index + 1:04d}.dcm"
            dicomfiles.write(dataset, pixels, path, compressed=self._compressed)
            yield path

    def _panoramic(
        self, patient: DemoPatient, header: dicomfiles.SeriesHeader, volume: NDArray[np.int16]
    ) -> Iterator[Path]:
        pixels, pitch = panoramic(
            volume, self._grid, columns=self._detail.value.panoramic_columns, seed=patient.mouth.seed
        )
        path = self._folder / patient.identity.patient_id / "panoramic.dcm"
        dicomfiles.write(dicomfiles.panoramic_image(header, pitch), pixels, path, compressed=self._compressed)
        yield path

    def _intraoral(self, patient: DemoPatient, header: dicomfiles.SeriesHeader) -> Iterator[Path]:
        figures = self._detail.value
        for number, view in enumerate(views(patient.mouth), start=1):
            film = expose(view, patient.mouth, self._grain, sampling=figures.film_sampling, pitch=figures.film_pitch)
            path = self._folder / patient.identity.patient_id / f"intraoral-{number}.dcm"
            dicomfiles.write(
                dicomfiles.intraoral_image(header, film, number), film.pixels, path, compressed=self._compressed
            )
            yield path

    def _photograph(self, patient: DemoPatient, when: datetime) -> DemoStudy:
        path = self._folder / patient.identity.patient_id / "photograph.jpg"
        path.write_bytes(photograph(patient.mouth, columns=self._detail.value.photograph_columns))
        name = path.relative_to(self._folder).as_posix()
        return DemoStudy(Kind.PHOTOGRAPH, "XC", "Front teeth in occlusion", when, (name,), (path.stat().st_size,))


def _both_jaws(patient: DemoPatient) -> bool:
    return patient.cbct_height > 60.0
