"""Files that were made to harm a reader, by name. Each says what must become of it; making one costs next to nothing.

``expected`` is the code of the problem; None for a file that is harmless once it is read within bounds: it is taken, and
what is served of it is drawn anew or handed out as a download; an archive is listed.
"""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from activities.imaging.parser.problems import ProblemCode as Code
from tests.activities.imaging import files
from tests.hostile import archives

_PIXELS: Final = struct.pack("<HH", 0x7FE0, 0x0010)
_JPEG: Final = "1.2.840.10008.1.2.4.50"
_J2K: Final = "1.2.840.10008.1.2.4.90"


@dataclass(frozen=True)
class Hostile:
    name: str
    make: Callable[[], bytes]
    expected: Code | None
    file_name: str = "image.dcm"


def _before_pixels(inserted: bytes, whole: bytes | None = None) -> bytes:
    whole = whole or files.dicom_file()
    at = whole.index(_PIXELS)
    return whole[:at] + inserted + whole[at:]


def _element(group: int, number: int, vr: bytes, length: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH2sHI", group, number, vr, 0, length) + body


def _item(length: int, body: bytes = b"") -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, length) + body


def _jpeg(size: tuple[int, int] = (16, 16)) -> bytes:
    out = io.BytesIO()
    Image.new("L", size, 90).save(out, "JPEG")
    return out.getvalue()


def _j2k(size: tuple[int, int] = (16, 16)) -> bytes:
    out = io.BytesIO()
    Image.new("L", size, 90).save(out, "JPEG2000")
    return out.getvalue()[out.getvalue().index(b"\xff\x4f\xff\x51") :]


def _deflate_bomb_in_pixels() -> bytes:
    """A deflated image of which every part is as stated, and 2 GB long."""
    whole = files.dicom_file(Rows=16384, Columns=16384, NumberOfFrames=4)
    at = whole.index(b"\x08\x00\x16\x00")
    meta = files.restated(whole[:at], "1.2.840.10008.1.2.1.99")
    return meta + files.zeros_deflated(600, whole[at : whole.index(_PIXELS)] + _element(0x7FE0, 0x0010, b"OW", 1 << 31))


def _deflated_with(change: Callable[[bytes], bytes]) -> bytes:
    whole = files.dicom_file()
    at = whole.index(b"\x08\x00\x16\x00")
    return files.restated(whole[:at], "1.2.840.10008.1.2.1.99") + change(files.deflated(whole)[at + 2 :])


def _fragments(*parts: bytes, syntax: str = _JPEG, frames: int = 1, table: bytes = b"", end: bool = True) -> bytes:
    """An encapsulated file, its fragments exactly as given."""
    whole = files.compressed(_jpeg(), syntax, size=16)
    if frames > 1:
        whole = files.bytes_of(
            {
                **dict.fromkeys(("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"), "1.2.3"),
                "Rows": 16, "Columns": 16, "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
                "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0, "NumberOfFrames": frames,
            },
            syntax,
        )  # fmt: skip
        whole += _element(0x7FE0, 0x0010, b"OB", 0xFFFFFFFF)
    head = whole[: whole.index(_PIXELS)] + _element(0x7FE0, 0x0010, b"OB", 0xFFFFFFFF)
    body = _item(len(table), table) + b"".join(_item(len(part), part) for part in parts)
    return head + body + (struct.pack("<HHI", 0xFFFE, 0xE0DD, 0) if end else b"")


def _rle(*, segments: int, offsets: list[int], body: bytes = b"") -> bytes:
    header = struct.pack("<16I", segments, *(offsets + [0] * (15 - len(offsets))))
    return files.compressed(header + body, "1.2.840.10008.1.2.5", size=16)


def _siz(width: int, height: int) -> bytes:
    """A JPEG 2000 codestream whose size is another one than its data's."""
    stream = bytearray(_j2k())
    struct.pack_into(">II", stream, 8, width, height)
    return bytes(stream)


def _tiff(width: int, height: int, strips: int) -> bytes:
    entries = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, strips, 8), (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, strips, 8),
    ]  # fmt: skip
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<I", 8) + body + struct.pack("<I", 0)


def _tiff_of_pages_in_a_ring() -> bytes:
    body = struct.pack("<H", 1) + struct.pack("<HHII", 256, 4, 1, 5)
    return b"II*\0" + struct.pack("<I", 8) + body + struct.pack("<I", 8)


