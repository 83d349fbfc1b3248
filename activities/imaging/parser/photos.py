"""Photographs, documents and everything else, in the child."""

import io
from typing import Any, Final

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from activities.imaging.parser.limits import MAX_PHOTO_PIXELS
from activities.imaging.parser.pixels import to_jpeg
from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.source import Bytes, Stream

_FORMATS: Final = ("JPEG", "PNG", "TIFF", "WEBP")
Image.MAX_IMAGE_PIXELS = MAX_PHOTO_PIXELS // 2  # Pillow raises at twice this figure


def kind_of(source: Bytes) -> str:
    """``photo``, ``document`` or ``other``, by the file's first bytes and never by its name."""
    head = source.read_at(0, min(source.size, 1024))
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*")) or (
        head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    ):
        return "photo"
    return "document" if head.startswith(b"%PDF-") else "other"


_ARCHIVES: Final = (b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x1f\x8b\x08")
_OFFICE: Final = (b"[Content_Types].xml", b"_rels/", b"mimetype", b"docProps/", b"word/", b"xl/", b"ppt/")
"""First entries of office documents, which are ZIP files too (ECMA-376 part 2; OpenDocument 1.3 part 2, 3.3)."""


def is_archive(source: Bytes) -> bool:
    """ZIP, 7z, RAR or gzip, by the first bytes; a ZIP's first entry has its name at offset 30 (APPNOTE.TXT 4.3.7)."""
    head = source.read_at(0, min(source.size, 64))
    return head.startswith(_ARCHIVES) and not head[30:].startswith(_OFFICE)


def examine_photo(source: Bytes) -> dict[str, Any]:
    """Format, width and height as shown (orientation applied). Raises FileProblem."""
    image = _open(source)
    # Pillow turns TIFF itself, its size included.
    turned = image.format != "TIFF" and image.getexif().get(0x0112, 1) in {5, 6, 7, 8}
    width, height = image.size
    return {"format": image.format, "width": height if turned else width, "height": width if turned else height}


def examine_document(source: Bytes) -> dict[str, Any]:
    """A PDF is looked at from outside only; it is never rendered here (ISO 32000-1 §7.5.5: it ends with %%EOF)."""
    tail = min(source.size, 2048)
    if b"%%EOF" not in source.read_at(source.size - tail, tail):
        raise FileProblem(ProblemCode.TRUNCATED)
    return {"format": "PDF"}


def redraw(source: Bytes, max_side: int, quality: int) -> tuple[bytes, int, int]:
    """The picture anew as JPEG, upright, without metadata, at most ``max_side`` wide and high. Raises FileProblem."""
    image = _open(source)
    try:
        image.draft("RGB", (max_side, max_side))
        upright = _eight_bits(ImageOps.exif_transpose(image) or image)
        return to_jpeg(upright, max_side, quality)
    except MemoryError:
        raise
    except Image.DecompressionBombError:
        raise FileProblem(ProblemCode.OVER_LIMITS) from None
    except OSError as error:
        truncated = "truncated" in str(error)
        raise FileProblem(ProblemCode.TRUNCATED if truncated else ProblemCode.UNDECODABLE) from None
    except Exception:  # Pillow's plugins raise what comes
        raise FileProblem(ProblemCode.UNDECODABLE) from None


def _open(source: Bytes) -> Image.Image:
    try:
        return Image.open(io.BufferedReader(Stream(source), 65536), formats=_FORMATS)
    except Image.DecompressionBombError:
        raise FileProblem(ProblemCode.OVER_LIMITS) from None
    except UnidentifiedImageError:
        raise FileProblem(ProblemCode.DAMAGED) from None
    except (OSError, ValueError, SyntaxError):
        raise FileProblem(ProblemCode.DAMAGED) from None


def _eight_bits(image: Image.Image) -> Image.Image:
    """As RGB or grey; transparency lies on white, deep greys are spread over 8 bits."""
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, dtype=np.float32)
        low, high = float(values.min()), float(values.max())
        return Image.fromarray(((values - low) * (255.0 / max(high - low, 1e-6))).astype(np.uint8))
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return image if image.mode in {"L", "RGB"} else image.convert("RGB")
