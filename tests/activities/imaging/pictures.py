"""Photographs, documents and surfaces for the tests, some with marks that must never be served."""

import base64
import io
import struct
import zlib

import numpy as np
from PIL import Image, PngImagePlugin
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from tests.activities.imaging.files import bytes_of

CANARY = b"CANARY"
"""Part of every mark that a camera leaves in these files: maker, place, note, comment."""

_HEIC = (
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAchtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAADRpbG9jAA"
    "AAAERAAAIAAQAAAAAB7AABAAAAAAAAAFwAAgAAAAACSAABAAAAAAAAALAAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAAAAABAABodmMxAAAAABVp"
    "bmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAABB2lwcnAAAADmaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGE"
    "ABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkA"
    "AAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEH"
    "BpeGkAAAAAAwgICAAAAAlpcm90AwAAABlpcG1hAAAAAAAAAAEAAQaBAgMFhIYAAAAaaXJlZgAAAAAAAAAOY2RzYwACAAEAAQAAARRtZGF0AAAA"
    "WCgBrwngIzX7oXvw5kamhc7E9XRE2wIcRDb2n3y6SXmqyt+0e52a5+tKY/Rv1198HeRkzyf3P81/DAkNHi/eUx67Z4j0bUoeRVhT664//qDwjv"
    "r0n7r7enwAAAAGRXhpZgAATU0AKgAAAAgABAEPAAIAAAANAAAAPgESAAMAAAABAAYAAIglAAQAAAABAAAATJJ8AAEAAAALAAAAmgAAAABDQU5B"
    "UlktTUFLRVIAAAADAAEAAgAAAAJOAAAAAAIABQAAAAMAAAB2AB0AAgAAAAsAAACOAAAAAAAAAC8AAAABAAAAFgAAAAEAAAABAAAAAUNBTkFSWS"
    "1HUFMAAENBTkFSWS1OT1RFAA=="
)


def heic() -> bytes:
    """48 × 64 once turned by its own ``irot`` box; red at the upper right; Exif with orientation 6, GPS and a maker note.

    Nothing here can write HEVC, so the file is kept as it is.
    """
    return base64.b64decode(_HEIC)


def avif() -> bytes:
    return struct.pack(">I", 28) + b"ftypavif" + bytes(4) + b"avifmif1miaf" + bytes(200)


def marked_exif(orientation: int = 6) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "CANARY-MAKER"
    exif[0x927C] = b"CANARY-NOTE"
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[29] = "N", (47.0, 22.0, 1.0), "CANARY-GPS"
    return exif


def marked_photo(form: str) -> bytes:
    """60 × 40, red at the upper left as stored, with marks wherever the format has room for them."""
    image = Image.new("RGB", (60, 40), (20, 120, 200))
    image.paste((255, 0, 0), (0, 0, 15, 10))
    out = io.BytesIO()
    match form:
        case "JPEG":
            image.save(out, form, exif=marked_exif(), comment=b"CANARY-COMMENT", xmp=b"<x>CANARY-XMP</x>", dpi=(72, 72))
            return out.getvalue() + b"\xff\xd8 CANARY-TRAILER"
        case "PNG":
            text = PngImagePlugin.PngInfo()
            text.add_text("Comment", "CANARY-COMMENT")
            text.add_itxt("XML:com.adobe.xmp", "CANARY-XMP")
            image.save(out, form, exif=marked_exif(), pnginfo=text)
            return out.getvalue() + b"CANARY-TRAILER"
        case "WEBP":
            image.save(out, form, lossless=True, exif=marked_exif(), xmp=b"CANARY-XMP")
            return out.getvalue() + b"CANARY-TRAILER"
        case _:
            exif = marked_exif(1)
            exif[270] = "CANARY-DESCRIPTION"
            image.save(out, form, exif=exif, compression="tiff_deflate")
            return out.getvalue() + b"CANARY-TRAILER"