def _bmff(brand: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s4sI4s", 20, b"ftyp", brand, 0, brand) + body


def _gif() -> bytes:
    out = io.BytesIO()
    Image.new("P", (8, 8)).save(out, "GIF")
    return out.getvalue()


def _webp_bomb() -> bytes:
    """A lossless WebP that claims its largest size."""
    bits = (16383) | (16383 << 14)
    body = b"\x2f" + struct.pack("<I", bits) + bytes(64)
    chunk = b"VP8L" + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def _png_text_bomb() -> bytes:
    """A picture of one pixel with a compressed remark of 400 MB."""
    out = io.BytesIO()
    Image.new("L", (1, 1)).save(out, "PNG")
    png = out.getvalue()
    body = b"zTXtcomment\0\0" + b"\x78\xda" + files.zeros_deflated(400)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:33] + chunk + png[33:]


def _polyglot(front: bytes) -> bytes:
    """A DICOM file whose preamble is another format's head (PS3.10 §7.1 leaves its 128 bytes free)."""
    return front.ljust(128, b"\0")[:128] + files.dicom_file()[128:]


def _pdf(body: bytes) -> bytes:
    return b"%PDF-1.7\n" + body + b"\ntrailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF\n"


def _many_elements() -> bytes:
    return _before_pixels(b"".join(struct.pack("<HH2sH", 0x0029, n, b"LO", 0) for n in range(1, 30000)))


def _growing_frames() -> bytes:
    return _fragments(*([_jpeg()] * 2), frames=2, table=struct.pack("<II", 0, 0xFFFFFFF0))


