"""ZIP archives in the child (PKWARE APPNOTE.TXT 6.3.10): the directory is checked as a whole before a byte is unpacked.

Refused are archives that lie or that could do harm: encrypted ones, names that lead out of the folder, links, two entries
of one name, entries that share bytes, sizes beyond the bounds. What is listed can be unpacked entry by entry.
"""

import re
import stat
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Final

from activities.imaging.parser.limits import MAX_ARCHIVE_ENTRIES, MAX_ARCHIVE_RATIO, MIB
from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.source import Bytes
from activities.imaging.parser.wire import Emit

_END: Final = struct.Struct("<4s4H2IH")
_END64: Final = struct.Struct("<4sQ2H2I4Q")
_LOCATOR: Final = struct.Struct("<4sIQI")
_ENTRY: Final = struct.Struct("<4s6H3I5H2I")
_LOCAL: Final = struct.Struct("<4s5H3I2H")
_STORED, _DEFLATED = 0, 8
NAMES_IN: Final = "cp437"
"""How names are written that are not marked as UTF-8 (appendix D)."""
_FULL: Final = 0xFFFFFFFF
_MAX_NAME: Final = 1000
_MAX_DIRECTORY: Final = 64 * MIB
_READ: Final = 256 * 1024
_UNIX: Final = 3
_UTF8: Final = 0x800
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_DRIVE: Final = re.compile(r"^[A-Za-z]:")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_SYSTEM: Final = re.compile(r"(thumbs\.db|desktop\.ini|ehthumbs\.db|autorun\.inf)$", re.IGNORECASE)
_PROGRAM: Final = re.compile(
    r"\.(exe|dll|bat|cmd|com|msi|sys|ocx|so|dylib|lnk|ini|inf|chm|hlp|jar|manifest)$", re.IGNORECASE
)
"""A patient CD carries its own viewer. The uploader leaves the same out of a folder."""
_SMALL: Final = 64 * MIB
"""Contents up to this size may be packed as tightly as they like."""


@dataclass(frozen=True, slots=True)
class _Entry:
    path: str
    offset: int
    packed: int
    size: int
    method: int
    crc: int

    @property
    def is_clutter(self) -> bool:
        parts = self.path.split("/")
        return (
            "__MACOSX" in parts
            or any(part.startswith(".") for part in parts)
            or _SYSTEM.fullmatch(parts[-1]) is not None
            or _PROGRAM.search(parts[-1]) is not None
        )


def list_archive(source: Bytes, largest: int) -> tuple[list[dict[str, Any]], int]:
    """The entries to unpack, and how many files were left out. ``largest``: bytes that all may have together.

    Raises FileProblem.
    """
    try:
        entries = _directory(source)
    except FileProblem as found:
        if found.code in {ProblemCode.DAMAGED, ProblemCode.TRUNCATED}:
            raise FileProblem(ProblemCode.ARCHIVE_DAMAGED) from None
        raise
    sizes = sum(entry.size for entry in entries)
    if sizes > largest or (sizes > _SMALL and sizes > MAX_ARCHIVE_RATIO * source.size):
        raise FileProblem(ProblemCode.ARCHIVE_TOO_LARGE)
    kept = [entry for entry in entries if not entry.is_clutter]
    if not kept:
        raise FileProblem(ProblemCode.ARCHIVE_EMPTY)
    ends = _ends(source, entries)
    members = [
        {
            "path": entry.path,
            "offset": entry.offset,
            "end": ends[entry.offset],
            "packed": entry.packed,
            "size": entry.size,
            "method": entry.method,
            "crc": entry.crc,
        }
        for entry in kept
    ]
    return members, len(entries) - len(kept)


def unpack(source: Bytes, member: dict[str, Any], emit: Emit) -> None:
    """Sends one entry's content. Raises FileProblem where it is not what the directory said."""
    offset, end = int(member["offset"]), int(member["end"])
    packed, size, method = int(member["packed"]), int(member["size"]), int(member["method"])
    head = _LOCAL.unpack(source.read_at(offset, _LOCAL.size))
    start = offset + _LOCAL.size + head[9] + head[10]
    if head[0] != b"PK\x03\x04" or head[2] & _ENCRYPTED or head[3] != method or start + packed > end:
        raise FileProblem(ProblemCode.DAMAGED)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS) if method == _DEFLATED else None
    done, crc = 0, 0
    for position in range(start, start + packed, _READ):
        piece = source.read_at(position, min(_READ, start + packed - position))
        while piece:
            try:
                clear = piece if inflater is None else inflater.decompress(piece, MIB)
            except zlib.error:
                raise FileProblem(ProblemCode.DAMAGED) from None
            piece = b"" if inflater is None else inflater.unconsumed_tail
            done += len(clear)
            if done > size:
                raise FileProblem(ProblemCode.DAMAGED)
            crc = zlib.crc32(clear, crc)
            if clear:
                emit(memoryview(clear))
    if done != size or crc != int(member["crc"]) or (inflater is not None and not inflater.eof):
        raise FileProblem(ProblemCode.DAMAGED)


