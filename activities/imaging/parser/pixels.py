"""A frame as it is served: little endian, or drawn as JPEG. In the child."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from activities.imaging.parser.decoding import Pixels, decode
from activities.imaging.parser.dicom import Opened
from activities.imaging.parser.limits import STRIP_PIXELS


def as_little_endian(pixels: Pixels) -> memoryview:
    """The frame as explicit VR little endian has it: samples interleaved, low byte first (PS3.5 §A.2)."""
    return np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<")).reshape(-1).view(np.uint8).data


def render(opened: Opened, frame: int, ranges: list[int] | None, arguments: dict[str, Any]) -> tuple[bytes, int, int]:
    """A frame as JPEG with its width and height. ``arguments``: ``window`` [centre, width] or None, ``max_side``, ``quality``."""
    pixels = decode(opened, frame, ranges)
    grey_or_rgb = _shown(opened.dataset, pixels, frame, arguments.get("window"))
    return to_jpeg(Image.fromarray(grey_or_rgb), int(arguments["max_side"]), int(arguments["quality"]))


def to_jpeg(image: Image.Image, max_side: int, quality: int) -> tuple[bytes, int, int]:
    if max(image.size) > max_side:
        image.thumbnail((max_side, max_side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue(), image.width, image.height


def _shown(dataset: Dataset, pixels: Pixels, frame: int, window: list[float] | None) -> NDArray[np.uint8]:
    """Grey values through Modality LUT and window (PS3.3 C.11.1, C.11.2), colours as they are, in 8 bits."""
    photometric = str(dataset.get("PhotometricInterpretation") or "").upper()
    if photometric == "PALETTE COLOR":
        coloured = apply_color_lut(pixels, dataset)
        return coloured if coloured.dtype == np.uint8 else (coloured >> 8).astype(np.uint8)
    if pixels.ndim == 3:
        stored = int(dataset.get("BitsStored") or 8)
        return pixels.astype(np.uint8) if stored <= 8 else (pixels >> (stored - 8)).astype(np.uint8)
    slope = _number(dataset, frame, "RescaleSlope") or 1.0
    intercept = _number(dataset, frame, "RescaleIntercept") or 0.0
    if window is None:
        centre, width = _number(dataset, frame, "WindowCenter"), _number(dataset, frame, "WindowWidth")
        known = centre is not None and width is not None and width >= 1
        window = [centre, width] if known else _spread(pixels, slope, intercept)  # type: ignore[list-item]
    # LINEAR (PS3.3 C.11.2.1.2.1), in the form that also holds for a width of 1: grey = pixel * factor + offset.
    centre, width = window
    span = max(width - 1.0, 1e-3)
    factor, offset = slope / span, (intercept - (centre - 0.5)) / span + 0.5
    if photometric == "MONOCHROME1":
        factor, offset = -factor, 1.0 - offset
    shown = np.empty(pixels.shape, np.uint8)
    rows = max(1, STRIP_PIXELS // pixels.shape[1])
    for top in range(0, pixels.shape[0], rows):  # in strips: as floats the whole frame would take twice its size more
        grey = pixels[top : top + rows].astype(np.float32) * np.float32(factor) + np.float32(offset)
        shown[top : top + rows] = np.clip(grey, 0.0, 1.0) * np.float32(255.0) + np.float32(0.5)
    return shown


def _spread(pixels: Pixels, slope: float, intercept: float) -> list[float]:
    """A window over the grey values that are there, without the outermost of them."""
    sample = pixels[:: max(1, pixels.shape[0] // 256), :: max(1, pixels.shape[1] // 256)] * slope + intercept
    low, high = (float(value) for value in np.percentile(sample, (0.5, 99.5)))
    return [(low + high) / 2, max(high - low, 1.0)]


def _number(dataset: Dataset, frame: int, name: str) -> float | None:
    """An attribute of the data set, or of the frame's or the shared functional groups (PS3.3 C.7.6.16)."""
    group = "FrameVOILUTSequence" if name.startswith("Window") else "PixelValueTransformationSequence"
    places = [dataset]
    for sequence, index in (("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)):
        items = dataset.get(sequence) or []
        if index < len(items) and items[index].get(group):
            places.append(items[index][group].value[0])
    for place in places:
        value = place.get(name)
        try:
            if value is not None and value != "":
                return float(value[0] if hasattr(value, "__iter__") and not isinstance(value, str) else value)
        except (TypeError, ValueError, IndexError):
            continue
    return None