def pages(form: str, count: int) -> bytes:
    """A TIFF of several pages, or a WebP that moves; each darker than the one before."""
    pictures = [Image.new("RGB", (30, 20), (200 - 40 * index,) * 3) for index in range(count)]
    out = io.BytesIO()
    pictures[0].save(out, form, save_all=True, append_images=pictures[1:])
    return out.getvalue()


def picture(form: str, mode: str) -> bytes:
    """Black on the left, white on the right, in a colour space or a depth of its own."""
    out = io.BytesIO()
    if mode == "I;16":
        grey = np.zeros((20, 30), np.uint16)
        grey[:, 15:] = 65535
        Image.fromarray(grey).save(out, form)
        return out.getvalue()
    image = Image.new("RGB", (30, 20))
    image.paste((255, 255, 255), (15, 0, 30, 20))
    image.convert(mode).save(out, form)
    return out.getvalue()


def stl(triangles: int, *, header: bytes = b"solid by a scanner that writes so in binary files, too") -> bytes:
    return header.ljust(80, b" ") + struct.pack("<I", triangles) + bytes(50 * triangles)


def ascii_stl(facets: int) -> bytes:
    facet = "facet normal 0 0 1\nouter loop\n" + "vertex 0 0 0\n" * 3 + "endloop\nendfacet\n"
    return f"solid jaw\n{facet * facets}endsolid jaw\n".encode()


def ply(faces: int, *, claimed: int | None = None) -> bytes:
    header = (
        "ply\nformat binary_little_endian 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
        f"element face {faces if claimed is None else claimed}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    return header.encode() + bytes(36) + struct.pack("<Biii", 3, 0, 1, 2) * faces


def pdf_with(dictionary: bytes = b"", *, packed: bytes | None = None) -> bytes:
    """A PDF whose catalog has more in it; ``packed`` lies in an object stream, out of plain sight."""
    body = b"%PDF-1.7\n1 0 obj<</Type/Catalog" + dictionary + b">>endobj\n"
    # A content stream may hold any letters: those in it count for nothing.
    body += b"2 0 obj<</Length 20>>stream\n/JavaScript /Encrypt \nendstream\nendobj\n"
    if packed is not None:
        squeezed = zlib.compress(packed)
        body += b"3 0 obj<</Type/ObjStm/Filter/FlateDecode/N 1/First 4/Length %d>>stream\n" % len(squeezed)
        body += squeezed + b"\nendstream\nendobj\n"
    return body + b"trailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF\n"


def enclosed(document: bytes, sop_class: str = "1.2.840.10008.5.1.4.1.1.104.1", **attributes: object) -> bytes:
    """A document in DICOM's wrapping, of the usual patient unless ``attributes`` say otherwise."""
    wrapped: dict[str, object] = {
        "StudyInstanceUID": generate_uid(),
        "SeriesInstanceUID": generate_uid(),
        "SOPInstanceUID": generate_uid(),
        "SOPClassUID": sop_class,
        "Modality": "DOC",
        "PatientName": "Muster^Anna",
        "PatientID": "A-100",
        "PatientBirthDate": "19800214",
        "PatientSex": "F",
        "DocumentTitle": "Referral",
        "MIMETypeOfEncapsulatedDocument": "application/pdf",
        "EncapsulatedDocument": document + b"\0" * (len(document) % 2),
    }
    return bytes_of(wrapped | attributes)


def disc_directory(uids: list[str]) -> bytes:
    """A DICOMDIR that lists these instances, each in a file of its own."""
    records = []
    for number, uid in enumerate(uids):
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        record.RecordInUseFlag = 0xFFFF
        record.ReferencedFileID = ["IMAGES", f"IM{number:04}"]
        record.ReferencedSOPInstanceUIDInFile = uid
        records.append(record)
    return bytes_of({"SOPClassUID": "1.2.840.10008.1.3.10", "FileSetID": "DISC", "DirectoryRecordSequence": records})