def _directory(source: Bytes) -> list[_Entry]:
    start, size, count = _end_record(source)
    if count > MAX_ARCHIVE_ENTRIES:
        raise FileProblem(ProblemCode.ARCHIVE_TOO_LARGE)
    if size > _MAX_DIRECTORY or start + size > source.size:
        raise FileProblem(ProblemCode.DAMAGED)
    directory = source.read_at(start, size)
    entries: list[_Entry] = []
    seen: set[str] = set()
    position = 0
    for _ in range(count):
        if position + _ENTRY.size > size:
            raise FileProblem(ProblemCode.DAMAGED)
        fields = _ENTRY.unpack_from(directory, position)
        name_end = position + _ENTRY.size + fields[10]
        following = name_end + fields[11] + fields[12]
        if fields[0] != b"PK\x01\x02" or following > size:
            raise FileProblem(ProblemCode.DAMAGED)
        name = directory[position + _ENTRY.size : name_end]
        path = _path(name, is_utf8=bool(fields[3] & _UTF8))
        if path.casefold() in seen:
            raise FileProblem(ProblemCode.ARCHIVE_NAMES)
        seen.add(path.casefold())
        entry = _entry(fields, path, directory[name_end : name_end + fields[11]], start)
        if entry is not None:
            entries.append(entry)
        position = following
    if position != size:
        raise FileProblem(ProblemCode.DAMAGED)
    return entries


def _entry(fields: tuple[Any, ...], path: str, extra: bytes, directory_start: int) -> _Entry | None:
    """None for a folder."""
    made_by, flags, method = fields[1] >> 8, fields[3], fields[4]
    mode = fields[15] >> 16 if made_by == _UNIX else 0
    if flags & _ENCRYPTED:
        raise FileProblem(ProblemCode.ARCHIVE_LOCKED)
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise FileProblem(ProblemCode.ARCHIVE_NAMES)
    size, packed, offset = _sizes(fields[9], fields[8], fields[16], extra)
    if path.endswith("/"):
        if size:
            raise FileProblem(ProblemCode.DAMAGED)
        return None
    if method not in {_STORED, _DEFLATED}:
        raise FileProblem(ProblemCode.ARCHIVE_METHOD)
    if offset + _LOCAL.size + packed > directory_start or (method == _STORED and packed != size):
        raise FileProblem(ProblemCode.DAMAGED)
    return _Entry(path, offset, packed, size, method, fields[7])


def _sizes(size: int, packed: int, offset: int, extra: bytes) -> tuple[int, int, int]:
    """With what the ZIP64 field says in place of full ones (4.5.3)."""
    values = [size, packed, offset]
    if _FULL not in values:
        return size, packed, offset
    position = 0
    while position + 4 <= len(extra):
        tag, length = struct.unpack_from("<HH", extra, position)
        if tag == 0x0001:
            field, at = extra[position + 4 : position + 4 + length], 0
            for index, value in enumerate(values):
                if value == _FULL:
                    if at + 8 > len(field):
                        raise FileProblem(ProblemCode.DAMAGED)
                    values[index] = int.from_bytes(field[at : at + 8], "little")
                    at += 8
            return values[0], values[1], values[2]
        position += 4 + length
    raise FileProblem(ProblemCode.DAMAGED)


def _end_record(source: Bytes) -> tuple[int, int, int]:
    """Where the directory begins, its size, and its number of entries. It has to end where its end record begins."""
    tail_size = min(source.size, _END.size + 0xFFFF)
    tail = source.read_at(source.size - tail_size, tail_size)
    at = len(tail) - _END.size
    while at >= 0 and not (
        tail[at : at + 4] == b"PK\x05\x06"
        and at + _END.size + int.from_bytes(tail[at + 20 : at + 22], "little") == tail_size
    ):
        at = tail.rfind(b"PK\x05\x06", 0, at + 3)
    if at < 0:
        raise FileProblem(ProblemCode.TRUNCATED)
    _, disk, first_disk, here, count, size, start, _ = _END.unpack_from(tail, at)
    place = source.size - tail_size + at
    if {disk, first_disk} - {0, 0xFFFF} or here != count:
        raise FileProblem(ProblemCode.ARCHIVE_METHOD)
    if 0xFFFF in {count, disk} or _FULL in {size, start}:
        place, count, size, start = _end64(source, place)
    if start + size != place:
        raise FileProblem(ProblemCode.DAMAGED)
    return start, size, count


def _end64(source: Bytes, end: int) -> tuple[int, int, int, int]:
    signature, disk, place, disks = _LOCATOR.unpack(source.read_at(end - _LOCATOR.size, _LOCATOR.size))
    if signature != b"PK\x06\x07" or disk or disks > 1:
        raise FileProblem(ProblemCode.DAMAGED)
    fields = _END64.unpack(source.read_at(place, _END64.size))
    if fields[0] != b"PK\x06\x06" or place + 12 + fields[1] != end - _LOCATOR.size or fields[6] != fields[7]:
        raise FileProblem(ProblemCode.DAMAGED)
    return place, fields[7], fields[8], fields[9]


def _ends(source: Bytes, entries: list[_Entry]) -> dict[int, int]:
    """Where each entry has to have ended: at the next one's beginning, or at the directory."""
    ordered = sorted(entries, key=lambda entry: entry.offset)
    following = [entry.offset for entry in ordered[1:]] + [source.size]
    for entry, end in zip(ordered, following, strict=True):
        if entry.offset + _LOCAL.size + entry.packed > end:
            raise FileProblem(ProblemCode.ARCHIVE_TOO_LARGE)
    return {entry.offset: end for entry, end in zip(ordered, following, strict=True)}


def _path(name: bytes, *, is_utf8: bool) -> str:
    try:
        text = name.decode("utf-8" if is_utf8 else NAMES_IN)
    except UnicodeDecodeError:
        raise FileProblem(ProblemCode.ARCHIVE_NAMES) from None
    path = text.replace("\\", "/")
    parts = path.split("/")
    if (
        not path.strip("/ ")
        or len(path) > _MAX_NAME
        or path.startswith("/")
        or ".." in parts
        or _DRIVE.match(path)
        or _CONTROL.search(path)
    ):
        raise FileProblem(ProblemCode.ARCHIVE_NAMES)
    return path
