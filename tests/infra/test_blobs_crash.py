"""What ``sync`` confirmed survives kills, torn writes and full disks; nothing else is taken for content."""

import hashlib
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.blobs.local import LocalBlobStore
from infra.blobs.local_writer import LocalWriter
from infra.blobs.paths import BlobPaths
from infra.blobs.records import CLEAR_BYTES, HEADER_BYTES, RECORD_BYTES, record_offset
from infra.blobs.store import BlobBusy, BlobDamaged, BlobInfo
from tests.infra.blob_writing import KEY, content

ROOT = Path(__file__).parents[2]


def start(*words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.infra.blob_writing", *map(str, words)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def paths(store: LocalBlobStore) -> BlobPaths:
    return BlobPaths.of(store._folder, "fil_1")


@pytest.fixture
def store(tmp_path: Path) -> LocalBlobStore:
    return LocalBlobStore(tmp_path)


def test_kills_lose_nothing_that_was_confirmed(tmp_path: Path) -> None:
    size, confirmed, kills = 48_000_000, 0, 0
    chance = random.Random(3)
    for seed in range(100):
        process = start("write", tmp_path, "fil_1", size, seed)
        assert process.stdout is not None
        word, value, *_ = process.stdout.readline().split()
        assert word == "open"
        assert int(value) >= confirmed
        if kills < 8:
            time.sleep(chance.uniform(0.005, 0.12))
            process.kill()
        lines = process.stdout.read().splitlines()
        process.wait(10)
        process.stdout.close()
        kills += process.returncode == -9
        said = [line.split() for line in lines]
        confirmed = max([confirmed, *(int(words[1]) for words in said if words[0] == "synced")])
        if said and said[-1][0] == "finished":
            break
    assert kills >= 3
    store, whole = LocalBlobStore(tmp_path), content(0, size)
    assert said[-1][1:] == [str(size), hashlib.sha256(whole).hexdigest()]
    with store.reader("fil_1", KEY) as reader:
        assert b"".join(reader.stream()) == whole
    assert [path.name for path in tmp_path.rglob("*.*")] == ["fil_1.blob"]


def test_a_killed_process_lets_go_of_its_file(store: LocalBlobStore, tmp_path: Path) -> None:
    process = start("write", tmp_path, "fil_1", 1 << 40, 1)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("open")
    with pytest.raises(BlobBusy):
        store.writer("fil_1", KEY)
    process.kill()
    process.communicate()
    store.writer("fil_1", KEY).close()


def confirmed_then_more(store: LocalBlobStore, confirmed: int, more: int) -> None:
    with store.writer("fil_1", KEY) as writer:
        writer.append(content(0, confirmed))
        assert writer.sync() == confirmed
        writer.append(content(confirmed, more))


def finish_from(writer: LocalWriter, size: int) -> BlobInfo:
    with writer:
        writer.append(content(writer.offset, size - writer.offset))
        return writer.finish()


@pytest.mark.parametrize("confirmed", [1, CLEAR_BYTES - 1, CLEAR_BYTES, 2 * CLEAR_BYTES + 9])
@pytest.mark.parametrize("loss", ["holes", "torn", "all", "garbage"])
def test_a_power_failure_costs_at_most_what_was_not_confirmed(store: LocalBlobStore, confirmed: int, loss: str) -> None:
    """Whatever the disk made of the records after those that the sync vouched for."""
    confirmed_then_more(store, confirmed, 3 * CLEAR_BYTES)
    part, vouched = paths(store).part, record_offset(confirmed // CLEAR_BYTES)
    raw = part.read_bytes()
    lost = {
        "holes": raw[:vouched] + bytes(RECORD_BYTES) + raw[vouched + RECORD_BYTES :],
        "torn": raw[: vouched + RECORD_BYTES - 1],
        "all": raw[:vouched],
        "garbage": raw[:vouched] + random.Random(1).randbytes(2 * RECORD_BYTES + 77),
    }[loss]
    part.write_bytes(lost)
    writer = store.writer("fil_1", KEY)
    assert writer.offset == confirmed
    size = 5 * CLEAR_BYTES + 3
    assert finish_from(writer, size).sha256 == hashlib.sha256(content(0, size)).hexdigest()


def test_a_torn_sync_falls_back_to_the_one_before(store: LocalBlobStore) -> None:
    with store.writer("fil_1", KEY) as writer:
        for confirmed in (1000, 5000):
            writer.append(content(writer.offset, confirmed - writer.offset))
            writer.sync()
    tail = bytearray(paths(store).tail.read_bytes())
    assert len(tail) > RECORD_BYTES
    tail[-1] ^= 1
    paths(store).tail.write_bytes(tail)
    with store.writer("fil_1", KEY) as writer:
        assert writer.offset == 1000
        writer.append(content(1000, 7000))
        assert writer.sync() == 8000
    with store.writer("fil_1", KEY) as writer:
        assert writer.offset == 8000


def test_a_file_that_never_reached_the_disk_begins_again(store: LocalBlobStore) -> None:
    for remains in (b"", b"OD", bytes(HEADER_BYTES), bytes(5 * HEADER_BYTES)):
        store.writer("fil_1", KEY).close()
        paths(store).part.write_bytes(remains)
        assert finish_from(store.writer("fil_1", KEY), 10).size == 10
        store.delete("fil_1")


def test_a_crash_between_the_last_record_and_the_name_can_be_finished(store: LocalBlobStore) -> None:
    size = CLEAR_BYTES + 77
    confirmed_then_more(store, size, 1)
    unfinished, tail = paths(store).part.read_bytes(), paths(store).tail.read_bytes()
    finish_from(store.writer("fil_1", KEY), size)
    done = paths(store).done.read_bytes()
    assert done[: len(unfinished)] == unfinished
    paths(store).done.unlink()
    paths(store).part.write_bytes(done)
    paths(store).tail.write_bytes(tail)
    writer = store.writer("fil_1", KEY)
    assert writer.offset == size
    assert writer.finish().sha256 == hashlib.sha256(content(0, size)).hexdigest()


def test_a_tail_that_lost_its_records_is_not_taken_up_again_later(store: LocalBlobStore) -> None:
    confirmed_then_more(store, CLEAR_BYTES + 900, 0)
    paths(store).part.write_bytes(paths(store).part.read_bytes()[:HEADER_BYTES])
    with store.writer("fil_1", KEY) as writer:
        assert writer.offset == 0
        writer.append(b"\0" * (CLEAR_BYTES + 5))
        writer.sync()
    with store.writer("fil_1", KEY) as writer:
        assert writer.offset == CLEAR_BYTES + 5
        writer.finish()
    with store.reader("fil_1", KEY) as reader:
        assert reader.read_at(CLEAR_BYTES, 100) == bytes(5)


def test_damage_within_what_was_confirmed_is_found_before_the_file_is_finished(store: LocalBlobStore) -> None:
    confirmed_then_more(store, 2 * CLEAR_BYTES + 9, 0)
    raw = bytearray(paths(store).part.read_bytes())
    raw[record_offset(0) + 500] ^= 1
    paths(store).part.write_bytes(raw)
    another_process = LocalBlobStore(store._folder)
    with another_process.writer("fil_1", KEY) as writer, pytest.raises(BlobDamaged):
        writer.finish()
    assert not store.exists("fil_1")


def test_a_full_disk_is_told_and_keeps_what_was_confirmed(store: LocalBlobStore, tmp_path: Path) -> None:
    process = start("full", tmp_path, "fil_1", 3_500_000)
    output, _ = process.communicate(timeout=30)
    *synced, full = output.splitlines()
    assert full == "full 507"
    confirmed = int(synced[-1].removeprefix("synced "))
    writer = store.writer("fil_1", KEY)
    assert writer.offset >= confirmed > CLEAR_BYTES
    size = 6 * CLEAR_BYTES
    assert finish_from(writer, size).sha256 == hashlib.sha256(content(0, size)).hexdigest()


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    size = 150 * CLEAR_BYTES
    output, _ = start("measure", tmp_path, "fil_1", size).communicate(timeout=60)
    before, after, read = map(int, output.split())
    assert read == size
    assert after - before < 24 * 1024
