"""Photographs, in the child."""

import io
import struct
from typing import Any, Final

import numpy as np
import pi_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from activities.imaging.parser.bare import Piece, bare_jpeg, bare_png, bare_webp
from activities.imaging.parser.bare_tiff import bare_tiff
from activities.imaging.parser.kinds import is_heic
from activities.imaging.parser.limits import MAX_PHOTO_PIXELS
from activities.imaging.parser.pixels import to_jpeg
from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.source import Bytes, Stream

_FORMATS: Final = ("JPEG", "PNG", "TIFF", "WEBP", "HEIF")
_PLAIN: Final = frozenset({"L", "RGB", "RGBA"})
"""Modes that can be made smaller as they are."""
_MAX_HEIC: Final = 100_000_000
"""Bytes of a HEIC photograph, which its decoder holds whole."""
_MAX_PAGES: Final = 9999
Image.MAX_IMAGE_PIXELS = MAX_PHOTO_PIXELS // 2  # Pillow raises at twice this figure

# One thread: a confined process makes no other. HEVC alone is decoded: AV1 has no decoder in this build.
pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)


def examine_photo(source: Bytes) -> dict[str, Any]:
    """Format, width and height as shown (orientation applied), and how many pictures it holds: the pages of a TIFF, the
    frames of a moving WebP. The first of them is shown. Raises FileProblem.
    """
    image = _open(source)
    # Pillow turns TIFF itself, its size included.
    turned = image.format != "TIFF" and image.getexif().get(0x0112, 1) in {5, 6, 7, 8}
    width, height = image.size
    return {
        "format": image.format,
        "width": height if turned else width,
        "height": width if turned else height,
        "pages": _pages(image),
    }


def _pages(image: Image.Image) -> int:
    if image.format not in {"TIFF", "WEBP"}:
        return 1
    try:
        return max(1, min(int(getattr(image, "n_frames", 1)), _MAX_PAGES))
    except (OSError, ValueError, SyntaxError, EOFError):
        raise FileProblem(ProblemCode.DAMAGED) from None
    finally:
        image.seek(0)


def redraw(source: Bytes, max_side: int, quality: int) -> tuple[bytes, int, int]:
    """The picture anew as JPEG, upright, without metadata, at most ``max_side`` wide and high. Raises FileProblem."""
    image = _open(source)
    try:
        image.draft("RGB", (max_side, max_side))
        if image.mode in _PLAIN and max(image.size) > max_side:
            # Before it is turned, which takes another copy of the whole.
            image.thumbnail((max_side, max_side), Image.Resampling.BILINEAR, reducing_gap=2.0)
        upright = _eight_bits(ImageOps.exif_transpose(image) or image)
        upright.info.clear()  # a comment would be written into the new file, too
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


def bare_pieces(source: Bytes) -> list[Piece] | None:
    """The file without its metadata (see ``bare``); None for HEIC, which goes out drawn anew. Raises FileProblem."""
    image = _open(source)
    try:
        match image.format:
            case "JPEG" | "MPO":
                return bare_jpeg(source, _orientation(image))
            case "PNG":
                return bare_png(source, _orientation(image))
            case "WEBP":
                return bare_webp(source, _orientation(image))
            case "TIFF":
                return bare_tiff(source)
            case _:
                return None
    except struct.error:
        raise FileProblem(ProblemCode.TRUNCATED) from None


def _orientation(image: Image.Image) -> int:
    """How the picture is held (Exif 2.32, tag 0112): 1 to 8, 1 where nothing sensible is said."""
    value = image.getexif().get(0x0112, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _open(source: Bytes) -> Image.Image:
    if source.size > _MAX_HEIC and is_heic(source.read_at(0, 64)):
        raise FileProblem(ProblemCode.OVER_LIMITS)
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
