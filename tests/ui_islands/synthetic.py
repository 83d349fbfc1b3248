"""Small synthetic studies for the viewer's browser tests: each shows one trait that a viewer gets wrong easily."""

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final

import jpeg_ls
import numpy as np
import openjpeg.utils
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, generate_uid

STUDY: Final = "1.2.826.0.1.3680043.8.498.1"
CT_SLICES: Final = 24
ANNA: Final = {
    "PatientName": "Muster^Anna",
    "PatientID": "A-100",
    "PatientBirthDate": "19800214",
    "PatientSex": "F",
    "StudyDate": "20260101",
}
"""The patient of the desk's cases."""


@dataclass(frozen=True)
class Series:
    """One series: what QIDO lists of it, and its instances in the order a server might answer (not the reading order)."""

    uid: str
    modality: str
    description: str
    instances: list[Dataset] = field(default_factory=list)


def _instance(series: Series, number: int, pixels: NDArray[Any], **attributes: Any) -> Dataset:
    ds = Dataset()
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2" if series.modality == "CT" else "1.2.840.10008.5.1.4.1.1.1.1"
    ds.SOPInstanceUID = f"{series.uid}.{number}"
    ds.StudyInstanceUID = STUDY
    ds.SeriesInstanceUID = series.uid
    ds.SeriesDescription = series.description
    ds.Modality = series.modality
    ds.InstanceNumber = number
    ds.Rows, ds.Columns = pixels.shape
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit = 15
    ds.PixelRepresentation = 1 if pixels.dtype == np.int16 else 0
    for name, value in attributes.items():
        setattr(ds, name, value)
    ds.PixelData = pixels.tobytes()
    ds.file_meta = Dataset()  # type: ignore[assignment]
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return ds


def cone_beam() -> Series:
    """Axial slices with an arch of teeth that turns with the slice; 0.4 mm, stored values with slope and intercept."""
    series = Series(f"{STUDY}.10", "CT", "Axial 0.4 mm")
    y, x = np.mgrid[0:128, 0:128]
    frame = generate_uid()
    for number in range(1, CT_SLICES + 1):
        hu = np.full((128, 128), -1000.0)
        hu[(x - 64) ** 2 / 52**2 + (y - 60) ** 2 / 56**2 < 1] = 60
        for tooth in range(12):
            angle = np.pi * (0.08 + 0.84 * tooth / 11)
            cx, cy = 64 + 34 * np.cos(angle), 44 + 46 * np.sin(angle) * (0.8 + number / 240)
            radius = np.hypot(x - cx, y - cy)
            hu[radius < 6] = 1500
            hu[radius < 4] = 2300
            hu[radius < 1.5] = 150
        stored = (hu + 1024).astype(np.int16)
        series.instances.append(
            _instance(
                series,
                number,
                stored,
                RescaleSlope=1,
                RescaleIntercept=-1024,
                PixelSpacing=[0.4, 0.4],
                SliceThickness=0.4,
                ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
                ImagePositionPatient=[0, 0, 0.4 * number],
                FrameOfReferenceUID=frame,
                WindowCenter=900,
                WindowWidth=3500,
            )
        )
    # A server owes no order: the viewer has to find it.
    series.instances[:] = series.instances[::2] + series.instances[1::2]
    return series


def monochrome1() -> Series:
    """A periapical film: stored dark where it is shown bright, with detector spacing only."""
    series = Series(f"{STUDY}.20", "IO", "Periapical 36")
    pixels = np.full((150, 200), 3800, np.uint16)
    pixels[30:120, 60:140] = 300
    series.instances.append(
        _instance(
            series,
            1,
            pixels,
            BitsStored=12,
            HighBit=11,
            PhotometricInterpretation="MONOCHROME1",
            ImagerPixelSpacing=[0.1, 0.1],
            WindowCenter=2048,
            WindowWidth=4096,
        )
    )
    return series


def panoramic() -> Series:
    """A panoramic view whose header says that a pixel is zero wide."""
    series = Series(f"{STUDY}.30", "PX", "Panoramic")
    y, x = np.mgrid[0:160, 0:320]
    pixels = (2000 + 1500 * np.cos(x / 12) * np.exp(-(((y - 80) / 40) ** 2))).astype(np.uint16)
    series.instances.append(_instance(series, 1, pixels, PixelSpacing=[0, 0], WindowCenter=2000, WindowWidth=4000))
    return series


