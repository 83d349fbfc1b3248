"""Archives that were made to harm whoever unpacks them."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Final

from activities.imaging.parser.problems import ProblemCode as Code
from tests.activities.imaging import files


def packed(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return out.getvalue()


def _bomb() -> bytes:
    """600 MB of zeros in one entry."""
    body, size, total = files.zeros_deflated(600), 600 << 20, 0
    sizes = struct.pack("<III", total, len(body), size)
    local = b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 8, 0, 0x21) + sizes + struct.pack("<HH", 5, 0) + b"a.dcm"
    entry = b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 0x21) + sizes
    entry += struct.pack("<HHHHHII", 5, 0, 0, 0, 0, 0, 0) + b"a.dcm"
    at = len(local) + len(body)
    return local + body + entry + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), at, 0)


def _nested() -> bytes:
    inner = packed(("a.dcm", bytes(1 << 20)))
    for level in range(5):
        inner = packed(*((f"{level}-{number}.zip", inner) for number in range(16)))
    return inner


def _overlapping() -> bytes:
    """Two names for one entry's bytes, as in the bombs that need no nesting."""
    whole = packed(("a.dcm", files.dicom_file()))
    at = whole.index(b"PK\x01\x02")
    end = whole.index(b"PK\x05\x06")
    entry = whole[at:end]
    twice = entry + entry.replace(b"a.dcm", b"b.dcm")
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 2, 2, len(twice), at, 0)
    return whole[:at] + twice + tail


def _symlink() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("images")
        link.create_system = 3
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc")
        archive.writestr("images/passwd", b"x")
    return out.getvalue()


def _flags(bit: int) -> bytes:
    whole = bytearray(packed(("a.dcm", files.dicom_file())))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = whole.index(mark) + offset
        whole[at] |= bit
    return bytes(whole)


def _lying_sizes() -> bytes:
    whole = bytearray(packed(("a.dcm", files.dicom_file())))
    at = whole.index(b"PK\x01\x02")
    struct.pack_into("<I", whole, at + 24, 7)
    return bytes(whole)


def _lying_zip64() -> bytes:
    whole = packed(("a.dcm", files.dicom_file()))
    at = whole.index(b"PK\x05\x06")
    end_64 = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1 << 60, 1 << 60, 1 << 62, 1 << 61)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, 1 << 63, 1)
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return whole[:at] + end_64 + locator + tail


def _wrong_sum() -> bytes:
    whole = bytearray(packed(("a.dcm", files.dicom_file())))
    whole[whole.index(b"PK\x01\x02") + 16] ^= 0xFF
    return bytes(whole)


def _many() -> bytes:
    return packed(*((f"{number}.dcm", b"") for number in range(25_000)), method=zipfile.ZIP_STORED)


def _twice() -> bytes:
    whole = packed(("a.dcm", files.dicom_file(number=1)), ("b.dcm", files.dicom_file(number=2)))
    return whole.replace(b"b.dcm", b"a.dcm")


def _other_name() -> bytes:
    """The directory gives a name, the entry itself another."""
    whole = packed(("a.dcm", files.dicom_file()))
    at = whole.index(b"PK\x01\x02")
    return whole[:at] + whole[at:].replace(b"a.dcm", b"e.exe")


def _unknown_method() -> bytes:
    whole = bytearray(packed(("a.dcm", files.dicom_file())))
    struct.pack_into("<H", whole, whole.index(b"PK\x03\x04") + 8, 99)
    struct.pack_into("<H", whole, whole.index(b"PK\x01\x02") + 10, 99)
    return bytes(whole)


ARCHIVES: Final[dict[str, tuple[Callable[[], bytes], Code | None]]] = {
    "bomb of 600 MB": (_bomb, Code.ARCHIVE_TOO_LARGE),
    "bombs in one another": (_nested, None),
    "entries that overlap": (_overlapping, Code.ARCHIVE_TOO_LARGE),
    "a way out": (lambda: packed(("../../../etc/cron.d/a", files.dicom_file())), Code.ARCHIVE_NAMES),
    "an absolute path": (lambda: packed(("/etc/passwd", files.dicom_file())), Code.ARCHIVE_NAMES),
    "a drive": (lambda: packed(("C:\\Windows\\a.dcm", files.dicom_file())), Code.ARCHIVE_NAMES),
    "a link": (_symlink, Code.ARCHIVE_NAMES),
    "locked": (lambda: _flags(1), Code.ARCHIVE_LOCKED),
    "lying sizes": (_lying_sizes, None),
    "lying 64-bit sizes": (_lying_zip64, Code.ARCHIVE_DAMAGED),
    "a wrong sum": (_wrong_sum, None),
    "25,000 entries": (_many, Code.ARCHIVE_TOO_LARGE),
    "a name twice": (_twice, Code.ARCHIVE_NAMES),
    "two names for one entry": (_other_name, Code.ARCHIVE_EMPTY),
    "an unknown method": (_unknown_method, Code.ARCHIVE_METHOD),
    "cut off": (lambda: packed(("a.dcm", files.dicom_file()))[:-30], Code.ARCHIVE_DAMAGED),
    "only its end": (lambda: b"PK\x05\x06" + bytes(18), Code.ARCHIVE_EMPTY),
    "7z": (lambda: b"7z\xbc\xaf\x27\x1c" + bytes(100), Code.ARCHIVE_KIND),
    "RAR": (lambda: b"Rar!\x1a\x07\x01\0" + bytes(100), Code.ARCHIVE_KIND),
    "gzip bomb": (lambda: b"\x1f\x8b\x08" + zlib.compress(bytes(1 << 24), 9, 31)[3:], Code.ARCHIVE_KIND),
}
"""With the code of each; None for one that is listed, whose entries are refused one by one as they are taken out."""
