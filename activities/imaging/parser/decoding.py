"""One frame's pixels, by the decoder of its transfer syntax, in the child."""

import zlib
from typing import Any, Final

import gdcm
import numpy as np
import openjpeg
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import convert_color_space
from pydicom.pixels.utils import as_pixel_options
from pydicom.uid import JPEGBaseline8Bit, JPEGLSLossless, RLELossless

from activities.imaging.parser.codestreams import FrameHeader, jpeg_2000_header, jpeg_header
from activities.imaging.parser.dicom import Opened
from activities.imaging.parser.frames import PixelDescription, describe, frame_ranges, swapped_bytes
from activities.imaging.parser.limits import STRIP_PIXELS, WORKING_BYTES
from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.source import MemoryFile
from activities.imaging.parser.syntaxes import EXPLICIT_BE, Coding, syntax_of

Pixels = NDArray[Any]
_COPIES: Final[dict[Coding, int]] = {Coding.JPEG_LS: 3, Coding.RLE: 3}
"""How often a decoder holds a frame at once, with what is made of it."""


def decode(opened: Opened, frame: int, ranges: list[int] | None) -> Pixels:
    """One frame (from 0) as an array of its own type; colours as RGB. ``ranges`` are its parts in the file, if known.

    Raises FileProblem.
    """
    description = describe(opened.dataset)
    if not 0 <= frame < description.frames:
        raise FileProblem(ProblemCode.PIXEL_COUNT)
    syntax = syntax_of(opened.structure.transfer_syntax)
    if syntax.coding is None:
        raise FileProblem(syntax.refusal)
    if description.bits_allocated == 1:
        return _single_bits(opened, description, frame)
    if _working_bytes(description, syntax.coding) > WORKING_BYTES:
        raise FileProblem(ProblemCode.OVER_LIMITS)
    data = _frame_bytes(opened, description, frame, ranges)
    try:
        pixels = _decoded(opened, description, syntax.coding, data)
    except (MemoryError, FileProblem):
        raise
    except Exception:  # the decoders of several libraries, each with exceptions of its own
        raise FileProblem(ProblemCode.UNDECODABLE) from None
    if pixels.shape[:2] != (description.rows, description.columns):
        raise FileProblem(ProblemCode.PIXEL_COUNT)
    return pixels


def _working_bytes(description: PixelDescription, coding: Coding) -> int:
    """What decoding takes, measured: told before it begins, since decoders end their process where memory does."""
    size = description.decoded_bytes
    if coding is Coding.JPEG:
        return size * 5  # GDCM hands its result over as text, and Pillow has four bytes a pixel
    if coding is Coding.JPEG_2000:
        return size * 2 + size * 8 // description.bits_allocated * 4  # OpenJPEG has four bytes a sample
    return size * _COPIES.get(coding, 2)


