"""The confined reader: what files are, what is refused, and that nothing in a file reaches beyond it."""

import io
import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

from activities.imaging.parser import limits
from activities.imaging.parser.pool import BytesSource, ParserPool
from activities.imaging.parser.problems import SENTENCES, FileProblem, ProblemCode
from tests.activities.imaging import files


@pytest.fixture(scope="module")
def pool() -> Iterator[ParserPool]:
    with ParserPool(1) as pool:
        yield pool


class Counting(BytesSource):
    """A source that counts what was read of it."""

    read = 0

    def read_at(self, offset: int, length: int) -> bytes:
        self.read += length
        return super().read_at(offset, length)


def test_an_instance_is_described_with_its_identity_and_the_place_of_each_frame(pool: ParserPool) -> None:
    content = files.dicom_file(study="1.2.3", series="1.2.3.4", number=7, frames=3)
    found = pool.examine(BytesSource(content))

    assert found.problem is None and found.dicom is not None
    facts = found.dicom
    assert (facts.study_uid, facts.series_uid, facts.number, facts.modality) == ("1.2.3", "1.2.3.4", 7, "CT")
    assert (facts.frames, facts.rows, facts.columns, facts.spacing) == (3, 16, 16, (0.25, 0.25))
    assert facts.identity.patient_name == "Muster^Anna" and facts.identity.birth_date == "19800214"
    pixels = pydicom.dcmread(io.BytesIO(content)).PixelData
    parts = [content[offset : offset + length] for offset, length in facts.ranges]
    assert b"".join(parts) == pixels
    metadata = json.loads(found.metadata)
    assert metadata["00080018"]["Value"] == [facts.sop_uid]
    assert "7FE00010" not in metadata


def test_of_a_large_file_only_the_header_is_read(pool: ParserPool) -> None:
    source = Counting(files.dicom_file(size=2048, frames=8))  # 64 MB
    assert pool.examine(source).problem is None
    assert source.read < 1 << 20


@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("CT_small.dcm", 1),
        ("MR_small_implicit.dcm", 1),
        ("MR_small_bigendian.dcm", 1),
        ("MR_small_RLE.dcm", 1),
        ("MR_small_jp2klossless.dcm", 1),
        ("MR_small_jpeg_ls_lossless.dcm", 1),
        ("SC_rgb_jpeg_gdcm.dcm", 1),
        ("SC_rgb_jpeg_dcmtk.dcm", 1),
        ("SC_ybr_full_422_uncompressed.dcm", 1),
        ("SC_rgb_small_odd.dcm", 1),
        ("SC_rgb_rle_2frame.dcm", 2),
        ("examples_palette.dcm", 1),
        ("examples_ybr_color.dcm", 30),
        ("image_dfl.dcm", 1),
        ("liver_1frame.dcm", 1),
        ("ExplVR_BigEnd.dcm", 1),
        ("rtdose.dcm", 15),
    ],
)
def test_every_syntax_that_is_taken_can_be_shown(pool: ParserPool, name: str, frames: int) -> None:
    source = BytesSource(files.pydicom_file(name))
    found = pool.examine(source)
    assert found.problem is None and found.dicom is not None
    assert found.dicom.frames == frames
    ranges = found.dicom.ranges[frames - 1] if found.dicom.ranges else None
    picture = pool.render(source, frames - 1, ranges)
    assert Image.open(io.BytesIO(picture.image)).size == (picture.width, picture.height)
    assert pool.decode(source, frames - 1, ranges)


@pytest.mark.parametrize(
    "name", ["MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_bigendian.dcm"]
)
def test_a_lossless_frame_decodes_to_the_pixels_of_its_uncompressed_sibling(pool: ParserPool, name: str) -> None:
    expected = pydicom.dcmread(files.PYDICOM_FILES / "MR_small.dcm").PixelData
    assert pool.decode(BytesSource(files.pydicom_file(name)), 0) == expected


