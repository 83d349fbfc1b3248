"""Files for the imaging tests: pydicom's own, made ones, and hostile ones. Nothing is downloaded."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pydicom.data
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless, generate_uid

from activities.imaging.parser.syntaxes import DEFLATED_LE, IMPLICIT_LE, NATIVE

PYDICOM_FILES = Path(pydicom.data.__file__).parent / "test_files"
PATIENT = {
    "PatientName": "Muster^Anna",
    "PatientID": "A-100",
    "PatientBirthDate": "19800214",
    "PatientSex": "F",
}


def pydicom_file(name: str) -> bytes:
    return (PYDICOM_FILES / name).read_bytes()


def dicom_file(
    *,
    study: str | None = None,
    series: str | None = None,
    number: int = 1,
    size: int = 16,
    frames: int = 1,
    patient: dict[str, str] | None = None,
    **attributes: object,
) -> bytes:
    """A small native image; its pixels grow with the instance number so that files differ. ``attributes`` override."""
    pixels = np.full((frames, size, size), 100 + number, np.uint16)
    pixels[:, 0, 0] = 0
    return bytes_of(
        {
            "StudyInstanceUID": study or generate_uid(),
            "SeriesInstanceUID": series or generate_uid(),
            "SOPInstanceUID": generate_uid(),
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
            "Modality": "CT",
            "SeriesNumber": 1,
            "SeriesDescription": "Volume",
            "StudyDescription": "CBCT",
            "InstanceNumber": number,
            "Rows": size,
            "Columns": size,
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "BitsAllocated": 16,
            "BitsStored": 12,
            "HighBit": 11,
            "PixelRepresentation": 0,
            "PixelSpacing": [0.25, 0.25],
            **({"NumberOfFrames": frames} if frames > 1 else {}),
            "PixelData": pixels.tobytes(),
            **(PATIENT if patient is None else patient),
            **attributes,
        }
    )


def bytes_of(attributes: dict[str, object], syntax: str = ExplicitVRLittleEndian) -> bytes:
    dataset = Dataset()
    for name, value in attributes.items():
        if value is not None:
            setattr(dataset, name, value)
    dataset.file_meta = FileMetaDataset()
    known = syntax if syntax in NATIVE else JPEG2000Lossless  # pydicom writes no syntax that it does not know
    dataset.file_meta.TransferSyntaxUID = UID(known)
    dataset.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.2")
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", generate_uid())
    if "PixelData" in dataset:
        dataset["PixelData"].VR = "OW" if syntax in NATIVE else "OB"
    out = io.BytesIO()
    dataset.save_as(out, implicit_vr=syntax == IMPLICIT_LE, little_endian=True, enforce_file_format=True)
    return out.getvalue() if known == syntax else restated(out.getvalue(), syntax)


def restated(content: bytes, syntax: str) -> bytes:
    """The file with another transfer syntax in its meta information (PS3.10 §7.1), which keeps its stated length."""
    at = content.index(b"\x02\x00\x10\x00UI")
    (old,) = struct.unpack_from("<H", content, at + 6)
    new = syntax.encode() + b"\0" * (len(syntax) % 2)
    place = content.index(b"\x02\x00\x00\x00UL\x04\x00") + 8
    length = struct.unpack_from("<I", content, place)[0] + len(new) - old
    whole = content[:at] + b"\x02\x00\x10\x00UI" + struct.pack("<H", len(new)) + new + content[at + 8 + old :]
    return whole[:place] + struct.pack("<I", length) + whole[place + 4 :]


def photo(form: str = "JPEG", size: tuple[int, int] = (60, 40), *, orientation: int | None = None) -> bytes:
    """A picture whose upper left corner is red."""
    image = Image.new("RGB", size, (20, 120, 200))
    image.paste((255, 0, 0), (0, 0, size[0] // 4, size[1] // 4))
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    out = io.BytesIO()
    image.save(out, form, exif=exif)
    return out.getvalue()


def pdf() -> bytes:
    return b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF\n"


def deflate_bomb() -> bytes:
    """A deflated data set of 600 kB that would inflate to 600 MB (PS3.5 §A.5)."""
    whole = bytes_of({"SOPInstanceUID": "1.2.3", "SOPClassUID": "1.2.4"})
    meta = whole[: whole.index(b"\x08\x00\x16\x00")].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    meta = meta.replace(b"\x02\x00\x10\x00UI\x14\x00", b"\x02\x00\x10\x00UI\x16\x00")
    return meta + zeros_deflated(600, struct.pack("<HH2sHI", 0x0008, 0x0008, b"UT", 0, 600 << 20))


def zeros_deflated(mebibytes: int, head: bytes = b"") -> bytes:
    """Zeros behind a head. One mebibyte is packed, in a block that depends on none before it, and then repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    start = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + block * mebibytes + packer.flush()


def nested_sequences(depth: int, *, defined: bool) -> bytes:
    """Sequences within sequences, of defined or undefined length."""
    inner = b""
    if defined:
        for _ in range(depth):
            item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
            inner = struct.pack("<HH2sHI", 0x0040, 0xA730, b"SQ", 0, len(item)) + item
    else:
        opening = struct.pack("<HH2sHI", 0x0040, 0xA730, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
            "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
        )
        closing = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
        inner = opening * depth + closing * depth
    whole = dicom_file()
    at = whole.index(struct.pack("<HH", 0x7FE0, 0x0010))
    return whole[:at] + inner + whole[at:]


def lying_length() -> bytes:
    """An element that says to be 4 GB long."""
    whole = dicom_file()
    at = whole.index(struct.pack("<HH", 0x7FE0, 0x0010))
    return whole[:at] + struct.pack("<HH2sHI", 0x0070, 0x0001, b"OB", 0, 0xFFFFFFF0) + whole[at:]


def jpeg_of_other_size() -> bytes:
    """A JPEG of 4,000 × 4,000 that calls itself 16 × 16."""
    out = io.BytesIO()
    Image.new("L", (4000, 4000)).save(out, "JPEG")
    return compressed(out.getvalue(), "1.2.840.10008.1.2.4.50", size=16)


def compressed(codestream: bytes, syntax: str, *, size: int) -> bytes:
    return bytes_of(
        {
            "StudyInstanceUID": generate_uid(),
            "SeriesInstanceUID": generate_uid(),
            "SOPInstanceUID": generate_uid(),
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7",
            "Modality": "OT",
            "Rows": size,
            "Columns": size,
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "BitsAllocated": 8,
            "BitsStored": 8,
            "HighBit": 7,
            "PixelRepresentation": 0,
            "PixelData": encapsulate([codestream]),
        },
        syntax,
    )


def png_bomb() -> bytes:
    """A PNG of a few hundred bytes that claims 60,000 × 60,000 pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(4096))) + chunk(b"IEND", b"")
    )


def deflated(whole: bytes) -> bytes:
    """An explicit little endian file with its data set deflated (PS3.5 §A.5)."""
    at = whole.index(b"\x08\x00\x16\x00")
    meta = restated(whole[:at], DEFLATED_LE)
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    return meta + packer.compress(whole[at:]) + packer.flush()
