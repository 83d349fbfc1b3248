"""Files that share a blob: each reads its own part, and the blob goes with the last of them."""

import hashlib
from pathlib import Path

import pytest

from infra.blobs.local import LocalBlobStore
from infra.blobs.store import BlobDamaged
from infra.stored_files import let_go_of, open_stored
from schemas.tables.imaging import StoredFile
from tests.world import World, sqlite_world

KEY = bytes(32)
CONTENT = bytes(range(256)) * 9000  # over two records of 1 MiB


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobStore:
    store = LocalBlobStore(tmp_path / "blobs")
    with store.writer("pack", KEY) as writer:
        writer.append(CONTENT)
        writer.finish()
    return store


def part(begin: int, size: int) -> StoredFile:
    return StoredFile(blob_id="pack", blob_offset=begin, size=size)


@pytest.mark.parametrize(("begin", "size"), [(0, 10), (1_048_570, 20), (7, 2_000_000), (len(CONTENT) - 5, 5), (30, 0)])
def test_a_part_reads_as_a_file_of_its_own(blobs: LocalBlobStore, begin: int, size: int) -> None:
    mine = CONTENT[begin : begin + size]
    with open_stored(blobs, part(begin, size), KEY) as reader:
        assert reader.size == size
        assert b"".join(reader.stream()) == mine
        assert reader.read_at(3, 5) == mine[3:8]
        assert reader.read_at(max(size - 2, 0), 100) == mine[max(size - 2, 0) :], "not a byte of the next file"
        assert reader.read_at(size + 1, 4) == b""
        assert reader.info().sha256 == hashlib.sha256(mine).hexdigest()


def test_the_whole_blob_is_a_file_too(blobs: LocalBlobStore) -> None:
    with open_stored(blobs, part(0, len(CONTENT)), KEY) as reader:
        assert reader.info().sha256 == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize(("begin", "size"), [(-1, 5), (len(CONTENT), 1), (0, len(CONTENT) + 1)])
def test_a_part_beyond_its_blob_is_damage(blobs: LocalBlobStore, begin: int, size: int) -> None:
    with pytest.raises(BlobDamaged):
        open_stored(blobs, part(begin, size), KEY)


def test_a_negative_place_is_refused(blobs: LocalBlobStore) -> None:
    with open_stored(blobs, part(100, 50), KEY) as reader, pytest.raises(ValueError, match="offset"):
        reader.read_at(-20, 10)


def test_a_shared_blob_stays_until_its_last_file_is_removed(tmp_path: Path) -> None:
    with sqlite_world(tmp_path) as world:
        _share_and_remove(world)


def _share_and_remove(world: World) -> None:
    case = world.add_case()
    first, second, alone = (world.add_file(case).id for _ in range(3))
    with world.database.write() as session:
        files = {file_id: session.get_one(StoredFile, file_id) for file_id in (first, second, alone)}
        files[second].blob_id = files[first].blob_id
        files[first].state = files[alone].state = "removed"
        session.flush()
        assert let_go_of(session, [files[first], files[alone]]) == [alone]
        files[second].state = "removed"
        session.flush()
        assert let_go_of(session, [files[second]]) == [first]
