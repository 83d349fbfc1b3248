"""ZIP archives for the tests: ordinary ones, and ones that lie."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def streamed(members: Mapping[str, bytes]) -> bytes:
    """As a program writes it that cannot go back: sizes follow the data (bit 3 of the flags)."""

    class Forward(io.RawIOBase):
        def __init__(self) -> None:
            super().__init__()
            self.content = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override] # any buffer
            self.content += data
            return len(data)

    out = Forward()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return bytes(out.content)


def linked(name: str, target: str) -> bytes:
    """An entry that is a symbolic link."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, target)
    return out.getvalue()


def changed(archive: bytes, *edits: tuple[int, bytes], signature: bytes = b"PK\x01\x02") -> bytes:
    """With bytes of the first record of that signature written over, each at its place within the record."""
    out = bytearray(archive)
    start = out.index(signature)
    for place, value in edits:
        out[start + place : start + place + len(value)] = value
    return bytes(out)


def renamed(name: str) -> bytes:
    """A name as no archive program writes it, in both places."""
    stand_in = "x" * len(name.encode())
    return zipped({stand_in: b"content"}).replace(stand_in.encode(), name.encode())


def overlapping(count: int) -> bytes:
    """Entries that share one run of bytes, each under a name of its own (https://www.bamsoftware.com/hacks/zipbomb/)."""
    squeezed = zlib.compressobj(9, zlib.DEFLATED, -15)
    content = bytes(1 << 20)
    data = squeezed.compress(content) + squeezed.flush()
    crc = zlib.crc32(content)
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 8, 0, 0, crc, len(data), len(content), 2, 0) + b"00" + data
    directory = b""
    for index in range(count):
        name = f"{index:02}".encode()
        directory += struct.pack(
            "<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, crc, len(data), len(content), len(name), 0, 0, 0, 0, 0, 0
        )
        directory += name
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(local), 0)
    return local + directory + end


Maker = Callable[[], bytes]

LYING: dict[str, tuple[Maker, str]] = {
    "encrypted": (lambda: changed(zipped({"a": b"x"}), (8, b"\x01\x00")), "archive_locked"),
    "strange method": (lambda: changed(zipped({"a": b"x"}), (10, b"\x0e\x00")), "archive_method"),
    "out of the folder": (lambda: zipped({"a/../../etc/passwd": b"x"}), "archive_names"),
    "absolute": (lambda: zipped({"/etc/passwd": b"x"}), "archive_names"),
    "backslashes": (lambda: renamed("..\\..\\evil"), "archive_names"),
    "drive": (lambda: renamed("C:\\evil.dcm"), "archive_names"),
    "control letter": (lambda: renamed("a\x01b"), "archive_names"),
    "link": (lambda: linked("IM0001", "/etc/passwd"), "archive_names"),
    "one name twice": (lambda: zipped({"A.dcm": b"x", "b.dcm": b"y"}).replace(b"b.dcm", b"a.dcm"), "archive_names"),
    "shared bytes": (lambda: overlapping(60), "archive_too_large"),
    "bomb": (lambda: zipped({"a": bytes(120 << 20)}), "archive_too_large"),
    "size lie": (
        lambda: changed(zipped({"a": b"x" * 99}), (24, struct.pack("<I", 5 << 30 & 0xFFFFFFF0))),
        "archive_too_large",
    ),
    "zip64 without a field": (lambda: changed(zipped({"a": b"x" * 99}), (24, b"\xff" * 4)), "archive_damaged"),
    "place beyond the end": (lambda: changed(zipped({"a": b"x" * 99}), (42, b"\x00\x00\x00\x70")), "archive_damaged"),
    "count lie": (
        lambda: changed(zipped({"a": b"x"}), (8, b"\x09\x00\x09\x00"), signature=b"PK\x05\x06"),
        "archive_damaged",
    ),
    "program before it": (lambda: b"PK\x03\x04" + bytes(40) + zipped({"a": b"x"}), "archive_damaged"),
    "cut off": (lambda: zipped({"a": b"x" * 5000})[:-40], "archive_damaged"),
    "nothing of use": (
        lambda: zipped({"__MACOSX/._a": b"x", "viewer.exe": b"MZ", "autorun.inf": b""}),
        "archive_empty",
    ),
}
"""What is refused, and with which code."""