def test_frames_in_several_fragments_are_found_by_their_end_markers(pool: ParserPool) -> None:
    def jpeg(shade: int) -> bytes:
        out = io.BytesIO()
        Image.fromarray(np.random.default_rng(shade).integers(0, 255, (16, 16), np.uint8)).save(out, "JPEG")
        return out.getvalue()

    frames = [jpeg(1), jpeg(2)]
    content = files.bytes_of(
        {
            **{
                name: pydicom.uid.generate_uid() for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
            },
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.2",
            "Rows": 16,
            "Columns": 16,
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "BitsAllocated": 8,
            "BitsStored": 8,
            "HighBit": 7,
            "PixelRepresentation": 0,
            "NumberOfFrames": 2,
            "PixelData": encapsulate(frames, fragments_per_frame=3, has_bot=False),
        },
        "1.2.840.10008.1.2.4.50",
    )
    found = pool.examine(BytesSource(content))
    assert found.dicom is not None
    for frame, parts in zip(frames, found.dicom.ranges, strict=True):
        joined = b"".join(
            content[start : start + length] for start, length in zip(parts[::2], parts[1::2], strict=True)
        )
        assert joined.rstrip(b"\0") == frame.rstrip(b"\0")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", ProblemCode.EMPTY),
        (b"MZ\x90\0 a program", ProblemCode.NOT_AN_IMAGE),
        (b"PK\x03\x04" + b"\0" * 26 + b"CBCT/IM0001", ProblemCode.ARCHIVE_DAMAGED),
        (b"7z\xbc\xaf\x27\x1c" + b"\0" * 60, ProblemCode.ARCHIVE_KIND),
        (b"Rar!\x1a\x07\x01\0" + b"\0" * 60, ProblemCode.ARCHIVE_KIND),
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", ProblemCode.NOT_AN_IMAGE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", ProblemCode.NOT_AN_IMAGE),
        (files.pydicom_file("MR_truncated.dcm"), ProblemCode.TRUNCATED),
        (files.dicom_file()[:300], ProblemCode.TRUNCATED),
        (files.pydicom_file("rtplan.dcm"), ProblemCode.NO_PIXEL_DATA),
        (files.pydicom_file("JPGExtended.dcm")[:-2000], ProblemCode.TRUNCATED),
        (files.dicom_file(StudyInstanceUID=None), ProblemCode.MISSING_UIDS),
        (files.dicom_file(Rows=None), ProblemCode.PIXEL_DESCRIPTION),
        (files.dicom_file(Rows=4000), ProblemCode.PIXEL_COUNT),
        (files.dicom_file(NumberOfFrames=5000), ProblemCode.PIXEL_COUNT),
        (files.lying_length(), ProblemCode.TRUNCATED),
        (files.deflate_bomb(), ProblemCode.OVER_LIMITS),
        (files.nested_sequences(3000, defined=False), ProblemCode.OVER_LIMITS),
        (files.nested_sequences(400, defined=True), ProblemCode.OVER_LIMITS),
        (files.jpeg_of_other_size(), ProblemCode.PIXEL_COUNT),
        (files.compressed(b"\xff\xd8\xff\xd9" * 40, "1.2.840.10008.1.2.4.90", size=16), ProblemCode.SYNTAX_MISMATCH),
        (files.compressed(b"not RLE", RLELossless, size=16), ProblemCode.SYNTAX_MISMATCH),
        (files.photo(size=(800, 600))[:-500], ProblemCode.TRUNCATED),
        (b"\x89PNG\r\n\x1a\n garbage", ProblemCode.DAMAGED),
        (files.png_bomb(), ProblemCode.OVER_LIMITS),
        (files.pdf()[:20], ProblemCode.TRUNCATED),
    ],
)
def test_what_cannot_be_used_gets_a_code_and_the_reader_goes_on(
    pool: ParserPool, content: bytes, code: ProblemCode
) -> None:
    found = pool.examine(BytesSource(content))
    assert found.problem is code
    assert SENTENCES[code].endswith(".")
    assert pool.examine(BytesSource(files.dicom_file())).problem is None


def test_every_problem_has_a_sentence() -> None:
    assert set(SENTENCES) == set(ProblemCode)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_photograph_is_redrawn_upright_and_without_its_metadata(pool: ParserPool, form: str) -> None:
    found = pool.examine(BytesSource(files.photo(form, (60, 40), orientation=6)))
    assert found.kind == "photo" and found.photo is not None
    assert (found.photo.width, found.photo.height) == (40, 60)
    picture = Image.open(io.BytesIO(found.preview))
    assert picture.size == (40, 60) and not picture.getexif()
    red, green, _ = picture.convert("RGB").getpixel((37, 3))  # type: ignore[misc] # upper left turned to upper right
    assert red > 200 and green < 80


def test_a_pdf_is_a_document(pool: ParserPool) -> None:
    found = pool.examine(BytesSource(files.pdf()))
    assert (found.kind, found.problem) == ("document", None)


def test_a_window_changes_the_picture_and_monochrome1_is_inverted(pool: ParserPool) -> None:
    ramp = np.arange(256, dtype=np.uint16).reshape(16, 16)
    source = BytesSource(files.dicom_file(PixelData=ramp.tobytes()))
    inverted = BytesSource(files.dicom_file(PixelData=ramp.tobytes(), PhotometricInterpretation="MONOCHROME1"))

    def grey(where: BytesSource, window: tuple[float, float]) -> NDArray[np.int16]:
        return np.asarray(Image.open(io.BytesIO(pool.render(where, 0, window=window, quality=95).image)), np.int16)

    narrow, wide = grey(source, (128, 2)), grey(source, (128, 256))
    assert narrow[0].max() < 40 and narrow[-1].min() > 215
    assert abs(int(wide[8, 0]) - 128) < 12
    assert np.abs(grey(inverted, (128, 256)) - (255 - wide)).max() < 12