CORPUS: Final[tuple[Hostile, ...]] = (
    # Deflate.
    Hostile("deflate bomb in one value", files.deflate_bomb, Code.OVER_LIMITS),
    Hostile("deflate bomb as pixels", _deflate_bomb_in_pixels, Code.OVER_LIMITS),
    Hostile("deflated, cut off", lambda: files.deflated(files.dicom_file())[:-20], Code.TRUNCATED),
    Hostile("deflated, zlib header", lambda: _deflated_with(lambda raw: b"\x78\x9c" + raw), Code.DAMAGED),
    Hostile("deflated, garbage", lambda: _deflated_with(lambda raw: b"\xff" * 600), Code.DAMAGED),
    Hostile("deflated, nothing", lambda: _deflated_with(lambda raw: b""), Code.TRUNCATED),
    Hostile("deflated, garbage after its end", lambda: files.deflated(files.dicom_file()) + b"\xde\xad" * 999, None),
    # Archives.
    *(Hostile(f"archive, {name}", make, code, "images.zip") for name, (make, code) in archives.ARCHIVES.items()),
    # Pixel bombs.
    Hostile("PNG of 60,000 by 60,000", files.png_bomb, Code.OVER_LIMITS, "photo.png"),
    Hostile("PNG with a remark of 400 MB", _png_text_bomb, Code.DAMAGED, "photo.png"),
    Hostile("JPEG of other size in DICOM", files.jpeg_of_other_size, Code.PIXEL_COUNT),
    Hostile("JPEG 2000 of 4 billion pixels", lambda: files.compressed(_siz(65535, 65535), _J2K, size=16), Code.PIXEL_COUNT),
    Hostile("JPEG 2000 of other size, as stated", lambda: files.compressed(_siz(5000, 5000), _J2K, size=5000), Code.UNDECODABLE),
    Hostile("TIFF of 4 billion pixels", lambda: _tiff(65535, 65535, 1), Code.OVER_LIMITS, "photo.tif"),
    Hostile("TIFF with 100 million strips", lambda: _tiff(16, 16, 100_000_000), Code.DAMAGED, "photo.tif"),
    Hostile("TIFF of pages in a ring", _tiff_of_pages_in_a_ring, Code.DAMAGED, "photo.tif"),
    Hostile("WebP of its largest size", _webp_bomb, Code.OVER_LIMITS, "photo.webp"),
    Hostile("GIF", _gif, Code.NOT_AN_IMAGE, "photo.gif"),
    Hostile("RLE, segments beyond its end", lambda: _rle(segments=1, offsets=[0xFFFFFFF0]), Code.UNDECODABLE),
    Hostile("RLE, a run without end", lambda: _rle(segments=1, offsets=[64], body=b"\x81\xff" * 40000), None),
    Hostile("RLE, 4 billion segments", lambda: _rle(segments=0xFFFFFFFF, offsets=[64]), Code.SYNTAX_MISMATCH),
    # DICOM structure.
    Hostile("nested without lengths", lambda: files.nested_sequences(3000, defined=False), Code.OVER_LIMITS),
    Hostile("nested with lengths", lambda: files.nested_sequences(400, defined=True), Code.OVER_LIMITS),
    Hostile("length of 4 GB", files.lying_length, Code.TRUNCATED),
    Hostile("length beyond the end by one", lambda: _before_pixels(_element(0x0070, 1, b"OB", 10_000_000)), Code.TRUNCATED),
    Hostile("tags that go back", lambda: _before_pixels(_element(0x0008, 0x0001, b"OB", 0)), Code.DAMAGED),
    Hostile("a tag twice", lambda: _before_pixels(_element(0x0070, 1, b"OB", 0) * 2), Code.DAMAGED),
    Hostile("sequence without end", lambda: _before_pixels(_element(0x0070, 1, b"SQ", 0xFFFFFFFF)), Code.DAMAGED),
    Hostile("item longer than the file", lambda: _before_pixels(_element(0x0070, 1, b"SQ", 0xFFFFFFFF) + _item(1 << 30)), Code.TRUNCATED),
    Hostile("unknown value without length", lambda: _before_pixels(_element(0x0071, 1, b"UN", 0xFFFFFFFF, b"\xfe" * 64)), Code.TRUNCATED),
    Hostile("30,000 elements", _many_elements, Code.OVER_LIMITS),
    Hostile("rows and columns of 65,535", lambda: files.dicom_file(Rows=65535, Columns=65535), Code.OVER_LIMITS),
    Hostile("two billion frames", lambda: files.dicom_file(NumberOfFrames=2**31 - 1), Code.OVER_LIMITS),
    Hostile("negative frames", lambda: files.dicom_file(NumberOfFrames=-7), Code.PIXEL_DESCRIPTION),
    Hostile("more frames than pixels", lambda: files.dicom_file(NumberOfFrames=19_999), Code.PIXEL_COUNT),
    Hostile("no rows", lambda: files.dicom_file(Rows=0), Code.PIXEL_DESCRIPTION),
    Hostile("63 bits", lambda: files.dicom_file(BitsAllocated=63), Code.PIXEL_DESCRIPTION),
    Hostile("64 bits", lambda: files.dicom_file(BitsAllocated=64, BitsStored=64), Code.FLOAT_PIXELS),
    Hostile(
        "a value representation that is none",
        lambda: files.dicom_file().replace(b"\x28\x00\x00\x01US", b"\x28\x00\x00\x01UW"),
        Code.PIXEL_DESCRIPTION,
    ),
    Hostile("offset table beyond the file", _growing_frames, None),
    Hostile("offset table, three frames in two", lambda: _fragments(_jpeg(), _jpeg(), frames=3), Code.PIXEL_COUNT),
    Hostile("no fragment", _fragments, Code.PIXEL_COUNT),
    Hostile("fragments without end", lambda: _fragments(_jpeg(), end=False), Code.TRUNCATED),
    Hostile("fragments without boundaries", lambda: _fragments(b"\xff\xd8" * 9, b"a" * 18, b"b" * 18, frames=2), Code.FRAME_BOUNDARIES),
    Hostile("only a preamble", lambda: bytes(128) + b"DICM", Code.TRUNCATED),
    Hostile("cut off in its meta information", lambda: files.dicom_file()[:200], Code.TRUNCATED),
    # What is stated and what is.
    Hostile("JPEG that states JPEG 2000", lambda: files.compressed(_jpeg(), _J2K, size=16), Code.SYNTAX_MISMATCH),
    Hostile("JPEG 2000 that states JPEG", lambda: files.compressed(_j2k(), _JPEG, size=16), Code.SYNTAX_MISMATCH),
    Hostile("native that states JPEG", lambda: files.restated(files.dicom_file(), _JPEG), Code.SYNTAX_MISMATCH),
    Hostile("JPEG that states native", lambda: files.restated(files.compressed(_jpeg(), _JPEG, size=16), "1.2.840.10008.1.2.1"), Code.SYNTAX_MISMATCH),
    Hostile("garbage that states HTJ2K", lambda: files.compressed(_j2k()[:45] + b"\xff" * 300, "1.2.840.10008.1.2.4.201", size=16), Code.UNDECODABLE),
    Hostile("film", lambda: files.restated(files.compressed(_jpeg(), _JPEG, size=16), "1.2.840.10008.1.2.4.102"), Code.VIDEO),
    Hostile("pixels on a server", lambda: files.restated(files.dicom_file(), "1.2.840.10008.1.2.4.94"), Code.PIXELS_ELSEWHERE),
    Hostile("unknown syntax", lambda: files.restated(files.compressed(_jpeg(), _JPEG, size=16), "1.2.3.4.5"), Code.UNSUPPORTED_SYNTAX),
    # Two formats in one.
    Hostile("DICOM and Windows program", lambda: _polyglot(b"MZ\x90\0" + b"\x4c\xcd\x21"), None),
    Hostile("DICOM and TIFF", lambda: _polyglot(b"II*\0\x08\0\0\0"), None),
    Hostile("DICOM and PDF", lambda: _polyglot(b"%PDF-1.7\n1 0 obj<</JS(app.alert(1))>>endobj\n"), None),
    Hostile("JPEG and PHP", lambda: files.photo() + b"<?php system($_GET['c']); ?>", None, "photo.php.jpg"),
    Hostile("SVG with a script", lambda: b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", Code.NOT_AN_IMAGE, "a.svg"),
    Hostile("HTML", lambda: b"<!doctype html><script>alert(1)</script>", Code.NOT_AN_IMAGE, "photo.jpg"),
    Hostile("Windows program", lambda: b"MZ\x90\0" + bytes(400), Code.NOT_AN_IMAGE, "photo.jpg"),
    Hostile("ELF program", lambda: b"\x7fELF\x02\x01\x01" + bytes(400), Code.NOT_AN_IMAGE),
    # Documents, surfaces, phones' photographs.
    Hostile("PDF with a script", lambda: _pdf(b"1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj"), Code.PDF_ACTIVE, "a.pdf"),
    Hostile("PDF that starts a program", lambda: _pdf(b"1 0 obj<</Type/Catalog/OpenAction<</S/Launch/F(cmd.exe)>>>>endobj"), Code.PDF_ACTIVE, "a.pdf"),
    Hostile("PDF without end", lambda: b"%PDF-1.7\n1 0 obj<<", Code.TRUNCATED, "a.pdf"),
    Hostile("STL of no numbers", lambda: b"solid a\nfacet normal x y z\n" * 3, Code.TRUNCATED, "scan.stl"),
    Hostile("PLY of 4 billion corners", lambda: b"ply\nformat ascii 1.0\nelement vertex 4294967295\nend_header\n", Code.TRUNCATED, "scan.ply"),
    Hostile("HEIC of nothing", lambda: _bmff(b"heic", b"\xff" * 300), Code.DAMAGED, "photo.heic"),
    Hostile("AVIF", lambda: _bmff(b"avif", bytes(300)), Code.AVIF, "photo.avif"),
    # Names and texts.
    Hostile("name written from right to left", lambda: files.dicom_file(patient={"PatientName": "Anna\u202egnp.exe"}, SpecificCharacterSet="ISO_IR 192"), None, "scan\u202egnp.exe.dcm"),
    Hostile("name of 4,000 letters", lambda: files.dicom_file(patient={"PatientName": "A" * 4000}), None, "a" * 200 + ".dcm"),
    Hostile("name that leads elsewhere", lambda: files.dicom_file(number=3), None, "..\\..\\windows\\system32\\a.dcm"),
    Hostile("character set that is none", lambda: files.dicom_file(SpecificCharacterSet="../../etc/passwd"), None),
    Hostile("identifier with a path", lambda: files.dicom_file(StudyInstanceUID=None, series="1.2.3"), Code.MISSING_UIDS),
    Hostile("identifier that leads to the folder above", lambda: files.dicom_file(study="..", series="."), Code.MISSING_UIDS),
    Hostile("numbers that are none", lambda: files.dicom_file(WindowCenter=["nan"], WindowWidth=["inf"], RescaleSlope="1e400"), Code.DAMAGED),
    Hostile("empty", lambda: b"", Code.EMPTY),
    Hostile("noise", lambda: np.random.default_rng(1).bytes(5000), Code.NOT_AN_IMAGE),
)  # fmt: skip
