"""What one file may cost: no file makes a reader hold more than 512 MB, and a large result passes in pieces."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from activities.imaging.parser import limits
from activities.imaging.parser.pool import BytesSource, ParserPool
from tests.activities.imaging import files
from tests.hostile.reader import peak_bytes

MEMORY = 512_000_000


@pytest.fixture
def pool() -> Iterator[ParserPool]:
    with ParserPool(1, seconds=60) as pool:
        yield pool


class Counting(BytesSource):
    read = 0

    def read_at(self, offset: int, length: int) -> bytes:
        self.read += length
        return super().read_at(offset, length)


def test_the_kernel_holds_every_reader_to_512_megabytes(pool: ParserPool) -> None:
    pool.warm()
    with pool.child() as child:
        of_child = Path(f"/proc/{child.pid}/limits").read_text().splitlines()
    (space,) = [line.split()[3:5] for line in of_child if line.startswith("Max address space")]
    assert [int(value) for value in space] == [limits.ADDRESS_SPACE] * 2
    assert limits.ADDRESS_SPACE <= MEMORY


def test_of_a_deflated_file_no_more_is_held_than_it_takes_to_go_on(pool: ParserPool) -> None:
    frames = np.repeat(np.arange(160, dtype=np.uint16), 512 * 1024).reshape(160, 512, 1024)
    whole = files.dicom_file(frames=160, Rows=512, Columns=1024, PixelData=frames.tobytes())  # 168 MB
    source = Counting(files.deflated(whole))
    assert pool.examine(source).problem is None
    assert pool.decode(source, 159, key="volume") == frames[159].tobytes()
    read = source.read
    for frame in (158, 3, 80):  # with a name the next frames need not begin anew
        assert pool.decode(source, frame, key="volume") == frames[frame].tobytes()
    assert source.read - read < 8 * limits.HEAD_BYTES
    other = BytesSource(files.deflated(files.dicom_file(number=9)))
    assert np.frombuffer(pool.decode(other, 0, key="other"), np.uint16)[1] == 109
    assert peak_bytes(pool) < 150_000_000


def test_the_largest_frame_that_is_taken_is_decoded_and_drawn(pool: ParserPool) -> None:
    side = 6144
    assert side * side * 2 == limits.MAX_FRAME_BYTES
    pixels = np.zeros((side, side), np.uint16)
    pixels[::7] = 4000
    source = BytesSource(files.dicom_file(size=side, PixelData=pixels.tobytes()))
    found = pool.examine(source)
    assert found.dicom is not None
    assert pool.decode(source, 0, found.dicom.ranges[0]) == pixels.tobytes()
    assert pool.render(source, 0, found.dicom.ranges[0], max_side=256).width == 256
    assert peak_bytes(pool) < MEMORY
