"""The demo's synthetic studies: valid DICOM with a sound geometry, the same bytes every time, cached whole or not at all."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.uid import (
    CTImageStorage,
    DigitalIntraOralXRayImageStorageForPresentation,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEGLSLossless,
)

from schemas.teeth import DECIDUOUS_TEETH, PERMANENT_TEETH
from schemas.tooth_codes import snomed_code
from worker.demo import studies as studies_module
from worker.demo import workshop
from worker.demo.arch import ARCH, Grid
from worker.demo.patients import CHECKUP_PATIENT, ENDODONTIC_PATIENT, IMPACTION_PATIENT, IMPLANT_PATIENT
from worker.demo.phantom import Finding, Mouth, axial_grid, dentition, jaws, populate
from worker.demo.studies import DemoStudies, Detail, Kind, PatientIdentity, ensure_studies, load_studies, make_studies
from worker.demo.tissues import Grain, canal_height

ONE_PANORAMIC = (replace(CHECKUP_PATIENT, kinds=frozenset({Kind.PANORAMIC})),)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> DemoStudies:
    return make_studies(tmp_path_factory.mktemp("studies"), detail=Detail.TEST)


@pytest.fixture(scope="module")
def shape() -> tuple[Grid, NDArray[np.int16]]:
    """A lattice of 1 mm and the jaws on it."""
    grid = axial_grid(128, 90)
    return grid, jaws(grid, Grain(5))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> DemoStudies:
    """A small cache, to be copied and not to be changed."""
    return ensure_studies(tmp_path_factory.mktemp("cache"), detail=Detail.TEST, patients=ONE_PANORAMIC)


def _datasets(made: DemoStudies, kind: Kind) -> Iterator[pydicom.Dataset]:
    for patient in made.patients:
        for study in patient.studies:
            if study.kind is kind:
                yield from (pydicom.dcmread(path) for path in made.paths(study))


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_volume_has_a_regular_geometry_from_the_chin_upwards(made: DemoStudies) -> None:
    study = made.patients[0].of(Kind.CBCT)
    slices = [pydicom.dcmread(path) for path in made.paths(study)]
    assert len(slices) == 24
    assert {ds.SOPClassUID for ds in slices} == {CTImageStorage}
    assert {ds.SeriesInstanceUID for ds in slices} == {study.series_uid}
    assert len({ds.FrameOfReferenceUID for ds in slices}) == 1
    assert len({ds.SOPInstanceUID for ds in slices}) == 24
    assert [ds.InstanceNumber for ds in slices] == list(range(1, 25))
    assert {tuple(ds.ImageOrientationPatient) for ds in slices} == {(1, 0, 0, 0, 1, 0)}
    heights = np.array([float(ds.ImagePositionPatient[2]) for ds in slices])
    assert np.allclose(np.diff(heights), float(slices[0].SliceThickness), atol=1e-3)
    assert len({tuple(ds.ImagePositionPatient[:2]) for ds in slices}) == 1
    spacing = float(slices[0].PixelSpacing[0])
    assert spacing * slices[0].Columns == pytest.approx(float(slices[0].ReconstructionDiameter), abs=1e-3)
    # The midline is the middle of the picture, or left and right would be of different size.
    assert float(slices[0].ImagePositionPatient[0]) == pytest.approx(-spacing * (slices[0].Columns - 1) / 2, abs=1e-3)


def test_grey_values_hold_air_soft_tissue_bone_and_enamel_within_twelve_bits(made: DemoStudies) -> None:
    stack = np.stack([ds.pixel_array for ds in _datasets(made, Kind.CBCT) if ds.PatientID == "DEMO-1003"]).astype(int)
    assert stack.max() <= 4095
    values = stack - 1000
    for low, high in ((-1000, -900), (-100, 200), (600, 1600), (1800, 3095)):
        assert ((values >= low) & (values <= high)).mean() > 0.0005, (low, high)
    assert (stack[:, 0, 0] == 0).all()  # outside the round field of view


@pytest.mark.parametrize(
    ("kind", "sop_class", "modality"),
    [
        (Kind.CBCT, CTImageStorage, "CT"),
        (Kind.PANORAMIC, DigitalXRayImageStorageForPresentation, "PX"),
        (Kind.INTRAORAL, DigitalIntraOralXRayImageStorageForPresentation, "IO"),
    ],
)
def test_every_file_says_what_it_is_and_that_nobody_was_x_rayed(
    made: DemoStudies, kind: Kind, sop_class: str, modality: str
) -> None:
    for ds in _datasets(made, kind):
        assert (ds.SOPClassUID, ds.Modality) == (sop_class, modality)
        assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID
        assert ds.file_meta.TransferSyntaxUID == JPEGLSLossless
        assert ds.SyntheticData == "YES"
        assert "not a patient" in ds.ImageComments
        assert ds.PatientName and ds.PatientBirthDate and ds.PatientSex in "FMO"
        assert ds.pixel_array.shape == (ds.Rows, ds.Columns)
        assert ds.pixel_array.std() > 50
        assert all(len(element.value) <= 64 for element in ds if element.VR == "UI")


def test_ages_are_counted_in_whole_years(made: DemoStudies) -> None:
    ages = {ds.PatientID: ds.PatientAge for ds in _datasets(made, Kind.INTRAORAL)}
    assert ages["DEMO-1002"] == "040Y"  # five days before the birthday


def test_names_beyond_ascii_survive(made: DemoStudies) -> None:
    assert {str(ds.PatientName) for ds in _datasets(made, Kind.PANORAMIC)} >= {"Ferreira^Inês", "Novák^Jiří"}


def test_projections_carry_detector_spacing_and_magnification_not_pixel_spacing(made: DemoStudies) -> None:
    for ds in (*_datasets(made, Kind.PANORAMIC), *_datasets(made, Kind.INTRAORAL)):
        assert "PixelSpacing" not in ds
        assert float(ds.ImagerPixelSpacing[0]) > 0
    assert {float(ds.EstimatedRadiographicMagnificationFactor) for ds in _datasets(made, Kind.PANORAMIC)} == {1.25}


def test_intraoral_images_name_the_teeth_on_them(made: DemoStudies) -> None:
    lower, front, bitewing = (
        ds for ds in _datasets(made, Kind.INTRAORAL) if ds.PatientID == ENDODONTIC_PATIENT.identity.patient_id
    )
    tooth_of = {snomed_code(tooth): tooth.code for tooth in (*PERMANENT_TEETH, *DECIDUOUS_TEETH)}
    shown = {
        image: {tooth_of[item.CodeValue] for item in ds.PrimaryAnatomicStructureSequence}
        for image, ds in (("lower", lower), ("front", front), ("bitewing", bitewing))
    }
    assert "36" in shown["lower"] and all(tooth.startswith("3") for tooth in shown["lower"])
    assert shown["front"] >= {"11", "21"}
    assert {tooth[0] for tooth in shown["bitewing"]} == {"1", "4"}
    assert (lower.ImageLaterality, front.ImageLaterality, bitewing.ImageLaterality) == ("L", "B", "R")
    assert lower.AnatomicRegionSequence[0].CodeMeaning == "Mandible"


def test_the_photograph_is_a_jpeg_that_shows_light_teeth_in_red_gums(made: DemoStudies) -> None:
    (path,) = made.paths(made.patients[0].of(Kind.PHOTOGRAPH))
    picture = Image.open(BytesIO(path.read_bytes()))
    assert picture.format == "JPEG"
    assert b"not a patient" in picture.info["comment"]
    pixels = np.asarray(picture, dtype=float)
    rows, columns = pixels.shape[:2]
    tooth = pixels[int(rows * 0.40), int(columns * 0.44)]
    gum = pixels[int(rows * 0.15), int(columns * 0.44)]
    assert tooth.min() > 100
    assert gum[0] > 1.5 * gum[1]


def test_the_same_input_gives_the_same_bytes(made: DemoStudies, tmp_path: Path) -> None:
    make_studies(tmp_path, detail=Detail.TEST, patients=(IMPLANT_PATIENT, ENDODONTIC_PATIENT))
    for patient in ("DEMO-1001", "DEMO-1002"):  # whoever else is made beside them
        assert _digests(tmp_path / patient) == _digests(made.folder / patient)


def test_studies_for_tests_stay_small_and_report_progress(tmp_path: Path) -> None:
    told: list[float] = []
    made = make_studies(
        tmp_path, detail=Detail.TEST, patients=(IMPLANT_PATIENT,), progress=lambda what, part: told.append(part)
    )
    assert told == sorted(told) and told[-1] == 1.0
    sizes = [size for patient in made.patients for study in patient.studies for size in study.sizes]
    assert sum(sizes) < 400_000


def test_another_date_or_patient_gives_other_studies(made: DemoStudies, tmp_path: Path) -> None:
    later = studies_module.EXAMINED.replace(day=20)
    other = make_studies(tmp_path, detail=Detail.TEST, patients=(CHECKUP_PATIENT,), examined=later)
    mine, theirs = other.patients[0].of(Kind.PANORAMIC), made.patients[3].of(Kind.PANORAMIC)
    assert mine.study_uid != theirs.study_uid
    assert (mine.acquired - theirs.acquired).days == 18
    assert pydicom.dcmread(other.paths(mine)[0]).StudyDate == "20261108"


def test_the_cache_is_used_until_parameters_change(
    kept: DemoStudies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ensure_studies(kept.folder.parent, detail=Detail.TEST, patients=ONE_PANORAMIC, progress=_never) == kept
    monkeypatch.setattr(workshop, "VERSION", workshop.VERSION + 1)
    newer = ensure_studies(tmp_path, detail=Detail.TEST, patients=ONE_PANORAMIC)
    assert newer.folder.name != kept.folder.name


@pytest.mark.parametrize("damage", ["manifest gone", "manifest torn", "file gone", "file torn"])
def test_a_damaged_cache_is_made_again(kept: DemoStudies, tmp_path: Path, damage: str) -> None:
    first = replace(kept, folder=tmp_path / kept.folder.name)
    shutil.copytree(kept.folder, first.folder)
    (image,) = first.paths(first.patients[0].studies[0])
    manifest = first.folder / "manifest.json"
    if damage == "manifest gone":
        manifest.unlink()
    elif damage == "manifest torn":
        manifest.write_bytes(manifest.read_bytes()[:100])
    elif damage == "file gone":
        image.unlink()
    else:
        image.write_bytes(image.read_bytes()[:100])
    assert load_studies(first.folder) is None
    mended = ensure_studies(tmp_path, detail=Detail.TEST, patients=ONE_PANORAMIC)
    assert _digests(mended.folder) == _digests(kept.folder)


def test_a_crash_in_the_middle_leaves_no_half_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patients = (IMPACTION_PATIENT,)
    with monkeypatch.context() as broken:
        broken.setattr(workshop, "panoramic", _power_cut)
        with pytest.raises(OSError, match="power"):
            ensure_studies(tmp_path, detail=Detail.TEST, patients=patients)
    assert list(tmp_path.iterdir()) == []
    assert ensure_studies(tmp_path, detail=Detail.TEST, patients=patients).patients


def test_what_a_kill_left_half_made_is_swept_away_later(tmp_path: Path) -> None:
    abandoned, fresh = tmp_path / ".making-old", tmp_path / ".making-new"
    for folder in (abandoned, fresh):
        folder.mkdir()
    os.utime(abandoned, (0, 0))
    ensure_studies(tmp_path, detail=Detail.TEST, patients=ONE_PANORAMIC)
    assert not abandoned.exists()
    assert fresh.exists()  # another process may be at it


def test_the_manifest_holds_relative_names_only(made: DemoStudies) -> None:
    told = json.loads((made.folder / "manifest.json").read_text())
    names = [name for patient in told["patients"] for study in patient["studies"] for name in study["files"]]
    assert names
    assert not any(Path(name).is_absolute() or ".." in name for name in names)
    assert str(made.folder) not in (made.folder / "manifest.json").read_text()


def test_a_series_for_other_tests_bears_the_given_identity(tmp_path: Path) -> None:
    one = PatientIdentity("Doe^Jane", date(1990, 1, 2), "F", "T-1")
    other = replace(one, name="Roe^Mary")
    first = studies_module.test_series(tmp_path / "one", one)
    second = studies_module.test_series(tmp_path / "other", other)
    slices = [pydicom.dcmread(path) for path in first]
    assert {str(ds.PatientName) for ds in slices} == {"Doe^Jane"}
    assert {ds.file_meta.TransferSyntaxUID for ds in slices} == {ExplicitVRLittleEndian}
    heights = [float(ds.ImagePositionPatient[2]) for ds in slices]
    assert heights == sorted(heights) and len(set(heights)) == 24
    assert slices[0].SOPInstanceUID != pydicom.dcmread(second[0]).SOPInstanceUID


class TestFindings:
    """What a case is about is to be seen in its volume."""

    def test_each_finding_changes_only_its_own_surroundings(self, shape: tuple[Grid, NDArray[np.int16]]) -> None:
        grid, base = shape
        plain = populate(base, grid, dentition(Mouth(seed=3)))
        for finding, patient_left in (
            (Finding.IMPLANT, False),
            (Finding.ENDODONTIC, True),
            (Finding.IMPACTION, True),
            (Finding.EDENTULOUS_GAP, True),
        ):
            changed = populate(base, grid, dentition(Mouth(seed=3, findings=frozenset({finding})))) != plain
            assert changed.any()
            assert not changed[:, (grid.x > 0) != patient_left].any(), finding

    def test_an_implant_is_metal_and_an_apical_lesion_is_not_bone(self, shape: tuple[Grid, NDArray[np.int16]]) -> None:
        grid, base = shape
        mouth = dentition(Mouth(seed=3, findings=frozenset({Finding.IMPLANT, Finding.ENDODONTIC})))
        volume = populate(base, grid, mouth)

        def at(x: float, y: float, z: float) -> int:
            k = int(np.abs(grid.z - z).argmin())
            row, column = np.unravel_index(np.hypot(grid.x - x, grid.y - y).argmin(), grid.x.shape)
            return int(volume[k, row, column])

        (platform,) = mouth.implants
        assert at(platform[0], platform[1], platform[2] - 5) > 5000
        (lesion,) = mouth.lesions
        x, y, z, radius = lesion
        away = np.sqrt((grid.x - x) ** 2 + (grid.y - y) ** 2 + (grid.z[:, None, None] - z) ** 2)
        below_the_root = (away < radius - 1.0) & (grid.z[:, None, None] < z)
        marrow = below_the_root & (base > 250)
        assert marrow.sum() > 20
        assert volume[marrow].mean() < 0.5 * base[marrow].mean()

    def test_the_impacted_tooth_lies_on_the_mandibular_canal(self) -> None:
        mouth = dentition(Mouth(seed=3, findings=frozenset({Finding.IMPACTION})))
        (tooth,) = (t for t in mouth.teeth if t.fdi == 38)
        assert tooth.follicle
        neck, apex = (
            float(ARCH.coordinates(np.array([x]), np.array([y]))[0][0]) for x, y, _ in (tooth.origin, tooth.apex)
        )
        assert tooth.origin[2] > canal_height(neck)
        assert tooth.apex[2] < canal_height(apex)


def _never(what: str, part: float) -> None:
    raise AssertionError("the cache was there already")


def _power_cut(*args: object, **kwargs: object) -> None:
    raise OSError("the power went")
