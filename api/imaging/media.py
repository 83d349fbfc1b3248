"""Media types of WADO-RS: what a client accepts, and multipart answers (PS3.18 §8.7; RFC 2387)."""

import secrets
from dataclasses import dataclass
from typing import Final

from schemas.errors import InvalidInput, OdontoError
from schemas.translation import N_

EXPLICIT_LE: Final = "1.2.840.10008.1.2.1"
SAME_AS_EXPLICIT: Final = frozenset({EXPLICIT_LE, "1.2.840.10008.1.2"})
"""Little endian without compression: the bytes of a frame are the same in both."""
OCTETS: Final = "application/octet-stream"
DICOM: Final = "application/dicom"


class NotAcceptable(OdontoError):
    code = "not_acceptable"
    status = 406
    title = N_("This cannot be sent in any of the forms that were asked for in Accept.")


@dataclass(frozen=True)
class Wanted:
    """One media range of an Accept header; ``inner`` is the type within multipart/related."""

    media: str
    inner: str
    transfer_syntax: str


def wanted(accept: str) -> list[Wanted]:
    """The ranges in the client's order. No header means anything."""
    found = []
    for part in _split(accept or "*/*", ","):
        media, *parameters = (piece.strip() for piece in _split(part, ";"))
        named = {
            name.strip().lower(): value.strip().strip('"') for name, _, value in (p.partition("=") for p in parameters)
        }
        found.append(Wanted(media.lower(), named.get("type", "").lower(), named.get("transfer-syntax", "")))
    return found


def _split(text: str, separator: str) -> list[str]:
    """Splits outside of quotes."""
    pieces, quoted = [""], False
    for character in text:
        if character == '"':
            quoted = not quoted
        if character == separator and not quoted:
            pieces.append("")
        else:
            pieces[-1] += character
    return [piece for piece in (piece.strip() for piece in pieces) if piece]


def frames_as_stored(accept: str, stored: str) -> bool:
    """Whether frames go out as they are stored, or decoded. Raises NotAcceptable.

    ``application/octet-stream`` without a transfer syntax is explicit VR little endian (PS3.18 §8.7.3.5.2).
    """
    for each in wanted(accept):
        if each.media == "*/*" or (each.media == "multipart/related" and each.inner in {"", "*/*"}):
            return True
        if OCTETS in {each.media, each.inner} and each.media in {OCTETS, "multipart/related"}:
            if each.transfer_syntax in {"*", stored}:
                return True
            if each.transfer_syntax in {"", EXPLICIT_LE}:
                return False
    raise NotAcceptable()


def instances_as(accept: str, stored: set[str]) -> str:
    """``application/dicom`` or ``multipart/related`` for whole instances, which always go out as stored."""
    for each in wanted(accept):
        if each.transfer_syntax not in {"", "*"} and {each.transfer_syntax} != stored:
            continue
        if each.media == DICOM:
            return DICOM
        if each.media == "*/*" or (each.media == "multipart/related" and each.inner in {"", "*/*", DICOM}):
            return "multipart/related"
    raise NotAcceptable()


def accepts(accept: str, *media: str) -> bool:
    """Whether one of the media types, or anything, is accepted."""
    ranges = {each.media for each in wanted(accept)}
    return bool(ranges & {"*/*", *media, *(f"{each.split('/')[0]}/*" for each in media)})


def numbers(text: str, count: int) -> list[float]:
    """The first numbers of a list such as ``window=40,400,linear``. Raises InvalidInput."""
    try:
        found = [float(part) for part in text.split(",")[:count]]
    except ValueError:
        found = []
    if len(found) != count or not all(abs(number) < 1e9 for number in found):
        raise InvalidInput(f"Give {count} numbers with a comma between them.")
    return found


class Multipart:
    """Parts of one answer. ``content_type`` names the boundary, which no part can hold but by chance of 2⁻¹²⁸."""

    def __init__(self, inner: str) -> None:
        self._boundary = secrets.token_hex(16)
        self.content_type = f'multipart/related; type="{inner}"; boundary={self._boundary}'

    def begin(self, content_type: str, *, first: bool) -> bytes:
        return (
            f"{'' if first else chr(13) + chr(10)}--{self._boundary}\r\nContent-Type: {content_type}\r\n\r\n".encode()
        )

    def end(self) -> bytes:
        return f"\r\n--{self._boundary}--\r\n".encode()


def frame_part(transfer_syntax: str) -> str:
    return f"{OCTETS}; transfer-syntax={transfer_syntax}"


def instance_part(transfer_syntax: str) -> str:
    return f"{DICOM}; transfer-syntax={transfer_syntax}"


__all__ = [
    "DICOM",
    "EXPLICIT_LE",
    "OCTETS",
    "SAME_AS_EXPLICIT",
    "Multipart",
    "NotAcceptable",
    "accepts",
    "frame_part",
    "frames_as_stored",
    "instance_part",
    "instances_as",
    "numbers",
]
