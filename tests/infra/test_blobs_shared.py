"""Readers that several share: opened once, never closed under somebody's hands, and gone soon after."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.blobs.local import LocalBlobStore
from infra.blobs.reading import RecordReader
from infra.blobs.shared import SharedReaders
from infra.blobs.store import BlobMissing
from tests.infra.blob_writing import KEY


class Counted(RecordReader):
    def __init__(self) -> None:
        self.is_open = True
        self.rested = 0

    @property
    def size(self) -> int:
        return 3

    def _pieces(self, offset: int, end: int) -> Iterator[bytes]:
        assert self.is_open
        yield b"abc"[offset:end]

    def rest(self) -> None:
        self.rested += 1

    def close(self) -> None:
        assert self.is_open
        self.is_open = False


@dataclass
class Bench:
    opened: list[Counted] = field(default_factory=list)
    moment: float = 0.0

    def open(self, blob_id: str, key: bytes) -> Counted:
        self.opened.append(Counted())
        return self.opened[-1]

    def shared(self) -> SharedReaders:
        return SharedReaders(self.open, lambda: self.moment)


def test_a_file_is_opened_once_for_all_who_read_it_and_for_a_moment_after() -> None:
    bench = Bench()
    shared = bench.shared()
    with shared.get("fil_1", KEY) as first, shared.get("fil_1", KEY) as second:
        assert (first.read_at(0, 9), second.read_at(1, 1)) == (b"abc", b"b")
    with shared.get("fil_1", KEY):
        assert len(bench.opened) == 1
    assert bench.opened[0].rested == 2
    bench.moment = 11.0
    with shared.get("fil_1", KEY):
        assert [each.is_open for each in bench.opened] == [False, True]


def test_another_key_is_another_reader() -> None:
    bench = Bench()
    shared = bench.shared()
    with shared.get("fil_1", KEY), shared.get("fil_1", b"x" * 32):
        assert len(bench.opened) == 2


def test_what_is_deleted_or_one_too_many_is_closed_when_its_last_reader_is_done() -> None:
    bench = Bench()
    shared = bench.shared()
    with shared.get("fil_1", KEY) as reader:
        shared.forget("fil_1")
        assert reader.read_at(0, 3) == b"abc"
        with shared.get("fil_1", KEY):
            assert len(bench.opened) == 2
    assert not bench.opened[0].is_open
    reader.close()
    for number in range(20):
        shared.get(f"fil_{number + 2}", KEY).close()
    assert sum(each.is_open for each in bench.opened) <= 9


def test_many_threads_share_one_reader_and_none_finds_it_closed() -> None:
    bench = Bench()
    shared = bench.shared()

    def read(number: int) -> bytes:
        if number % 50 == 49:
            shared.forget("fil_1")
        with shared.get("fil_1", KEY) as reader:
            return reader.read_at(0, 3)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(read, range(1000))) == {b"abc"}


def open_files(folder: Path) -> list[str]:
    links = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [target.name for target in links if target.is_relative_to(folder)]


def test_a_file_is_open_while_it_is_read_and_a_deleted_file_is_missing_to_the_next_who_asks(tmp_path: Path) -> None:
    store = LocalBlobStore(tmp_path)
    with store.writer("fil_1", KEY) as writer:
        writer.append(b"abc")
        writer.finish()
    with store.shared("fil_1", KEY) as reader:
        assert reader.read_at(0, 3) == b"abc"
        assert open_files(tmp_path)
    assert not open_files(tmp_path)
    with store.shared("fil_1", KEY) as reader:
        assert reader.read_at(1, 1) == b"b"
    store.delete("fil_1")
    with pytest.raises(BlobMissing):
        store.shared("fil_1", KEY)
