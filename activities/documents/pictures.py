"""Pictures of a report, made anew: only pixels survive, so no metadata, no colour profile, and no other format gets in."""

import base64
import io
import warnings
from typing import Final, NamedTuple

from PIL import Image, ImageFile, ImageOps

from activities.documents.errors import UnusablePicture

MAX_PIXELS: Final = 40_000_000
KEY_IMAGE_SIDE: Final = 1_600
"""Pixels of the longest side: 300 dpi at 135 mm, more than a page shows."""
LOGO_SIDE: Final = 600
_FORMATS: Final = ("JPEG", "PNG")


class Picture(NamedTuple):
    """A picture as a ``data:`` address, with its size in pixels."""

    url: str
    width: int
    height: int


def key_image(data: bytes) -> Picture:
    """A JPEG of at most `KEY_IMAGE_SIDE` pixels a side; grey stays grey. Raises UnusablePicture."""
    return _encoded(_opened(data, KEY_IMAGE_SIDE), "JPEG", quality=88, subsampling=0, optimize=True)


def logo(data: bytes) -> Picture:
    """A PNG on white of at most `LOGO_SIDE` pixels a side. Raises UnusablePicture."""
    return _encoded(_opened(data, LOGO_SIDE), "PNG", optimize=True)


def _opened(data: bytes, side: int) -> Image.Image:
    # WeasyPrint switches this on for its whole process: half a key image would be printed as if it were whole.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_FORMATS) as source:
                if source.width * source.height > MAX_PIXELS:
                    raise UnusablePicture
                source.draft("RGB" if source.mode != "L" else "L", (side, side))
                picture = _plain(ImageOps.exif_transpose(source))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as broken:
        raise UnusablePicture from broken
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    # A picture carries comments and profiles along to the file it is saved in; a new one has only what is pasted.
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    return bare


def _plain(source: Image.Image) -> Image.Image:
    """Eight bits, grey or RGB, transparency laid on white."""
    if source.mode == "L":
        return source.copy()
    if source.mode.startswith("I") or source.mode == "F":
        return source.convert("F").point(lambda value: value / 257).convert("L")
    if source.mode in {"1", "LA"} or (source.mode == "P" and "transparency" not in source.info):
        source = source.convert("RGBA" if source.mode == "LA" else "RGB")
    if source.mode in {"RGBA", "P", "PA"}:
        rgba = source.convert("RGBA")
        flat = Image.new("RGB", rgba.size, "white")
        flat.paste(rgba, mask=rgba.getchannel("A"))
        return flat
    return source.convert("RGB")


def _encoded(picture: Image.Image, kind: str, **options: int | bool) -> Picture:
    target = io.BytesIO()
    picture.save(target, kind, **options)
    data = base64.b64encode(target.getvalue()).decode()
    return Picture(f"data:image/{kind.lower()};base64,{data}", picture.width, picture.height)
