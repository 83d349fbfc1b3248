"""Every transfer syntax of the table: what is read decodes to its reference pixels, what is not is refused by name."""

import base64
import io
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jpeg_ls
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.pixels.utils import pixel_array

from activities.imaging.parser.pool import BytesSource, ParserPool
from activities.imaging.parser.problems import SENTENCES, FileProblem
from activities.imaging.parser.syntaxes import EXPLICIT_LE, NATIVE, SYNTAXES
from tests.activities.imaging import files

DICOM = "1.2.840.10008.1.2"
RAMP = np.add.outer(np.arange(16, dtype=np.uint16) * 37, np.arange(16, dtype=np.uint16) * 11).astype(np.uint16)
RAMP_HTJ2K = base64.b64decode(
    "/0//UQApQAAAAAAQAAAAEAAAAAAAAAAAAAAAEAAAABAAAAAAAAAAAAABDwEB/1AACAACAAAACv9SAAwAAgABAAUEBEAB/1wAEyCIkJCQkJCQkJCQ"
    "kJCQiIiI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAAHsAAf+TwAAmR/4FB3QAAMAAEsAAEwDIAQd0AKL+Agd0AMAAE0AAE4Ci+ACC"
    "dABQof4AY1QAwAAVEAAFUBBC+KpwAnUApCQS6cAhAey2AMAAKyAAFohERERE58Cnp6fCeABIBEEQBEH+/YQge/YQgey6AP/Z"
)
"""``RAMP`` losslessly, by OpenJPH."""
RAMP_LOSSLESS = base64.b64decode(
    "/9j/xAAXAAEBAQEAAAAAAAAAAAAAAAAFBgQM/8MACwwAEAAQAQARAP/aAAgBAAAGAADn/wDXr169evXr169evXr10qaaaaaaaaaaaaaadKmmmmmm"
    "mmmmmmmmnSppppppppppppppp0qaaaaaaaaaaaaaadKmmmmmmmmmmmmmmnSppppppppppppppp0qaaaaaaaaaaaaaadKmmmmmmmmmmmmmmnSpppp"
    "ppppppppppp0qaaaaaaaaaaaaaadKmmmmmmmmmmmmmmnSppppppppppppppp0qaaaaaaaaaaaaaadKmmmmmmmmmmmmmmnSpppppppppppppppv/Z"
)
"""``RAMP`` as lossless JPEG of 12 bits, by LJ92."""
GREYS = np.repeat(np.repeat(np.arange(0, 256, 16, dtype=np.uint8).reshape(4, 4), 8, 0), 8, 1)


@dataclass(frozen=True)
class Case:
    syntax: str
    name: str
    content: bytes
    frames: tuple[NDArray[Any], ...]
    tolerance: int = 0


def _grey(pixels: NDArray[Any], syntax: str, codestreams: list[bytes], **attributes: object) -> bytes:
    bits = 8 * pixels.itemsize
    return files.bytes_of(
        {
            "StudyInstanceUID": "1.2.3.1",
            "SeriesInstanceUID": "1.2.3.2",
            "SOPInstanceUID": "1.2.3.3",
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.2",
            "Rows": pixels.shape[0],
            "Columns": pixels.shape[1],
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "BitsAllocated": bits,
            "BitsStored": bits,
            "HighBit": bits - 1,
            "PixelRepresentation": 0,
            "NumberOfFrames": len(codestreams),
            "PixelData": encapsulate(codestreams),
            **attributes,
        },
        syntax,
    )


def _of_pillow(pixels: NDArray[Any], form: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form, **options)
    return out.getvalue()


def _deflated(frame: NDArray[Any]) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(frame.tobytes()) + packer.flush()


def _codestream(jp2: bytes) -> bytes:
    return jp2[jp2.index(b"\xff\x4f\xff\x51") :]


