"""Transfer syntaxes (PS3.5 annex A, PS3.6 annex A): what each is called, who decodes it, and whether browsers can.

One table for the reader, the tests and the conformance statement.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from activities.imaging.parser.problems import ProblemCode

_DICOM: Final = "1.2.840.10008.1.2"
IMPLICIT_LE: Final = _DICOM
EXPLICIT_LE: Final = f"{_DICOM}.1"
DEFLATED_LE: Final = f"{_DICOM}.1.99"
EXPLICIT_BE: Final = f"{_DICOM}.2"
NATIVE: Final = frozenset({IMPLICIT_LE, EXPLICIT_LE, DEFLATED_LE, EXPLICIT_BE})


class Coding(StrEnum):
    """How a frame's pixels are coded. Each has one decoder (see ``decoding``)."""

    NATIVE = "native"
    """One value after the other, all frames in one run (PS3.5 §8.1)."""
    PLAIN = "plain"
    """The same, each frame in fragments of its own (PS3.5 §A.4.11)."""
    DEFLATED = "deflated"
    """The same, each frame deflated (RFC 1951)."""
    RLE = "rle"
    JPEG = "jpeg"
    """ISO/IEC 10918-1: Huffman, sequential or progressive with 8 or 12 bits, and lossless."""
    JPEG_LS = "jpeg-ls"
    JPEG_2000 = "jpeg-2000"
    """ISO/IEC 15444-1 and -15."""


@dataclass(frozen=True, slots=True)
class TransferSyntax:
    """``coding`` is None for one that cannot be read, and ``refusal`` says why then."""

    name: str
    coding: Coding | None
    in_browsers: bool = False
    """Whether the viewers' decoders show the frames as they are stored. Others are served decoded."""
    refusal: ProblemCode = ProblemCode.UNSUPPORTED_SYNTAX


_UNKNOWN: Final = TransferSyntax("an unknown transfer syntax", None)


def _refused(names: dict[str, str], refusal: ProblemCode) -> dict[str, TransferSyntax]:
    return {_DICOM + tail: TransferSyntax(name, None, refusal=refusal) for tail, name in names.items()}


SYNTAXES: Final[dict[str, TransferSyntax]] = {
    IMPLICIT_LE: TransferSyntax("Implicit VR Little Endian", Coding.NATIVE, in_browsers=True),
    EXPLICIT_LE: TransferSyntax("Explicit VR Little Endian", Coding.NATIVE, in_browsers=True),
    DEFLATED_LE: TransferSyntax("Deflated Explicit VR Little Endian", Coding.NATIVE),
    EXPLICIT_BE: TransferSyntax("Explicit VR Big Endian (retired)", Coding.NATIVE),
    f"{_DICOM}.1.98": TransferSyntax("Encapsulated Uncompressed Explicit VR Little Endian", Coding.PLAIN),
    f"{_DICOM}.8.1": TransferSyntax("Deflated Image Frame Compression", Coding.DEFLATED),
    f"{_DICOM}.5": TransferSyntax("RLE Lossless", Coding.RLE, in_browsers=True),
    f"{_DICOM}.4.50": TransferSyntax("JPEG Baseline (Process 1)", Coding.JPEG, in_browsers=True),
    f"{_DICOM}.4.51": TransferSyntax("JPEG Extended (Processes 2 and 4)", Coding.JPEG, in_browsers=True),
    f"{_DICOM}.4.53": TransferSyntax("JPEG Spectral Selection (Processes 6 and 8, retired)", Coding.JPEG),
    f"{_DICOM}.4.55": TransferSyntax("JPEG Full Progression (Processes 10 and 12, retired)", Coding.JPEG),
    f"{_DICOM}.4.57": TransferSyntax("JPEG Lossless (Process 14)", Coding.JPEG, in_browsers=True),
    f"{_DICOM}.4.70": TransferSyntax("JPEG Lossless, First-Order Prediction", Coding.JPEG, in_browsers=True),
    f"{_DICOM}.4.80": TransferSyntax("JPEG-LS Lossless", Coding.JPEG_LS, in_browsers=True),
    f"{_DICOM}.4.81": TransferSyntax("JPEG-LS Near-Lossless", Coding.JPEG_LS, in_browsers=True),
    f"{_DICOM}.4.90": TransferSyntax("JPEG 2000 Lossless", Coding.JPEG_2000, in_browsers=True),
    f"{_DICOM}.4.91": TransferSyntax("JPEG 2000", Coding.JPEG_2000, in_browsers=True),
    f"{_DICOM}.4.92": TransferSyntax("JPEG 2000 Part 2 Lossless, one component", Coding.JPEG_2000),
    f"{_DICOM}.4.93": TransferSyntax("JPEG 2000 Part 2, one component", Coding.JPEG_2000),
    f"{_DICOM}.4.201": TransferSyntax("High-Throughput JPEG 2000 Lossless", Coding.JPEG_2000, in_browsers=True),
    f"{_DICOM}.4.202": TransferSyntax("High-Throughput JPEG 2000 Lossless, RPCL", Coding.JPEG_2000, in_browsers=True),
    f"{_DICOM}.4.203": TransferSyntax("High-Throughput JPEG 2000", Coding.JPEG_2000, in_browsers=True),
    **_refused(
        {
            ".4.52": "JPEG Extended (Processes 3 and 5, retired)",
            ".4.54": "JPEG Spectral Selection (Processes 7 and 9, retired)",
            ".4.56": "JPEG Full Progression (Processes 11 and 13, retired)",
            ".4.58": "JPEG Lossless (Process 15, retired)",
            **{f".4.{number}": "JPEG, hierarchical (retired)" for number in range(59, 67)},
        },
        ProblemCode.RETIRED_JPEG,
    ),
    **_refused(
        {
            **{f".4.{profile}{part}": "MPEG2" for profile in (100, 101) for part in ("", ".1")},
            **{f".4.{profile}{part}": "MPEG-4 AVC/H.264" for profile in range(102, 107) for part in ("", ".1")},
            **{f".4.{profile}": "HEVC/H.265" for profile in (107, 108)},
            **{f".7.{part}": "SMPTE ST 2110" for part in (1, 2, 3)},
        },
        ProblemCode.VIDEO,
    ),
    **_refused(
        {".4.94": "JPIP Referenced", ".4.95": "JPIP Referenced Deflate"}
        | {".4.204": "JPIP HTJ2K Referenced", ".4.205": "JPIP HTJ2K Referenced Deflate"},
        ProblemCode.PIXELS_ELSEWHERE,
    ),
    **_refused({f".4.{number}": "JPEG XL" for number in (110, 111, 112)}, ProblemCode.JPEG_XL),
}


def syntax_of(uid: str) -> TransferSyntax:
    return SYNTAXES.get(uid, _UNKNOWN)
