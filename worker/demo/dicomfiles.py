"""The studies as DICOM files: CT for the CBCT volume, DX for the panoramic view, IO for intraoral images.

Object definitions: PS3.3 §A.3 (CT Image), §A.26 (Digital X-Ray Image), §A.28 (Digital Intra-Oral X-Ray Image). Every
file says that it is synthetic, in Synthetic Data (0008,001C) and in Image Comments (0020,4000). Patient Identity
Removed is absent on purpose: nobody's identity was there to be removed.
"""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    DigitalIntraOralXRayImageStorageForPresentation,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEGLSLossless,
)

from schemas import tooth_codes
from schemas.teeth import Notation, parse
from worker.demo.arch import Grid
from worker.demo.intraoral import Film, Projection
from worker.demo.panoramic import MAGNIFICATION
from worker.demo.patients import PatientIdentity
from worker.demo.phantom import WIDTH
from worker.demo.scanner import STORED_OFFSET

COMMENT = "Synthetic data; not a patient"
_NAMESPACE = UUID("6f1d3c52-8a0e-5b7d-9c41-2e5a7f30d8b6")
Region = tuple[str, str]
"""Code value and meaning of PS3.16 CID 4016, coding scheme SCT."""
JAW, MANDIBLE, MAXILLA = ("661005", "Jaw region"), ("91609006", "Mandible"), ("70925003", "Maxilla")


def uid(*names: object) -> UID:
    """The same UID for the same names, by UUID version 5 under the 2.25 root (PS3.5 §B.2)."""
    return UID(f"2.25.{uuid5(_NAMESPACE, '/'.join(str(name) for name in names)).int}")


@dataclass(frozen=True)
class SeriesHeader:
    """What all instances of a series share."""

    identity: PatientIdentity
    study_uid: UID
    series_uid: UID
    accession_number: str
    modality: str
    description: str
    series_number: int
    acquired: datetime
    """Timezone-aware."""


def write(dataset: Dataset, pixels: NDArray[np.uint16], path: Path, *, compressed: bool) -> None:
    """Add 12-bit pixels and write a Part 10 file, JPEG-LS lossless or plain little endian."""
    rows, columns = pixels.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = rows, columns
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.LossyImageCompression = "00"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.ImplementationClassUID = uid("implementation")
    meta.ImplementationVersionName = "ODONTOFLOW_DEMO"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta
    if compressed:
        dataset.compress(JPEGLSLossless, pixels, encoding_plugin="pyjpegls", generate_instance_uid=False)
    else:
        dataset.PixelData = pixels.astype("<u2").tobytes()
        dataset["PixelData"].VR = "OW"
    dataset.save_as(path, enforce_file_format=True)


def ct_slice(
    header: SeriesHeader, grid: Grid, index: int, *, frame_of_reference: UID, thickness: float, region: Region
) -> Dataset:
    """One axial slice of the CBCT series; ``index`` counts from the lowest."""
    dataset = _instance(header, CTImageStorage, index + 1)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.FrameOfReferenceUID = frame_of_reference
    dataset.PositionReferenceIndicator = ""
    dataset.PatientPosition = "HFS"
    spacing = float(np.round(grid.spacing, 6))
    dataset.PixelSpacing = [spacing, spacing]
    dataset.SliceThickness = round(thickness, 6)
    dataset.SpacingBetweenSlices = round(thickness, 6)
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    z = round(float(grid.z[0]) + index * thickness, 4)
    dataset.ImagePositionPatient = [round(float(grid.x[0, 0]), 4), round(float(grid.y[0, 0]), 4), z]
    dataset.SliceLocation = z
    dataset.RescaleIntercept, dataset.RescaleSlope = -STORED_OFFSET, 1
    dataset.RescaleType = "US"  # grey values of a cone beam are not Hounsfield units
    dataset.WindowCenter, dataset.WindowWidth = [800, 350], [3600, 2000]
    dataset.WindowCenterWidthExplanation = ["BONE", "SOFT"]
    dataset.KVP = 90
    dataset.XRayTubeCurrent, dataset.ExposureTime, dataset.Exposure = 8, 9000, 72
    dataset.ScanOptions = "CONE BEAM"
    dataset.FilterType = "ALUMINUM"
    dataset.ConvolutionKernel = "BONE"
    dataset.DataCollectionDiameter = dataset.ReconstructionDiameter = WIDTH
    dataset.DistanceSourceToDetector, dataset.DistanceSourceToPatient = 700, 480
    dataset.RotationDirection = "CW"
    dataset.AcquisitionNumber = 1
    _anatomy(dataset, region)
    return dataset