def _pydicom(name: str, tolerance: int = 0) -> Case:
    content = files.pydicom_file(name)
    dataset = pydicom.dcmread(io.BytesIO(content))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pixels = pixel_array(dataset)
    if "StudyInstanceUID" not in dataset:
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID = "1.2.3.1", "1.2.3.2", "1.2.3.3"
        out = io.BytesIO()
        dataset.save_as(out)
        content = out.getvalue()
    frames = tuple(pixels) if int(dataset.get("NumberOfFrames") or 1) > 1 else (pixels,)
    return Case(str(dataset.file_meta.TransferSyntaxUID), name, content, frames, tolerance)


def _cases() -> Iterator[Case]:
    yield from map(
        _pydicom,
        (
            "CT_small.dcm", "MR_small_implicit.dcm", "SC_rgb_small_odd.dcm", "SC_ybr_full_422_uncompressed.dcm",
            "liver_1frame.dcm", "rtdose.dcm", "examples_palette.dcm", "image_dfl.dcm",
            "MR_small_bigendian.dcm", "SC_rgb_small_odd_big_endian.dcm", "ExplVR_BigEnd.dcm", "rtdose_expb.dcm",
            "liver_expb_1frame.dcm", "MR_small_RLE.dcm", "SC_rgb_rle_2frame.dcm", "SC_rgb_rle_16bit.dcm", "rtdose_rle.dcm",
            "SC_rgb_jpeg_gdcm.dcm", "MR_small_jpeg_ls_lossless.dcm", "JPEGLSNearLossless_16.dcm", "JPEGLSNearLossless_08.dcm",
            "SC_rgb_jls_lossy_line.dcm", "MR_small_jp2klossless.dcm", "GDCMJ2K_TextGBR.dcm", "J2K_pixelrep_mismatch.dcm",
            "693_J2KI.dcm", "JPEG2000.dcm", "SC_rgb_gdcm_KY.dcm", "examples_jpeg2k.dcm",
        ),
    )  # fmt: skip
    for name in ("+eb+cr", "+eb+cy+n1", "+eb+cy+np", "+eb+cy+s4"):
        yield _pydicom(f"SC_rgb_dcmtk_{name}.dcm", tolerance=3)
    for name in ("SC_rgb_jpeg_dcmtk.dcm", "SC_rgb_small_odd_jpeg.dcm", "examples_ybr_color.dcm"):
        yield _pydicom(name, tolerance=3)
    ramps = (RAMP, RAMP[::-1].copy())
    plain = [frame.tobytes() for frame in ramps]
    yield Case(f"{DICOM}.1.98", "uncompressed in fragments", _grey(RAMP, f"{DICOM}.1.98", plain), ramps)
    deflated = [_deflated(frame) for frame in ramps]
    yield Case(f"{DICOM}.8.1", "deflated frames", _grey(RAMP, f"{DICOM}.8.1", deflated), ramps)
    twelve = {"BitsStored": 12, "HighBit": 11}
    for tail in (".4.57", ".4.70"):
        content = _grey(RAMP, DICOM + tail, [RAMP_LOSSLESS], **twelve)
        yield Case(DICOM + tail, "lossless JPEG of 12 bits", content, (RAMP,))
    for tail in (".4.53", ".4.55", ".4.51", ".4.50"):
        progressive = _of_pillow(GREYS, "JPEG", quality=95, progressive=tail in {".4.53", ".4.55"})
        yield Case(DICOM + tail, "JPEG of 8 bits", _grey(GREYS, DICOM + tail, [progressive]), (GREYS,), tolerance=2)
    part_1 = _codestream(_of_pillow(RAMP, "JPEG2000", irreversible=False))
    for tail in (".4.92", ".4.93", ".4.90"):
        yield Case(DICOM + tail, "JPEG 2000", _grey(RAMP, DICOM + tail, [part_1]), (RAMP,))
    for tail in (".4.201", ".4.202", ".4.203"):
        yield Case(DICOM + tail, "HTJ2K", _grey(RAMP, DICOM + tail, [RAMP_HTJ2K]), (RAMP,))
    near = bytes(jpeg_ls.encode(RAMP))
    yield Case(f"{DICOM}.4.81", "JPEG-LS", _grey(RAMP, f"{DICOM}.4.81", [near]), (RAMP,))
    signed = np.array([[-8, 7], [0, -1]], np.int8).view(
        np.uint8
    )  # in four of eight bits; what lies above is not theirs
    content = files.dicom_file(
        size=2, BitsAllocated=8, BitsStored=4, HighBit=3, PixelRepresentation=1, PixelData=(signed & 0x0F).tobytes()
    )
    yield Case(EXPLICIT_LE, "signed with unused bits", content, (signed.view(np.int8),))
    planes = np.arange(48, dtype=np.uint8).reshape(3, 4, 4)
    content = files.dicom_file(
        size=4, SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=1, BitsAllocated=8, BitsStored=8,
        HighBit=7, PixelData=planes.tobytes(),
    )  # fmt: skip
    yield Case(EXPLICIT_LE, "colours by plane", content, (planes.transpose(1, 2, 0),))


