"""Storage is not trusted: what was changed, moved, cut or brought back is refused."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.blobs.paths import BlobPaths
from infra.blobs.records import CLEAR_BYTES, HEADER_BYTES, OVERHEAD_BYTES, RECORD_BYTES, record_offset
from infra.blobs.store import BlobDamaged
from infra.keys import new_data_key
from tests.infra.blob_stores import LocalShelf, NewShelf, Shelf, new_moto_shelf, new_shelf, written
from tests.infra.blob_writing import KEY, content

__all__ = ["new_moto_shelf", "new_shelf"]

# What is checked here is ours alone: which storage hands the bytes out makes no difference.
pytestmark = pytest.mark.parametrize("new_shelf", ["local", "moto"], indirect=True, scope="module")

SIZE = 2 * CLEAR_BYTES + 1000


def write(shelf: Shelf, blob_id: str, data: bytes) -> bytes:
    """The stored bytes of a finished file."""
    written(shelf.store, blob_id, data)
    return shelf.stored(blob_id)


def read(shelf: Shelf, blob_id: str = "fil_1", key: bytes = KEY) -> bytes:
    with shelf.store.reader(blob_id, key) as reader:
        return b"".join(reader.stream())


@pytest.fixture(scope="module")
def shelf(new_shelf: NewShelf) -> Shelf:
    return new_shelf()


@pytest.fixture(scope="module")
def stored(shelf: Shelf) -> bytes:
    return write(shelf, "fil_1", content(0, SIZE))


def test_nothing_of_the_content_is_stored_in_the_clear(shelf: Shelf, stored: bytes) -> None:
    assert all(content(at, 24) not in stored for at in range(0, SIZE, 4096))
    if isinstance(shelf, LocalShelf):
        path = BlobPaths.of(shelf.folder, "fil_1").done
        assert path.stat().st_mode & 0o077 == 0
        assert path.parent.stat().st_mode & 0o077 == 0


def test_a_flipped_bit_is_refused(shelf: Shelf, stored: bytes) -> None:
    places = st.integers(0, HEADER_BYTES + 40) | st.integers(0, SIZE + HEADER_BYTES + 3 * OVERHEAD_BYTES - 1)

    @settings(max_examples=60 if isinstance(shelf, LocalShelf) else 15, deadline=None)
    @given(place=places, bit=st.integers(0, 7))
    def check(place: int, bit: int) -> None:
        changed = bytearray(stored)
        changed[place] ^= 1 << bit
        shelf.replace("fil_1", bytes(changed))
        with pytest.raises(BlobDamaged):
            read(shelf)
        shelf.replace("fil_1", stored)
        assert read(shelf) == content(0, SIZE)

    check()


def _swap_records(stored: bytes) -> bytes:
    first, second, third = record_offset(0), record_offset(1), record_offset(2)
    return stored[:first] + stored[second:third] + stored[first:second] + stored[third:]


CUTS: dict[str, Callable[[bytes], bytes]] = {
    "two records swapped": _swap_records,
    "a record twice": lambda stored: stored[: record_offset(1)] + stored[record_offset(0) :],
    "a record left out": lambda stored: stored[: record_offset(0)] + stored[record_offset(1) :],
    "cut at the last record": lambda stored: stored[: record_offset(2)],
    "cut at the second record": lambda stored: stored[: record_offset(1)],
    "cut to the header": lambda stored: stored[:HEADER_BYTES],
    "cut to an empty last record": lambda stored: stored[: HEADER_BYTES + OVERHEAD_BYTES],
    "the last record first": lambda stored: stored[:HEADER_BYTES] + stored[record_offset(2) :],
    "cut within a record": lambda stored: stored[: record_offset(1) + 5000],
    "one byte short": lambda stored: stored[:-1],
    "one byte more": lambda stored: stored + b"\0",
    "a record of zeros more": lambda stored: stored + bytes(RECORD_BYTES),
    "nothing": lambda stored: b"",
}


@pytest.mark.parametrize("name", CUTS)
def test_a_file_that_was_rearranged_or_cut_is_refused_when_it_is_opened_or_read(
    shelf: Shelf, stored: bytes, name: str
) -> None:
    shelf.replace("fil_1", CUTS[name](stored))
    with pytest.raises(BlobDamaged):
        read(shelf)
    shelf.replace("fil_1", stored)


def test_a_cut_is_found_on_opening_before_anything_is_served(shelf: Shelf, stored: bytes) -> None:
    for cut in (record_offset(1), record_offset(2), record_offset(2) + OVERHEAD_BYTES, len(stored) - 1):
        shelf.replace("fil_1", stored[:cut])
        with pytest.raises(BlobDamaged):
            shelf.store.reader("fil_1", KEY)
    shelf.replace("fil_1", stored)


def test_another_files_bytes_and_another_key_are_refused(shelf: Shelf, stored: bytes) -> None:
    other = write(shelf, "fil_2", content(7, SIZE))
    first, second = record_offset(0), record_offset(1)
    for mixed in (other, stored[:first] + other[first:second] + stored[second:], other[:first] + stored[first:]):
        shelf.replace("fil_1", mixed)
        with pytest.raises(BlobDamaged):
            read(shelf)
    shelf.replace("fil_1", stored)
    with pytest.raises(BlobDamaged):
        shelf.store.reader("fil_1", new_data_key())


def test_records_of_a_deleted_file_do_not_come_back_under_its_name(shelf: Shelf) -> None:
    old = write(shelf, "fil_3", b"o" * (CLEAR_BYTES + 5))
    shelf.store.delete("fil_3")
    new = write(shelf, "fil_3", b"n" * (CLEAR_BYTES + 5))
    first, second = record_offset(0), record_offset(1)
    shelf.replace("fil_3", new[:first] + old[first:second] + new[second:])
    with pytest.raises(BlobDamaged):
        read(shelf, "fil_3")


def test_a_writer_with_the_wrong_key_changes_nothing(shelf: Shelf) -> None:
    data = content(0, CLEAR_BYTES + 500)
    with shelf.store.writer("fil_4", KEY) as writer:
        writer.append(data)
        writer.sync()
    with pytest.raises(BlobDamaged):
        shelf.store.writer("fil_4", new_data_key())
    with shelf.store.writer("fil_4", KEY) as writer:
        assert writer.offset == len(data)
        writer.finish()
    assert read(shelf, "fil_4") == data