def panoramic_image(header: SeriesHeader, pitch: float) -> Dataset:
    """The panoramic image; ``pitch`` is at the detector (mm)."""
    dataset = _projection(header, DigitalXRayImageStorageForPresentation, 1, pitch)
    dataset.PatientOrientation = ["L", "F"]
    dataset.ImageLaterality = "B"
    dataset.PositionerType = "PANORAMIC"
    dataset.EstimatedRadiographicMagnificationFactor = MAGNIFICATION
    dataset.KVP = 70
    dataset.XRayTubeCurrent, dataset.ExposureTime, dataset.Exposure = 10, 14000, 140
    _anatomy(dataset, JAW)
    return dataset


def intraoral_image(header: SeriesHeader, film: Film, number: int) -> Dataset:
    """One intraoral image with the codes of its region and of the teeth on it (PS3.3 §C.8.13; CIDs 4016 and 4018)."""
    dataset = _projection(header, DigitalIntraOralXRayImageStorageForPresentation, number, film.pitch)
    dataset.PatientOrientation = list(film.view.orientation)
    dataset.ImageLaterality = film.view.laterality
    dataset.PositionerType = "NONE"
    dataset.KVP = 65
    dataset.XRayTubeCurrent, dataset.ExposureTime, dataset.Exposure = 7, 160, 1
    dataset.ExposureInuAs = 1120
    bitewing = film.view.projection is Projection.BITEWING
    dataset.ImageComments = f"{COMMENT}. {film.view.projection.capitalize()}, {', '.join(str(t) for t in film.teeth)}"
    _anatomy(dataset, JAW if bitewing else MAXILLA if film.view.upper else MANDIBLE)
    shown = [parse(str(fdi), Notation.FDI) for fdi in film.teeth]
    dataset.PrimaryAnatomicStructureSequence = [
        _code(tooth_codes.snomed_code(tooth) or "", tooth_codes.code_meaning(tooth) or "") for tooth in shown
    ]
    return dataset


def _instance(header: SeriesHeader, sop_class: UID, number: int) -> Dataset:
    """Patient, study, series, equipment and SOP common modules."""
    who, when = header.identity, header.acquired
    day, time = when.strftime("%Y%m%d"), when.strftime("%H%M%S.%f")
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = uid(header.series_uid, number)
    dataset.SyntheticData = "YES"
    dataset.InstanceCreationDate = dataset.StudyDate = dataset.SeriesDate = day
    dataset.AcquisitionDate = dataset.ContentDate = day
    dataset.InstanceCreationTime = dataset.StudyTime = dataset.SeriesTime = time
    dataset.AcquisitionTime = dataset.ContentTime = time
    dataset.AcquisitionDateTime = f"{day}{time}{when.strftime('%z')}"
    dataset.TimezoneOffsetFromUTC = when.strftime("%z")
    dataset.AccessionNumber = header.accession_number
    dataset.Modality = header.modality
    dataset.Manufacturer = "OdontoFlow synthetic"
    dataset.ManufacturerModelName = "Phantom"
    dataset.DeviceSerialNumber = "0"
    dataset.SoftwareVersions = "1"
    dataset.InstitutionName = "OdontoFlow demo practice"
    dataset.ReferringPhysicianName = ""
    dataset.StudyDescription = dataset.SeriesDescription = header.description
    dataset.PatientName = who.name
    dataset.PatientID = who.patient_id
    dataset.IssuerOfPatientID = who.issuer
    dataset.PatientBirthDate = who.birth_date.strftime("%Y%m%d")
    dataset.PatientSex = who.sex
    dataset.PatientAge = f"{_years(who.birth_date, when.date()):03d}Y"
    dataset.BodyPartExamined = "JAW"
    dataset.StudyInstanceUID = header.study_uid
    dataset.SeriesInstanceUID = header.series_uid
    dataset.StudyID = header.accession_number
    dataset.SeriesNumber, dataset.InstanceNumber = header.series_number, number
    dataset.BurnedInAnnotation = "NO"
    dataset.ImageComments = COMMENT
    return dataset


def _years(born: date, then: date) -> int:
    return then.year - born.year - ((then.month, then.day) < (born.month, born.day))


def _projection(header: SeriesHeader, sop_class: UID, number: int, pitch: float) -> Dataset:
    """The DX image and detector modules (PS3.3 §C.8.11): presentation values, dense is bright."""
    dataset = _instance(header, sop_class, number)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = "LOG", -1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "US"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.WindowCenter, dataset.WindowWidth = 2048, 4096
    dataset.ImagerPixelSpacing = [round(pitch, 6), round(pitch, 6)]
    dataset.DetectorType = "SCINTILLATOR"
    dataset.DetectorConfiguration = "AREA"
    dataset.AcquisitionContextSequence = []
    return dataset


def _anatomy(dataset: Dataset, region: Region) -> None:
    dataset.AnatomicRegionSequence = [_code(*region)]


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return item