CASES = list(_cases())


@pytest.fixture(scope="module")
def pool() -> Iterator[ParserPool]:
    with ParserPool(1, seconds=60) as pool:
        yield pool


def test_the_cases_cover_every_syntax_that_is_read() -> None:
    assert {case.syntax for case in CASES} == {uid for uid, syntax in SYNTAXES.items() if syntax.coding}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.syntax}-{case.name}")
def test_a_frame_decodes_to_its_reference_pixels(pool: ParserPool, case: Case) -> None:
    source = BytesSource(case.content)
    found = pool.examine(source)
    assert found.problem is None and found.dicom is not None
    assert found.dicom.frames == len(case.frames)
    if not SYNTAXES[case.syntax].in_browsers:
        assert found.dicom.transcoded
    for number in {0, len(case.frames) - 1}:
        expected = np.ascontiguousarray(case.frames[number])
        ranges = found.dicom.ranges[number] if found.dicom.ranges else None
        for known in {None, tuple(ranges or ())}:
            decoded = pool.decode(source, number, list(known) if known else None)
            pixels = np.frombuffer(decoded, expected.dtype.newbyteorder("<")).reshape(expected.shape)
            assert np.abs(pixels.astype(np.int64) - expected.astype(np.int64)).max() <= case.tolerance


@pytest.mark.parametrize("uid", [uid for uid, syntax in SYNTAXES.items() if syntax.coding is None])
def test_a_syntax_that_cannot_be_read_is_refused_by_name(pool: ParserPool, uid: str) -> None:
    source = BytesSource(_grey(GREYS, uid, [b"\0" * 64]))
    refusal = SYNTAXES[uid].refusal
    assert pool.examine(source).problem is refusal
    assert "Please export" in SENTENCES[refusal]
    with pytest.raises(FileProblem) as raised:
        pool.decode(source, 0)
    assert raised.value.code is refusal


def test_lossy_jpeg_of_twelve_bits_is_read_and_served_decoded(pool: ParserPool) -> None:
    source = BytesSource(files.pydicom_file("JPGExtended.dcm"))
    found = pool.examine(source)
    assert found.dicom is not None and found.dicom.transcoded
    pixels = np.frombuffer(pool.decode(source, 0), "<u2").reshape(found.dicom.rows, found.dicom.columns)
    assert (pixels[420, 140], pixels[230, 120]) == (244, 95)  # pydicom's references for this file
    assert pixels.max() < 4096


def test_what_is_served_decoded_is_described_as_it_is_served(pool: ParserPool) -> None:
    for case in CASES:
        if case.syntax in NATIVE or case.tolerance:
            continue
        found = pool.examine(BytesSource(case.content))
        served = EXPLICIT_LE if not SYNTAXES[case.syntax].in_browsers else case.syntax
        assert f'"00083002":{{"vr":"UI","Value":["{served}"]}}'.encode() in found.metadata
