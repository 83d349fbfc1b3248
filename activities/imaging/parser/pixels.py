"""Decoding and rendering one frame in the child."""

import io
from typing import Any, Final

import numpy as np
import openjpeg
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID

from activities.imaging.parser.dicom import Opened
from activities.imaging.parser.frames import HTJ2K, PixelDescription, describe, frame_ranges
from activities.imaging.parser.limits import STRIP_PIXELS
from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.structure import DEFLATED_LE, EXPLICIT_LE

Pixels = NDArray[Any]
_JPEG_EXTENDED: Final = "1.2.840.10008.1.2.4.51"
_DESCRIPTION: Final = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PhotometricInterpretation",
    "PlanarConfiguration",
)


def decode(opened: Opened, frame: int, ranges: list[int] | None) -> Pixels:
    """One frame (from 0) as an array of its own type; colours as RGB. ``ranges`` are its parts in the file, if known.

    Raises FileProblem.
    """
    description = describe(opened.dataset)
    if not 0 <= frame < description.frames:
        raise FileProblem(ProblemCode.PIXEL_COUNT)
    if description.bits_allocated == 1:
        return _single_bits(opened, description, frame)
    syntax = opened.structure.transfer_syntax
    if syntax == _JPEG_EXTENDED and description.bits_stored > 8:
        raise FileProblem(ProblemCode.UNSUPPORTED_SYNTAX)  # no free decoder reads 12 bits, here or in a browser
    data = _frame_bytes(opened, description, frame, ranges)
    try:
        pixels = _by_openjpeg(data) if syntax in HTJ2K else _by_pydicom(opened, description, data)
    except MemoryError:
        raise
    except Exception:  # the decoders of several libraries, each with exceptions of its own
        raise FileProblem(ProblemCode.UNDECODABLE) from None
    if pixels.shape[:2] != (description.rows, description.columns):
        raise FileProblem(ProblemCode.PIXEL_COUNT)
    return pixels


def _frame_bytes(opened: Opened, description: PixelDescription, frame: int, ranges: list[int] | None) -> bytes:
    source = opened.structure.source
    if not ranges:
        if opened.structure.transfer_syntax == DEFLATED_LE and opened.structure.pixels is not None:
            size = description.frame_bytes
            return source.read_at(opened.structure.pixels.offset + frame * size, size)
        ranges = frame_ranges(opened.structure, description)[frame]
    pairs = zip(ranges[::2], ranges[1::2], strict=True)
    return b"".join(source.read_at(offset, length) for offset, length in pairs)


def _single_bits(opened: Opened, description: PixelDescription, frame: int) -> Pixels:
    """Frames of one bit a pixel follow one another without padding to bytes (PS3.5 §8.1.1)."""
    pixels = opened.structure.pixels
    if pixels is None or pixels.encapsulated:
        raise FileProblem(ProblemCode.UNDECODABLE)
    first = frame * description.frame_bits
    start, end = first // 8, (first + description.frame_bits + 7) // 8
    packed = np.frombuffer(opened.structure.source.read_at(pixels.offset + start, end - start), np.uint8)
    bits = np.unpackbits(packed, bitorder="little")[first - start * 8 :][: description.frame_bits]
    return bits.reshape(description.rows, description.columns)


def _by_openjpeg(data: bytes) -> Pixels:
    """High-throughput JPEG 2000 (ISO/IEC 15444-15), for which pydicom has no decoder of its own here."""
    decoded: Pixels = openjpeg.decode(data, reshape=True)  # type: ignore[attr-defined] # the package has no stubs
    return decoded


def _by_pydicom(opened: Opened, description: PixelDescription, data: bytes) -> Pixels:
    single = Dataset()
    for name in _DESCRIPTION:
        if name in opened.dataset:
            setattr(single, name, opened.dataset[name].value)
    single.SamplesPerPixel = description.samples
    single.BitsStored = description.bits_stored
    single.HighBit = description.bits_stored - 1
    single.PixelRepresentation = int(opened.dataset.get("PixelRepresentation") or 0)
    single.PhotometricInterpretation = description.photometric
    if description.samples > 1:
        single.PlanarConfiguration = int(opened.dataset.get("PlanarConfiguration") or 0)
    single.NumberOfFrames = 1
    pixels = opened.structure.pixels
    encapsulated = pixels is not None and pixels.encapsulated
    single.PixelData = encapsulate([data]) if encapsulated else data
    single["PixelData"].VR = "OB" if encapsulated or description.bits_allocated <= 8 else "OW"
    single.file_meta = FileMetaDataset()
    syntax = EXPLICIT_LE if opened.structure.transfer_syntax == DEFLATED_LE else opened.structure.transfer_syntax
    single.file_meta.TransferSyntaxUID = UID(syntax)
    single.set_original_encoding(False, opened.structure.encoding.little, "iso8859")
    decoded: Pixels = pixel_array(single, raw=False)
    return decoded


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
