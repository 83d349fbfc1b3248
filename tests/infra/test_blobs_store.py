"""Files come back as they went in: any size, any pieces, any range; one writer at a time."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.blobs.records import CLEAR_BYTES, RecordCipher
from infra.blobs.store import (
    BlobBusy,
    BlobFinished,
    BlobIdRefused,
    BlobInfo,
    BlobMissing,
    BlobReader,
    BlobStore,
    BlobWriter,
    StorageFailed,
    StorageFull,
)
from tests.infra.blob_stores import LocalShelf, NewShelf, Shelf, new_moto_shelf, new_s3_shelf, new_shelf, shelf, written
from tests.infra.blob_writing import KEY, content

__all__ = ["new_moto_shelf", "new_s3_shelf", "new_shelf", "shelf"]

SIZE = 2 * CLEAR_BYTES + 345_678


@pytest.fixture
def store(shelf: Shelf) -> BlobStore:
    return shelf.store


@pytest.fixture(scope="module")
def reader(new_shelf: NewShelf) -> Iterator[BlobReader]:
    store = new_shelf().store
    written(store, "fil_1", content(0, SIZE))
    with store.reader("fil_1", KEY) as reader:
        yield reader


@pytest.mark.parametrize(
    "size", [0, 1, CLEAR_BYTES - 1, CLEAR_BYTES, CLEAR_BYTES + 1, 2 * CLEAR_BYTES, 3 * CLEAR_BYTES + 7]
)
def test_every_size_comes_back_with_its_hash(store: BlobStore, size: int) -> None:
    data = content(0, size) if size else b""
    info = written(store, "fil_1", data)
    assert info == BlobInfo(size, hashlib.sha256(data).hexdigest())
    with store.reader("fil_1", KEY) as reader:
        assert reader.size == size
        assert reader.read_at(0, size + 10) == data
        assert b"".join(reader.stream()) == data
        assert reader.info() == info
        assert reader.read_at(size, 5) == b""


def test_pieces_and_pauses_leave_no_trace(new_shelf: NewShelf) -> None:
    lengths = st.integers(0, 900_000) | st.sampled_from([CLEAR_BYTES, 2 * CLEAR_BYTES])

    @settings(max_examples=20 if isinstance(new_shelf(), LocalShelf) else 4, deadline=None)
    @given(st.lists(lengths, max_size=6), st.data())
    def check(pieces: list[int], data: st.DataObject) -> None:
        shelf = new_shelf()
        store = shelf.store
        writer, total = store.writer("fil_1", KEY), 0
        for piece in pieces:
            assert writer.append(memoryview(content(total, piece) if piece else b"")) == total + piece
            total += piece
            pause = data.draw(st.sampled_from(["no", "sync", "reopen"]))
            if pause != "no":
                assert writer.sync() == total
            if pause == "reopen":
                writer.close()
                writer = store.writer("fil_1", KEY)
                assert writer.offset == total
        expected = content(0, total) if total else b""
        assert writer.finish() == BlobInfo(total, hashlib.sha256(expected).hexdigest())
        with store.reader("fil_1", KEY) as reader:
            assert b"".join(reader.stream()) == expected
        assert shelf.names() == ["fil_1.blob"]

    check()


def test_any_range_reads_as_the_content_has_it(new_shelf: NewShelf, reader: BlobReader) -> None:
    @settings(max_examples=60 if isinstance(new_shelf(), LocalShelf) else 20, deadline=None)
    @given(offset=st.integers(0, SIZE + 10), length=st.integers(0, SIZE + 10) | st.integers(0, 600))
    def check(offset: int, length: int) -> None:
        end = max(offset, min(SIZE, offset + length))
        expected = content(0, SIZE)[offset:end]
        assert reader.read_at(offset, length) == expected
        pieces = list(reader.stream(offset, length))
        assert b"".join(pieces) == expected
        assert all(0 < len(piece) <= CLEAR_BYTES for piece in pieces)

    check()


def test_ranges_before_the_start_are_refused(reader: BlobReader) -> None:
    for offset, length in ((-1, 5), (0, -1)):
        with pytest.raises(ValueError, match="start of the file"):
            reader.read_at(offset, length)


def test_threads_may_share_a_reader(reader: BlobReader) -> None:
    whole = content(0, SIZE)
    places = [(place * 7919) % SIZE for place in range(400)]
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda at: reader.read_at(at, 3000) == whole[at : at + 3000], places))


def test_of_writers_at_once_exactly_one_wins(shelf: Shelf, store: BlobStore) -> None:
    for turn in range(10 if isinstance(shelf, LocalShelf) else 4):
        barrier = threading.Barrier(6)

        def attempt(_: int, blob_id: str = f"fil_{turn}", barrier: threading.Barrier = barrier) -> BlobWriter | None:
            barrier.wait()
            try:
                return store.writer(blob_id, KEY)
            except BlobBusy:
                return None

        with ThreadPoolExecutor(6) as pool:
            winners = [writer for writer in pool.map(attempt, range(6)) if writer is not None]
        assert len(winners) == 1
        winners[0].append(b"mine")
        winners[0].finish()
        with pytest.raises(BlobFinished):
            store.writer(f"fil_{turn}", KEY)


def test_writers_that_race_with_a_finish_never_make_a_second_file(shelf: Shelf, store: BlobStore) -> None:
    for turn in range(20 if isinstance(shelf, LocalShelf) else 5):
        blob_id = f"fil_{turn}"
        writer = store.writer(blob_id, KEY)
        writer.append(b"whole")

        def attempt(blob_id: str = blob_id) -> None:
            for _ in range(30):
                try:
                    store.writer(blob_id, KEY).close()
                except BlobBusy:
                    continue
                except BlobFinished:
                    return

        with ThreadPoolExecutor(2) as pool:
            racing = [pool.submit(attempt) for _ in range(2)]
            writer.finish()
            for race in racing:
                race.result()
        with store.reader(blob_id, KEY) as reader:
            assert reader.read_at(0, 9) == b"whole"
    assert all(name.endswith(".blob") for name in shelf.names())


def test_a_file_that_one_process_sent_in_parts_is_not_read_again_when_it_is_finished(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for end in (700_000, CLEAR_BYTES + 9, SIZE):
        with store.writer("fil_1", KEY) as writer:
            writer.append(content(writer.offset, end - writer.offset))
            writer.sync()
    with store.writer("fil_1", KEY) as writer:
        writer.sync()  # whoever asks how far it is
    with store.writer("fil_1", KEY) as writer, monkeypatch.context() as patched:
        patched.delattr(RecordCipher, "open")
        assert writer.finish() == BlobInfo(SIZE, hashlib.sha256(content(0, SIZE)).hexdigest())


def test_a_hash_is_kept_for_the_very_file_and_place(store: BlobStore) -> None:
    with store.writer("fil_1", KEY) as writer:
        writer.append(b"a" * 1000)
        writer.sync()
        writer.append(b"never confirmed")
    store.delete("fil_1")
    with store.writer("fil_1", KEY) as writer:
        writer.append(b"b" * 1000)
        writer.sync()
    with store.writer("fil_1", KEY) as writer:
        assert writer.finish().sha256 == hashlib.sha256(b"b" * 1000).hexdigest()


def test_what_goes_wrong_beside_an_append_shows_before_anything_is_confirmed(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "no space")

    with store.writer("fil_1", KEY) as writer:
        writer.append(content(0, 5000))
        assert writer.sync() == 5000
        with monkeypatch.context() as patched:
            patched.setattr(RecordCipher, "seal_into", fail)
            writer.append(content(5000, 2 * CLEAR_BYTES))
            with pytest.raises((StorageFull, OSError)):
                writer.sync()
        with pytest.raises(StorageFailed):
            writer.finish()
    with store.writer("fil_1", KEY) as writer:
        assert writer.offset == 5000
        writer.append(content(5000, SIZE - 5000))
        assert writer.finish().sha256 == hashlib.sha256(content(0, SIZE)).hexdigest()


def test_a_large_file_comes_back_after_pauses(store: BlobStore) -> None:
    size = 17 * CLEAR_BYTES + 5
    with store.writer("fil_1", KEY) as writer:
        for end in (9 * CLEAR_BYTES, size):
            writer.append(content(writer.offset, end - writer.offset))
            writer.sync()
        assert writer.finish() == BlobInfo(size, hashlib.sha256(content(0, size)).hexdigest())
    with store.reader("fil_1", KEY) as reader:
        assert b"".join(reader.stream()) == content(0, size)


def test_an_unfinished_file_is_not_readable(store: BlobStore) -> None:
    with store.writer("fil_1", KEY) as writer:
        writer.append(b"x" * 100)
        writer.sync()
        assert not store.exists("fil_1")
        with pytest.raises(BlobMissing):
            store.reader("fil_1", KEY)
        writer.finish()
    assert store.exists("fil_1")


def test_aborted_and_deleted_files_leave_nothing(shelf: Shelf, store: BlobStore) -> None:
    writer = store.writer("fil_1", KEY)
    writer.append(content(0, CLEAR_BYTES + 5))
    writer.sync()
    writer.abort()
    assert shelf.names() == []
    with store.writer("fil_1", KEY) as again:
        assert again.offset == 0

    written(store, "fil_2", b"done")
    store.delete("fil_1")
    store.delete("fil_2")
    store.delete("fil_never")
    assert shelf.names() == []
    assert not store.exists("fil_2")
    with pytest.raises(BlobMissing):
        store.reader("fil_2", KEY)


def test_a_file_deleted_while_it_is_written_cannot_be_finished(store: BlobStore) -> None:
    writer = store.writer("fil_1", KEY)
    writer.append(b"x" * 10)
    store.delete("fil_1")
    with store.writer("fil_1", KEY) as second, pytest.raises(BlobMissing):
        second.append(b"second")
        second.sync()
        writer.append(b"x" * 10)
        writer.finish()
    writer.abort()
    with store.writer("fil_1", KEY) as third:
        assert third.offset == len(b"second")


def test_a_closed_writer_goes_no_further(store: BlobStore) -> None:
    writer = store.writer("fil_1", KEY)
    writer.close()
    writer.close()
    for act in (writer.sync, writer.finish, lambda: writer.append(b"x")):
        with pytest.raises(StorageFailed):
            act()


@pytest.mark.parametrize(
    "blob_id",
    ["", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", "a\0b", "a\n", "A", "-a", "_a", "é", "a.part", "a" * 101],
)
def test_ids_that_are_no_plain_names_are_refused(shelf: Shelf, store: BlobStore, blob_id: str) -> None:
    for act in (
        lambda: store.writer(blob_id, KEY),
        lambda: store.reader(blob_id, KEY),
        lambda: store.delete(blob_id),
        lambda: store.exists(blob_id),
    ):
        with pytest.raises(BlobIdRefused):
            act()
    assert shelf.names() == []


def test_a_store_that_answers_passes_its_probe_and_keeps_nothing_of_it(shelf: Shelf) -> None:
    shelf.store.probe()
    assert shelf.names() == []