def test_a_child_opens_no_file_no_socket_and_no_process(pool: ParserPool) -> None:
    with pool.child() as child:
        of_child = Path(f"/proc/{child.pid}")
        found = (of_child / "limits").read_text()
        for name, value in (
            ("open files", 0),
            ("processes", 0),
            ("file size", 0),
            ("core file size", 0),
            ("cpu time", limits.CHILD_CPU_SECONDS),
            ("address space", limits.ADDRESS_SPACE),
        ):
            assert re.search(rf"^Max {name} +{value} +{value} ", found, re.MULTILINE), name
        if child.isolated:
            assert (of_child / "ns/net").readlink() != Path("/proc/self/ns/net").readlink()


def test_a_child_that_hangs_is_killed_and_the_next_file_is_read() -> None:
    with ParserPool(1, seconds=0.6) as pool:
        pool.warm()

        class Slow(BytesSource):
            def read_at(self, offset: int, length: int) -> bytes:
                time.sleep(0.4)
                return super().read_at(offset, length)

        slow = Slow(files.photo("TIFF", (900, 700)))
        assert pool.examine(slow).problem is ProblemCode.TOO_SLOW
        with pytest.raises(FileProblem) as raised:
            pool.redraw(slow, max_side=100)
        assert raised.value.code is ProblemCode.TOO_SLOW
    with ParserPool(1) as pool:
        assert pool.examine(BytesSource(files.dicom_file())).problem is None


def test_a_child_that_was_killed_costs_nothing() -> None:
    with ParserPool(1) as pool:
        assert pool.examine(BytesSource(files.dicom_file())).problem is None
        with pool.child() as child:
            os.kill(child.pid, 9)
        assert pool.examine(BytesSource(files.dicom_file())).problem is None


def test_an_error_of_the_source_is_the_callers_and_the_pool_goes_on(pool: ParserPool) -> None:
    class Broken(BytesSource):
        def read_at(self, offset: int, length: int) -> bytes:
            raise OSError("storage")

    with pytest.raises(OSError, match="storage"):
        pool.examine(Broken(files.dicom_file()))
    assert pool.examine(BytesSource(files.dicom_file())).problem is None


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, "no"),
        ({"BurnedInAnnotation": "YES"}, "yes"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "possible"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.4"}, "possible"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "BurnedInAnnotation": "NO"}, "no"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.4"}, "no"),
        ({"Modality": "US"}, "possible"),
        ({"ConversionType": "DF"}, "possible"),
    ],
)
def test_a_picture_that_may_bear_a_name_is_told_from_others(
    pool: ParserPool, attributes: dict[str, Any], expected: str
) -> None:
    found = pool.examine(BytesSource(files.dicom_file(**attributes)))
    assert found.dicom is not None and found.dicom.burned_in == expected


def test_a_file_of_many_frames_has_each_frame_in_its_place_and_in_its_own_window(pool: ParserPool) -> None:
    """As an enhanced CT has it: the groups of each frame say how it is shown (PS3.3 C.7.6.16)."""

    def groups(index: int) -> Dataset:
        window, item = Dataset(), Dataset()
        window.WindowCenter, window.WindowWidth = (100, 200) if index % 2 else (10_000, 200)
        item.FrameVOILUTSequence = [window]
        return item

    frames = np.arange(120, dtype=np.uint16)[:, None, None] + np.zeros((1, 32, 32), np.uint16)
    content = files.dicom_file(
        size=32,
        frames=120,
        SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1",
        PixelData=frames.tobytes(),
        PerFrameFunctionalGroupsSequence=[groups(index) for index in range(120)],
    )
    source = BytesSource(content)
    found = pool.examine(source)
    assert found.dicom is not None and found.dicom.frames == 120
    for index, (offset, length) in enumerate(found.dicom.ranges):
        assert content[offset : offset + length] == frames[index].tobytes()
    assert len(json.loads(found.metadata)["52009230"]["Value"]) == 120

    def grey(index: int) -> float:
        picture = pool.render(source, index, found.dicom.ranges[index])  # type: ignore[union-attr]
        return float(np.asarray(Image.open(io.BytesIO(picture.image))).mean())

    assert (
        grey(118) < 3 and abs(grey(119) - 152) < 4
    )  # black in its window of 10,000; above the middle in its own of 100


@pytest.mark.parametrize("name", ["FloatPixelData", "DoubleFloatPixelData"])
def test_decimal_pixels_are_refused_by_name(pool: ParserPool, name: str) -> None:
    bits = 32 if name == "FloatPixelData" else 64
    pixels: dict[str, Any] = {name: bytes(16 * 16 * bits // 8)}
    content = files.dicom_file(PixelData=None, BitsAllocated=bits, BitsStored=None, HighBit=None, **pixels)
    assert pool.examine(BytesSource(content)).problem is ProblemCode.FLOAT_PIXELS
