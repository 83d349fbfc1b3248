"""A series as a cone beam scanner sends it: axial slices of 512 × 512 pixels of 16 bits, 0.5 MB each."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from tests.activities.imaging.files import bytes_of

PATIENT: Final = {"PatientName": "Muster^Anna", "PatientID": "A-100", "PatientBirthDate": "19800214", "PatientSex": "F"}
BOUNDARY: Final = "bench-0f6c1d2e3b"
STOW_TYPE: Final = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
SIDE: Final = 512
_NOISE: Final = 40
_VALUES: Final = 4096
_PATTERNS: Final = 7


@dataclass(frozen=True)
class Series:
    study_uid: str
    series_uid: str
    sop_uids: Sequence[str]
    stow: bytes
    """The body of a STOW request with all of its instances."""

    @property
    def path(self) -> str:
        return f"/studies/{self.study_uid}/series/{self.series_uid}"


def series(count: int) -> Series:
    """A new one, of the same patient each time."""
    study_uid, series_uid = str(generate_uid()), str(generate_uid())
    sop_uids = [str(generate_uid()) for _ in range(count)]
    body = io.BytesIO()
    for index, sop_uid in enumerate(sop_uids):
        body.write(f"\r\n--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode())
        body.write(_slice(study_uid, series_uid, sop_uid, index, count))
    body.write(f"\r\n--{BOUNDARY}--\r\n".encode())
    return Series(study_uid, series_uid, sop_uids, body.getvalue())


def _slice(study_uid: str, series_uid: str, sop_uid: str, index: int, count: int) -> bytes:
    return bytes_of(
        {
            "SOPClassUID": CTImageStorage,
            "SOPInstanceUID": sop_uid,
            "StudyInstanceUID": study_uid,
            "SeriesInstanceUID": series_uid,
            **PATIENT,
            "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
            "StudyDate": "20261102",
            "SeriesDate": "20261102",
            "AcquisitionDate": "20261102",
            "ContentDate": "20261102",
            "StudyTime": "090000",
            "ContentTime": "090000",
            "AccessionNumber": "B-1",
            "Modality": "CT",
            "Manufacturer": "Bench",
            "ManufacturerModelName": "Cone beam",
            "ReferringPhysicianName": "Keller^Laura",
            "StudyDescription": "CBCT",
            "SeriesDescription": "Volume",
            "StudyID": "1",
            "SeriesNumber": 1,
            "InstanceNumber": index + 1,
            "FrameOfReferenceUID": study_uid,
            "PatientPosition": "HFS",
            "ImagePositionPatient": [-51.2, -51.2, round(0.2 * index, 3)],
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "PixelSpacing": [0.2, 0.2],
            "SliceThickness": 0.2,
            "SliceLocation": round(0.2 * index, 3),
            "KVP": 90,
            "XRayTubeCurrent": 8,
            "ExposureTime": 9000,
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "Rows": SIDE,
            "Columns": SIDE,
            "BitsAllocated": 16,
            "BitsStored": 12,
            "HighBit": 11,
            "PixelRepresentation": 0,
            "RescaleIntercept": -1000,
            "RescaleSlope": 1,
            "WindowCenter": 800,
            "WindowWidth": 3600,
            "PixelData": _pixels(index, count).tobytes(),
        },
        ExplicitVRLittleEndian,
    )


def _pixels(index: int, count: int) -> NDArray[np.uint16]:
    """A dense ring in soft tissue with a scanner's noise, so that a JPEG of it has a picture's size."""
    radius = _radius()
    ring = np.abs(radius - 0.5 - 0.2 * index / count) < 0.08
    values = np.where(radius < 0.9, 1000, 50) + ring * 1500
    return np.asarray(np.clip(values + _noise(index % _PATTERNS), 0, _VALUES - 1), dtype="<u2")


@cache
def _radius() -> NDArray[np.float64]:
    along = np.linspace(-1, 1, SIDE)
    return np.hypot(along[:, None], along[None, :])


@cache
def _noise(pattern: int) -> NDArray[np.int16]:
    return np.random.default_rng(pattern).normal(0, _NOISE, (SIDE, SIDE)).astype(np.int16)
