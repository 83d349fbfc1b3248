"""What a file is, by its first bytes and never by its name."""

import struct
from typing import Final

from activities.imaging.parser.source import Bytes
from schemas.files import FileKind

_HEIC: Final = frozenset({b"heic", b"heix", b"heim", b"heis"})
"""Brands of files whose picture is coded with HEVC (ISO/IEC 23008-12, annex B)."""
_AVIF: Final = frozenset({b"avif", b"avis"})
_STL_HEAD: Final = 84
"""A binary STL: 80 bytes of anything, the number of triangles, then 50 bytes for each."""
_STL_TRIANGLE: Final = 50

_ARCHIVES: Final = (b"PK\x03\x04", b"PK\x05\x06", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x1f\x8b\x08")
_OFFICE: Final = (b"[Content_Types].xml", b"_rels/", b"mimetype", b"docProps/", b"word/", b"xl/", b"ppt/")
"""First entries of office documents, which are ZIP files too (ECMA-376 part 2; OpenDocument 1.3 part 2, 3.3)."""


def kind_of(source: Bytes) -> FileKind:
    """A photograph, a document, a surface, or another one: DICOM and archives are told before."""
    head = source.read_at(0, min(source.size, 1024))
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*")) or (
        head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    ):
        return FileKind.PHOTO
    if is_heic(head):
        return FileKind.PHOTO
    if head.startswith(b"%PDF-"):
        return FileKind.DOCUMENT
    return FileKind.SURFACE if is_surface(head, source.size) else FileKind.OTHER


def is_surface(head: bytes, size: int) -> bool:
    """STL in either form, or PLY. A binary STL has no mark of its own, but a length that follows from its count."""
    if head.startswith((b"ply\n", b"ply\r\n")):
        return True
    if is_binary_stl(head, size):
        return True
    return head.lstrip()[:6].lower() == b"solid " and b"facet" in head


def is_binary_stl(head: bytes, size: int) -> bool:
    if len(head) < _STL_HEAD:
        return False
    triangles = int(struct.unpack_from("<I", head, 80)[0])
    return triangles > 0 and size == _STL_HEAD + _STL_TRIANGLE * triangles


def is_heic(head: bytes) -> bool:
    return bool(_brands(head) & _HEIC)


def is_avif(head: bytes) -> bool:
    brands = _brands(head)
    return bool(brands & _AVIF) and not brands & _HEIC


def _brands(head: bytes) -> set[bytes]:
    """Major and compatible brands of an ISO base media file (ISO/IEC 14496-12, 4.3)."""
    if head[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(head[:4], "big"), len(head), 256)
    return {head[8:12], *(head[at : at + 4] for at in range(16, end, 4))}


def archive_kind(source: Bytes) -> str | None:
    """``zip``, ``7z``, ``rar`` or ``gzip``; a ZIP's first entry has its name at offset 30 (APPNOTE.TXT 4.3.7)."""
    head = source.read_at(0, min(source.size, 64))
    if not head.startswith(_ARCHIVES) or head[30:].startswith(_OFFICE):
        return None
    return {b"PK": "zip", b"7z": "7z", b"Ra": "rar"}.get(head[:2], "gzip")
