"""Storage is not trusted: what was changed, moved, cut or brought back is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.blobs.local import LocalBlobStore
from infra.blobs.paths import BlobPaths
from infra.blobs.records import CLEAR_BYTES, HEADER_BYTES, OVERHEAD_BYTES, RECORD_BYTES, record_offset
from infra.blobs.store import BlobDamaged
from infra.keys import new_data_key
from tests.infra.blob_writing import KEY, content

SIZE = 2 * CLEAR_BYTES + 1000


def path_of(store: LocalBlobStore, blob_id: str) -> Path:
    return BlobPaths.of(store._folder, blob_id).done


def write(store: LocalBlobStore, blob_id: str, data: bytes) -> bytes:
    """The stored bytes of a finished file."""
    with store.writer(blob_id, KEY) as writer:
        writer.append(data)
        writer.finish()
    return path_of(store, blob_id).read_bytes()


def read(store: LocalBlobStore, blob_id: str = "fil_1", key: bytes = KEY) -> bytes:
    with store.reader(blob_id, key) as reader:
        return b"".join(reader.stream())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> LocalBlobStore:
    return LocalBlobStore(tmp_path_factory.mktemp("tamper"))


@pytest.fixture(scope="module")
def stored(store: LocalBlobStore) -> bytes:
    return write(store, "fil_1", content(0, SIZE))


def test_nothing_of_the_content_is_stored_in_the_clear(store: LocalBlobStore, stored: bytes) -> None:
    assert all(content(at, 24) not in stored for at in range(0, SIZE, 4096))
    folder = path_of(store, "fil_1").parent
    assert folder.stat().st_mode & 0o077 == 0
    assert path_of(store, "fil_1").stat().st_mode & 0o077 == 0


@settings(max_examples=60, deadline=None)
@given(
    place=st.integers(0, HEADER_BYTES + 40) | st.integers(0, SIZE + HEADER_BYTES + 3 * OVERHEAD_BYTES - 1),
    bit=st.integers(0, 7),
)
def test_a_flipped_bit_is_refused(store: LocalBlobStore, stored: bytes, place: int, bit: int) -> None:
    changed = bytearray(stored)
    changed[place] ^= 1 << bit
    path_of(store, "fil_1").write_bytes(changed)
    with pytest.raises(BlobDamaged):
        read(store)
    path_of(store, "fil_1").write_bytes(stored)
    assert read(store) == content(0, SIZE)


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
    store: LocalBlobStore, stored: bytes, name: str
) -> None:
    path_of(store, "fil_1").write_bytes(CUTS[name](stored))
    with pytest.raises(BlobDamaged):
        read(store)
    path_of(store, "fil_1").write_bytes(stored)


def test_a_cut_is_found_on_opening_before_anything_is_served(store: LocalBlobStore, stored: bytes) -> None:
    for cut in (record_offset(1), record_offset(2), record_offset(2) + OVERHEAD_BYTES, len(stored) - 1):
        path_of(store, "fil_1").write_bytes(stored[:cut])
        with pytest.raises(BlobDamaged):
            store.reader("fil_1", KEY)
    path_of(store, "fil_1").write_bytes(stored)


def test_another_files_bytes_and_another_key_are_refused(store: LocalBlobStore, stored: bytes) -> None:
    other = write(store, "fil_2", content(7, SIZE))
    first, second = record_offset(0), record_offset(1)
    for mixed in (other, stored[:first] + other[first:second] + stored[second:], other[:first] + stored[first:]):
        path_of(store, "fil_1").write_bytes(mixed)
        with pytest.raises(BlobDamaged):
            read(store)
    path_of(store, "fil_1").write_bytes(stored)
    with pytest.raises(BlobDamaged):
        store.reader("fil_1", new_data_key())


def test_records_of_a_deleted_file_do_not_come_back_under_its_name(store: LocalBlobStore) -> None:
    old = write(store, "fil_3", b"o" * (CLEAR_BYTES + 5))
    store.delete("fil_3")
    new = write(store, "fil_3", b"n" * (CLEAR_BYTES + 5))
    first, second = record_offset(0), record_offset(1)
    path_of(store, "fil_3").write_bytes(new[:first] + old[first:second] + new[second:])
    with pytest.raises(BlobDamaged):
        read(store, "fil_3")


def test_a_writer_with_the_wrong_key_changes_nothing(store: LocalBlobStore) -> None:
    data = content(0, CLEAR_BYTES + 500)
    with store.writer("fil_4", KEY) as writer:
        writer.append(data)
        writer.sync()
    with pytest.raises(BlobDamaged):
        store.writer("fil_4", new_data_key())
    with store.writer("fil_4", KEY) as writer:
        assert writer.offset == len(data)
        writer.finish()
    assert read(store, "fil_4") == data