def _frame_bytes(opened: Opened, description: PixelDescription, frame: int, ranges: list[int] | None) -> bytes:
    structure = opened.structure
    source, pixels = structure.source, structure.pixels
    if not ranges:
        if pixels is not None and not pixels.encapsulated:
            start, end = frame * description.frame_bytes, (frame + 1) * description.frame_bytes
            if swapped_bytes(structure, description):
                even = start // 2 * 2
                words = source.read_at(pixels.offset + even, (end + 1) // 2 * 2 - even)
                return np.frombuffer(words, np.uint16).byteswap().tobytes()[start - even : end - even]
            return source.read_at(pixels.offset + start, end - start)
        ranges = frame_ranges(structure, description, checked=False)[frame]
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


def _decoded(opened: Opened, description: PixelDescription, coding: Coding, data: bytes) -> Pixels:
    signed = bool(opened.dataset.get("PixelRepresentation") or 0)
    match coding:
        case Coding.NATIVE | Coding.PLAIN:
            pixels = _native(opened, description, data, signed=signed)
            is_ybr = description.photometric in {"YBR_FULL", "YBR_FULL_422"}
        case Coding.DEFLATED:
            inflater = zlib.decompressobj(-zlib.MAX_WBITS)
            pixels = _native(opened, description, inflater.decompress(data, description.frame_bytes), signed=signed)
            is_ybr = description.photometric in {"YBR_FULL", "YBR_FULL_422"}
        case Coding.JPEG_2000:
            pixels = _by_openjpeg(description, data, signed=signed)
            is_ybr = description.photometric.startswith("YBR_FULL")
        case Coding.JPEG:
            header = jpeg_header(MemoryFile(data), 0, len(data), ls=False)
            if header.lossless or header.precision > 8:
                pixels = _by_gdcm(description, header, data, signed=signed)
                is_ybr = description.photometric.startswith("YBR_FULL")
            else:
                pixels, is_ybr = _by_pydicom(opened, description, str(JPEGBaseline8Bit), data, "pillow")
        case Coding.JPEG_LS:
            pixels, is_ybr = _by_pydicom(opened, description, str(JPEGLSLossless), data, "pyjpegls")
        case Coding.RLE:
            pixels, is_ybr = _by_pydicom(opened, description, str(RLELossless), data, "")
    return _as_rgb(pixels) if is_ybr and pixels.ndim == 3 else pixels


def _native(opened: Opened, description: PixelDescription, data: bytes, *, signed: bool) -> Pixels:
    size = description.bits_allocated // 8
    order = ">" if opened.structure.transfer_syntax == EXPLICIT_BE else "<"
    kind = np.dtype(f"{order}{'i' if signed else 'u'}{size}")
    flat = np.frombuffer(data, kind, count=description.frame_bytes // size).astype(kind.newbyteorder("="))
    rows, columns, samples = description.rows, description.columns, description.samples
    if samples == 1:
        return _without_unused(flat, description).reshape(rows, columns)
    if description.photometric == "YBR_FULL_422":
        # Two pixels share their chrominance: Y1 Y2 Cb Cr (PS3.3 C.7.6.3.1.2).
        pairs = flat.reshape(-1, 4)
        flat = pairs[:, [0, 2, 3, 1, 2, 3]].reshape(-1)
    elif int(opened.dataset.get("PlanarConfiguration") or 0):
        return np.ascontiguousarray(
            _without_unused(flat, description).reshape(samples, rows, columns).transpose(1, 2, 0)
        )
    return _without_unused(flat, description).reshape(rows, columns, samples)


def _without_unused(pixels: Pixels, description: PixelDescription) -> Pixels:
    """What lies above the stored bits is not the pixel's (PS3.5 §8.1.1): shifted out, the sign extended."""
    unused = 8 * pixels.itemsize - description.bits_stored
    if unused:
        np.left_shift(pixels, unused, out=pixels)
        np.right_shift(pixels, unused, out=pixels)
    return pixels


def _by_openjpeg(description: PixelDescription, data: bytes, *, signed: bool) -> Pixels:
    decoded: Pixels = openjpeg.decode(data, reshape=True)  # type: ignore[attr-defined] # the package has no stubs
    if (decoded.dtype.kind == "i") != signed:
        # Some writers leave the sign out of the codestream: the same bits, read as the attributes say.
        unused = 8 * decoded.itemsize - jpeg_2000_header(data[:2048]).precision
        decoded = decoded.view(decoded.dtype.str.replace("u", "i") if signed else decoded.dtype.str.replace("i", "u"))
        np.left_shift(decoded, unused, out=decoded)
        np.right_shift(decoded, unused, out=decoded)
    wanted = np.dtype(f"{decoded.dtype.kind}{description.bits_allocated // 8}")
    return decoded.astype(wanted, copy=False)


def _by_gdcm(description: PixelDescription, header: FrameHeader, data: bytes, *, signed: bool) -> Pixels:
    """JPEG of more than 8 bits, and lossless JPEG. pydicom's own way to this decoder refuses 12 bits."""
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(data)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((header.columns, header.rows, 1))
    image.SetDataElement(element)
    kind = gdcm.PhotometricInterpretation.GetPIType(description.photometric)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    if header.components > 1:
        image.SetPlanarConfiguration(0)
    syntax = (
        gdcm.TransferSyntax.JPEGLosslessProcess14 if header.lossless else gdcm.TransferSyntax.JPEGExtendedProcess2_4
    )
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    size = 1 if header.precision <= 8 else 2
    image.SetPixelFormat(
        gdcm.PixelFormat(header.components, 8 * size, header.precision, header.precision - 1, int(signed))
    )
    flat = np.frombuffer(image.GetBuffer().encode("utf-8", "surrogateescape"), f"<{'i' if signed else 'u'}{size}")
    shape = (header.rows, header.columns, header.components)
    pixels = flat.reshape(shape if header.components > 1 else shape[:2])
    return pixels.astype(f"{'i' if signed else 'u'}{description.bits_allocated // 8}", copy=False)


def _by_pydicom(
    opened: Opened, description: PixelDescription, syntax: str, data: bytes, plugin: str
) -> tuple[Pixels, bool]:
    """The frame, and whether its colours are YBR."""
    single = Dataset()
    single.Rows, single.Columns = description.rows, description.columns
    single.SamplesPerPixel = description.samples
    single.BitsAllocated, single.BitsStored = description.bits_allocated, description.bits_stored
    single.HighBit = description.bits_stored - 1
    single.PixelRepresentation = int(opened.dataset.get("PixelRepresentation") or 0)
    single.PhotometricInterpretation = description.photometric
    if description.samples > 1:
        single.PlanarConfiguration = int(opened.dataset.get("PlanarConfiguration") or 0)
    single.NumberOfFrames = 1
    single.PixelData = encapsulate([data])
    single["PixelData"].VR = "OB"
    pixels, changed = get_decoder(syntax).as_array(
        single, index=0, raw=False, decoding_plugin=plugin, **as_pixel_options(single, as_rgb=False)
    )
    return pixels, str(changed["photometric_interpretation"]).startswith("YBR_FULL")


def _as_rgb(pixels: Pixels) -> Pixels:
    """In strips: as floats the whole frame would take four times its size."""
    pixels = pixels if pixels.flags.writeable else pixels.copy()
    rows = max(1, STRIP_PIXELS // pixels.shape[1])
    for top in range(0, pixels.shape[0], rows):
        pixels[top : top + rows] = convert_color_space(pixels[top : top + rows], "YBR_FULL", "RGB")
    return pixels
