"""Media types of WADO-RS: what a client accepts, and multipart answers (PS3.18 §8.7; RFC 2387)."""

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from fastapi import Request

from schemas.errors import InvalidInput, OdontoError
from schemas.translation import N_

EXPLICIT_LE: Final = "1.2.840.10008.1.2.1"
SAME_AS_EXPLICIT: Final = frozenset({EXPLICIT_LE, "1.2.840.10008.1.2"})
"""Little endian without compression: the bytes of a frame are the same in both."""
OCTETS: Final = "application/octet-stream"
DICOM: Final = "application/dicom"
JSON: Final = "application/dicom+json"
JPEG: Final = "image/jpeg"
MULTIPART: Final = "multipart/related"
_PICTURES: Final = {
    "image/jpeg": (
        "1.2.840.10008.1.2.4.50",
        "1.2.840.10008.1.2.4.51",
        "1.2.840.10008.1.2.4.57",
        "1.2.840.10008.1.2.4.70",
    ),
    "image/jls": ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"),
    "image/jp2": ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"),
    "image/jphc": ("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"),
    "image/dicom-rle": ("1.2.840.10008.1.2.5",),
}
"""Media types of compressed frames (PS3.18 table 8.7.3-5)."""
_PICTURE_OF: Final = {syntax: media for media, syntaxes in _PICTURES.items() for syntax in syntaxes}


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


def accept_of(request: Request) -> str:
    """What the client accepts: the query parameter ``accept``, for clients that cannot set the header, else the header
    (PS3.18 §8.3.3.1)."""
    return request.query_params.get("accept") or request.headers.get("accept", "")


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


@dataclass(frozen=True)
class FrameForm:
    """How frames go out: ``decoded`` to explicit VR little endian or as stored, ``media`` the type of each, ``single``
    without multipart around the one frame."""

    decoded: bool
    media: str = OCTETS
    single: bool = False


def frames_as(accept: str, stored: str, *, count: int) -> FrameForm:
    """The first form that the client accepts for so many frames. Raises NotAcceptable.

    ``application/octet-stream`` without a transfer syntax is explicit VR little endian (PS3.18 §8.7.3.5.2).
    """
    for each in wanted(accept):
        if each.media == "*/*" or (each.media == MULTIPART and each.inner in {"", "*/*"}):
            return FrameForm(decoded=False)
        single = each.media != MULTIPART
        if single and count > 1:
            continue
        media = each.media if single else each.inner
        if media == OCTETS:
            if each.transfer_syntax in {"*", stored}:
                return FrameForm(decoded=False, single=single)
            if each.transfer_syntax in {"", EXPLICIT_LE}:
                return FrameForm(decoded=True, single=single)
        elif media == _PICTURE_OF.get(stored) and each.transfer_syntax in {"", "*", stored}:
            return FrameForm(decoded=False, media=media, single=single)
    raise NotAcceptable()


def instances_as(accept: str, stored: set[str], *, count: int) -> str:
    """``application/dicom``, for one instance, or ``multipart/related``; they always go out as stored.

    Raises NotAcceptable.
    """
    for each in wanted(accept):
        if each.transfer_syntax not in {"", "*"} and {each.transfer_syntax} != stored:
            continue
        if each.media == DICOM and count == 1:
            return DICOM
        if each.media == "*/*" or (each.media == MULTIPART and each.inner in {"", "*/*", DICOM}):
            return MULTIPART
    raise NotAcceptable()


def octets_in_parts(accept: str) -> bool:
    """Whether a run of bytes goes out in a multipart, or as it is. Raises NotAcceptable."""
    for each in wanted(accept):
        if each.media in {"*/*", OCTETS}:
            return False
        if each.media == MULTIPART and each.inner in {"", "*/*", OCTETS}:
            return True
    raise NotAcceptable()


def accepts(accept: str, *media: str) -> bool:
    """Whether one of the media types, or anything, is accepted."""
    ranges = {each.media for each in wanted(accept)}
    return bool(ranges & {"*/*", *media, *(f"{each.split('/')[0]}/*" for each in media)})


def tag_of_all(tags: Iterable[str]) -> str:
    """For an entity tag: changes with any of the tags, and with which there are."""
    return hashlib.sha256("\n".join(tags).encode()).hexdigest()[:32]


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
        self.content_type = f'{MULTIPART}; type="{inner}"; boundary={self._boundary}'

    def body(self, parts: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
        """The answer in pieces. Of each part: its content type, and its bytes in pieces, which are asked for in turn."""
        delimiter = f"--{self._boundary}"
        for content_type, pieces in parts:
            yield f"{delimiter}\r\nContent-Type: {content_type}\r\n\r\n".encode()
            yield from pieces
            delimiter = f"\r\n--{self._boundary}"
        yield f"{delimiter}--\r\n".encode()


def frame_part(media: str, transfer_syntax: str) -> str:
    return f"{media}; transfer-syntax={transfer_syntax}"


def instance_part(transfer_syntax: str) -> str:
    return f"{DICOM}; transfer-syntax={transfer_syntax}"