def _jpeg_ls(pixels: NDArray[Any]) -> bytes:
    return bytes(jpeg_ls.encode(pixels))


def _jpeg_2000(pixels: NDArray[Any]) -> bytes:
    return bytes(openjpeg.utils.encode_array(pixels, photometric_interpretation=2, bits_stored=12))


def compressed(syntax: str, uid: str, name: str, encode: Callable[[NDArray[Any]], bytes]) -> Series:
    """A bitewing that needs a decoder in the browser."""
    series = Series(uid, "IO", name)
    y, x = np.mgrid[0:96, 0:128]
    pixels = (1000 + 20 * x + 5 * y).astype(np.uint16)
    ds = _instance(
        series, 1, pixels, BitsStored=12, HighBit=11, PixelSpacing=[0.05, 0.05], PixelSpacingCalibrationType="FIDUCIAL"
    )
    ds.PixelData = encapsulate([encode(pixels)])
    ds["PixelData"].VR = "OB"
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    series.instances.append(ds)
    return series


def study() -> list[Series]:
    """All series, in the order of their numbers."""
    return [
        cone_beam(),
        monochrome1(),
        panoramic(),
        compressed(JPEGLSLossless, f"{STUDY}.40", "Bitewing, JPEG-LS", _jpeg_ls),
        compressed(JPEG2000Lossless, f"{STUDY}.50", "Bitewing, JPEG 2000", _jpeg_2000),
        multi_frame(),
    ]


def multi_frame() -> Series:
    """One file of three frames, each brighter than the one before; its spacing is in the shared functional groups."""
    series = Series(f"{STUDY}.60", "CT", "Multi-frame")
    frames = [np.full((64, 64), value, np.uint16) for value in (200, 2000, 3800)]
    ds = _instance(series, 1, frames[0], NumberOfFrames=3, WindowCenter=2048, WindowWidth=4096)
    ds.PixelData = b"".join(frame.tobytes() for frame in frames)
    measures, groups = Dataset(), Dataset()
    measures.PixelSpacing = [0.3, 0.3]
    groups.PixelMeasuresSequence = [measures]
    ds.SharedFunctionalGroupsSequence = [groups]
    ds.PerFrameFunctionalGroupsSequence = [Dataset() for _ in frames]
    series.instances.append(ds)
    return series


def frame_of(ds: Dataset, number: int) -> bytes:
    """Frame ``number``, from 1, as it is stored."""
    count = int(ds.get("NumberOfFrames", 1))
    if ds.file_meta.TransferSyntaxUID.is_encapsulated:
        return list(generate_frames(ds.PixelData, number_of_frames=count))[number - 1]
    size = len(ds.PixelData) // count
    return bytes(ds.PixelData[size * (number - 1) : size * number])


def part10(ds: Dataset) -> bytes:
    """As a scanner's software writes it for Anna Muster (PS3.10 §7.1). Completes the instance."""
    for name, value in ANNA.items():
        setattr(ds, name, value)
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    out = BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


def jpeg(width: int, height: int) -> bytes:
    """A photograph: a warm gradient."""
    ramp = np.linspace(60, 220, width, dtype=np.uint8)
    rgb = np.stack(
        [np.tile(ramp, (height, 1)), np.full((height, width), 120, np.uint8), np.full((height, width), 110, np.uint8)],
        axis=-1,
    )
    out = BytesIO()
    Image.fromarray(rgb).save(out, "JPEG")
    return out.getvalue()


def thumbnail(series: Series) -> bytes:
    """A small JPEG of the middle slice."""
    ds = sorted(series.instances, key=lambda one: int(one.InstanceNumber))[len(series.instances) // 2]
    if ds.file_meta.TransferSyntaxUID.is_encapsulated or "NumberOfFrames" in ds:
        return jpeg(128, 96)
    pixels = ds.pixel_array.astype(np.float64)
    grey = (255 * (pixels - pixels.min()) / max(1.0, pixels.max() - pixels.min())).astype(np.uint8)
    if ds.PhotometricInterpretation == "MONOCHROME1":
        grey = 255 - grey
    image = Image.fromarray(grey)
    image.thumbnail((128, 128))
    out = BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()
