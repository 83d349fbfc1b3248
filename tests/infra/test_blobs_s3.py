"""The S3 store on a real server: parts, kills, checksums, leases, and a storage that is away, full or refuses."""

import hashlib
import json
import logging
import random
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlmodel import col, select, update

from infra.blobs import bucket, leases, s3
from infra.blobs.bucket import Bucket
from infra.blobs.local import LocalBlobStore
from infra.blobs.paths import BlobPaths
from infra.blobs.records import CLEAR_BYTES, shape_of
from infra.blobs.s3_names import S3Names
from infra.blobs.s3_writer import PART_BYTES
from infra.blobs.store import (
    BlobBusy,
    BlobDamaged,
    BlobFinished,
    BlobInfo,
    BlobMissing,
    StorageFailed,
    StorageFull,
)
from infra.database import now
from infra.settings import Settings
from schemas.errors import OdontoError
from schemas.tables.blob_leases import BlobLease
from tests.infra.blob_stores import S3Shelf, new_s3_shelf, written
from tests.infra.blob_writing import KEY, content
from tests.servers.seaweedfs import SeaweedFS
from worker.up.engine import free_port

__all__ = ["new_s3_shelf"]

ROOT = Path(__file__).parents[2]
SIZE = 17 * CLEAR_BYTES + 4321
"""Three parts, the last one short."""


@pytest.fixture
def shelf(new_s3_shelf: Callable[[], S3Shelf]) -> S3Shelf:
    return new_s3_shelf()


def digest(size: int) -> str:
    return hashlib.sha256(content(0, size)).hexdigest()


def lapse(shelf: S3Shelf) -> None:
    """What time does to the lease of a writer that was killed or sleeps."""
    with shelf.database.write() as session:
        session.exec(update(BlobLease).values(until=now() - timedelta(seconds=1)))


def go_on(shelf: S3Shelf, size: int, *, at: int) -> BlobInfo:
    """Another process sends the rest."""
    with shelf.another_process().writer("fil_1", KEY) as writer:
        assert writer.offset == at
        writer.append(content(at, size - at))
        return writer.finish()


def test_a_large_file_is_sent_in_parts_and_is_what_the_local_store_keeps(shelf: S3Shelf, tmp_path: Path) -> None:
    assert PART_BYTES >= 8 << 20
    confirmed = 9 * CLEAR_BYTES + 77
    with shelf.store.writer("fil_1", KEY) as writer:
        writer.append(content(0, confirmed))
        assert writer.sync() == confirmed
    (upload,) = shelf.bucket.unfinished()
    assert list(shelf.bucket.parts(upload.name, upload.upload_id)) == [1]
    assert go_on(shelf, SIZE, at=confirmed) == BlobInfo(SIZE, digest(SIZE))
    assert shelf.names() == ["fil_1.blob"]
    with shelf.store.reader("fil_1", KEY) as reader:
        assert reader.info().sha256 == digest(SIZE)

    stored = shelf.stored("fil_1")
    assert shape_of(len(stored)).size == SIZE
    local = LocalBlobStore(tmp_path)
    path = BlobPaths.of(tmp_path, "fil_1").done
    path.parent.mkdir()
    path.write_bytes(stored)
    with local.reader("fil_1", KEY) as copied:
        assert copied.info().sha256 == digest(SIZE)


@pytest.mark.parametrize("size", [8 * CLEAR_BYTES - 100, 8 * CLEAR_BYTES - 80, 8 * CLEAR_BYTES, 16 * CLEAR_BYTES])
def test_a_file_may_end_anywhere_about_the_end_of_a_part(shelf: S3Shelf, size: int) -> None:
    assert written(shelf.store, "fil_1", content(0, size)) == BlobInfo(size, digest(size))
    with shelf.store.reader("fil_1", KEY) as reader:
        assert reader.read_at(size - 100, 200) == content(size - 100, 100)
    assert shelf.names() == ["fil_1.blob"]


def test_kills_lose_nothing_that_was_confirmed(shelf: S3Shelf) -> None:
    where = shelf.settings.model_copy(update={"s3_secret_access_key": None}).model_dump(mode="json")
    secret = shelf.settings.s3_secret_access_key
    assert secret is not None
    where["s3_secret_access_key"] = secret.get_secret_value()
    confirmed, kills, said = 0, 0, [[""]]
    chance = random.Random(5)
    for seed in range(20):
        lapse(shelf)
        command = [sys.executable, "-m", "tests.infra.blob_writing", "write", json.dumps(where), "fil_1", str(SIZE)]
        with subprocess.Popen([*command, str(seed)], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            word, value = process.stdout.readline().split()
            assert word == "open"
            assert int(value) >= confirmed
            if kills < 2:
                time.sleep(chance.uniform(0.01, 0.3))
                process.kill()
            said = [line.split() for line in process.stdout.read().splitlines()]
        kills += process.returncode == -9
        confirmed = max([confirmed, *(int(words[1]) for words in said if words[0] == "synced")])
        if said and said[-1][0] == "finished":
            break
    assert kills >= 1
    assert said[-1][1:] == [str(SIZE), digest(SIZE)]
    assert "fil_1.blob" in shelf.names()
    with shelf.store.reader("fil_1", KEY) as reader:
        assert reader.info().sha256 == digest(SIZE)


def test_bytes_that_changed_on_their_way_are_refused_and_can_be_sent_again(
    shelf: S3Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shelf.store.writer("fil_1", KEY) as writer:
        writer.append(content(0, 5000))
        writer.sync()
    of = bucket._checksum
    with monkeypatch.context() as patched:
        patched.setattr(bucket, "_checksum", lambda data: of(bytes(data) + b"!"))
        with shelf.store.writer("fil_1", KEY) as writer, pytest.raises(StorageFailed):
            writer.append(content(5000, SIZE - 5000))
            writer.sync()
        with pytest.raises(StorageFailed):
            written(shelf.store, "fil_2", b"x")
    assert not shelf.store.exists("fil_2")
    assert go_on(shelf, SIZE, at=5000).sha256 == digest(SIZE)


def test_a_writer_that_slept_through_its_lease_confirms_nothing_more(shelf: S3Shelf) -> None:
    late = shelf.store.writer("fil_1", KEY)
    late.append(content(0, 1000))
    assert late.sync() == 1000
    with pytest.raises(BlobBusy):
        shelf.another_process().writer("fil_1", KEY)
    lapse(shelf)
    with shelf.another_process().writer("fil_1", KEY) as writer:
        assert writer.offset == 1000
        writer.append(content(1000, 4000))
        assert writer.sync() == 5000
        late.append(b"something else")
        with pytest.raises(StorageFailed):
            late.sync()
        late.close()
    second = shelf.store.writer("fil_1", KEY)
    lapse(shelf)
    assert go_on(shelf, SIZE, at=5000).sha256 == digest(SIZE)
    with pytest.raises(BlobMissing):
        second.finish()
    with shelf.store.reader("fil_1", KEY) as reader:
        assert reader.info().sha256 == digest(SIZE)
    assert shelf.names() == ["fil_1.blob"]


def test_a_lease_lasts_while_its_writer_lives_and_lapses_after_it(
    shelf: S3Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "_RENEWAL_SECONDS", 0.05)
    writer = shelf.store.writer("fil_1", KEY)
    lapse(shelf)

    def until() -> bool:
        with shelf.database.read() as session:
            return session.exec(select(col(BlobLease.until))).one() > now()

    deadline = time.monotonic() + 20
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with pytest.raises(BlobBusy):
        shelf.another_process().writer("fil_1", KEY)
    writer.close()
    shelf.another_process().writer("fil_1", KEY).close()
    with shelf.database.read() as session:
        assert session.exec(select(BlobLease)).all() == [], "nothing was confirmed, so nothing is kept"
    assert timedelta(seconds=1) < leases.LIFE <= timedelta(seconds=10)


def test_a_file_deleted_in_the_last_moment_of_its_end_is_gone(shelf: S3Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    put = Bucket.put

    def delete_then_put(self: Bucket, name: str, data: bytes, *, once: bool = False) -> None:
        if once:
            shelf.store.delete("fil_1")
        put(self, name, data, once=once)

    writer = shelf.store.writer("fil_1", KEY)
    writer.append(b"x")
    monkeypatch.setattr(Bucket, "put", delete_then_put)
    with pytest.raises(BlobMissing):
        writer.finish()
    assert shelf.names() == []


@pytest.mark.parametrize("size", [1000, SIZE])
def test_an_end_whose_answer_was_lost_is_an_end(shelf: S3Shelf, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    once = Bucket._once

    def twice(self: Bucket, call: object, only_once: bool, **arguments: object) -> None:
        once(self, call, only_once, **arguments)
        if only_once:
            once(self, call, only_once, **arguments)

    monkeypatch.setattr(Bucket, "_once", twice)
    assert written(shelf.store, "fil_1", content(0, size)).sha256 == digest(size)
    with pytest.raises(BlobFinished):
        shelf.store.writer("fil_1", KEY)


def test_a_process_killed_after_the_end_leaves_a_finished_file_and_nothing_else(
    shelf: S3Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shelf.store.writer("fil_1", KEY) as writer:
        writer.append(content(0, 5000))
        writer.sync()
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(leases.Leases, "end", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            writer.finish()
    lapse(shelf)
    with pytest.raises(BlobFinished):
        shelf.another_process().writer("fil_1", KEY)
    assert shelf.names() == ["fil_1.blob"]


def test_a_storage_that_lost_parts_or_the_tail_begins_the_file_again(shelf: S3Shelf) -> None:
    def confirm() -> None:
        with shelf.store.writer("fil_1", KEY) as writer:
            writer.append(content(writer.offset, 10 * CLEAR_BYTES))
            writer.sync()

    confirm()
    (upload,) = shelf.bucket.unfinished()
    shelf.bucket.give_up(upload.name, upload.upload_id)
    with shelf.another_process().writer("fil_1", KEY) as writer:
        assert writer.offset == 0
    confirm()
    for name in shelf.bucket.names(S3Names.of("fil_1").tails):
        shelf.bucket.delete(name)
    assert go_on(shelf, 9000, at=0).sha256 == digest(9000)


def test_a_tail_that_was_changed_is_refused(shelf: S3Shelf) -> None:
    with shelf.store.writer("fil_1", KEY) as writer:
        writer.append(content(0, CLEAR_BYTES + 5000))
        writer.sync()
    (name,) = shelf.bucket.names(S3Names.of("fil_1").tails)
    tail = shelf.bucket.get(name)
    assert content(500, 24) not in tail
    for place in (0, 40, 55, 70, len(tail) - 1):
        changed = bytearray(tail)
        changed[place] ^= 4
        shelf.bucket.put(name, bytes(changed))
        with pytest.raises(BlobDamaged):
            shelf.store.writer("fil_1", KEY)
    shelf.bucket.put(name, tail)
    assert go_on(shelf, SIZE, at=CLEAR_BYTES + 5000).sha256 == digest(SIZE)


def test_forgotten_uploads_are_swept_and_those_somebody_may_go_on_with_are_not(
    shelf: S3Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shelf.store.writer("fil_1", KEY) as writer:
        writer.append(content(0, 10 * CLEAR_BYTES))
        writer.sync()
    shelf.bucket.begin(S3Names.of("fil_forgotten").done)
    assert shelf.store.sweep() == 0, "it may be a moment old"
    monkeypatch.setattr(s3, "_FORGOTTEN_AFTER", timedelta(days=-1))
    assert shelf.store.sweep() == 1
    assert [name for name in shelf.names() if name.endswith("?")] == ["fil_1.blob?"]
    shelf.store.delete("fil_1")
    assert shelf.names() == []


def test_a_reader_stays_with_the_file_that_it_opened(shelf: S3Shelf) -> None:
    written(shelf.store, "fil_1", content(0, 3 * CLEAR_BYTES))
    with shelf.store.reader("fil_1", KEY) as reader:
        shelf.store.delete("fil_1")
        written(shelf.store, "fil_1", content(7, 3 * CLEAR_BYTES))
        with pytest.raises(BlobMissing):
            reader.read_at(CLEAR_BYTES + 5, 10)


def test_memory_does_not_grow_with_the_file(shelf: S3Shelf) -> None:
    piece, size = bytes(CLEAR_BYTES), 50 * CLEAR_BYTES
    written(shelf.store, "fil_0", piece)
    tracemalloc.start()
    try:
        with shelf.store.writer("fil_1", KEY) as writer:
            while writer.offset < size:
                writer.append(piece)
            writer.finish()
        with shelf.store.reader("fil_1", KEY) as reader:
            assert sum(len(part) for part in reader.stream()) == size
        assert tracemalloc.get_traced_memory()[1] < 40 << 20
    finally:
        tracemalloc.stop()


def acts_of(settings: Settings, shelf: S3Shelf) -> list[Callable[[], object]]:
    store = s3.S3BlobStore(Bucket(settings), leases.Leases(shelf.database))
    return [
        store.probe,
        lambda: store.exists("fil_1"),
        lambda: store.reader("fil_1", KEY),
        lambda: store.delete("fil_1"),
        lambda: written(store, "fil_1", b"x"),
    ]


def test_a_storage_that_is_away_or_refuses_is_told_soon(
    shelf: S3Shelf, seaweedfs: SeaweedFS, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong: dict[str, dict[str, object]] = {
        "away": {"s3_endpoint": f"http://127.0.0.1:{free_port()}"},
        "another key": {"s3_secret_access_key": SecretStr("not-its-secret")},
        "another bucket": {"s3_bucket": "not-there"},
    }
    for name, change in wrong.items():
        for act in acts_of(shelf.settings.model_copy(update=change), shelf)[: 1 if name == "another bucket" else None]:
            began = time.monotonic()
            with pytest.raises(StorageFailed) as raised:
                act()
            assert time.monotonic() - began < 5, name
            assert seaweedfs.secret_key not in str(raised.value) + repr(raised.value.facts)
    written(shelf.store, "fil_1", b"x")
    assert seaweedfs.secret_key not in caplog.text
    assert "not-its-secret" not in caplog.text
    assert seaweedfs.secret_key not in repr(shelf.settings)
    with shelf.database.read() as session:
        assert session.exec(select(BlobLease)).all() == [], "whoever failed holds nothing"


@pytest.fixture
def refusing() -> Iterator[Callable[[int, str], str]]:
    """Starts a storage that answers everything so; returns its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(status: int, code: str) -> str:
        class Refusal(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_HEAD(self) -> None:
                self.send_response(404)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "code", "fact"),
    [
        (507, "InsufficientStorage", StorageFull),
        (507, "XMinioStorageFull", StorageFull),
        (403, "QuotaExceeded", StorageFull),
        (503, "SlowDown", StorageFailed),
        (500, "InternalError", StorageFailed),
    ],
)
def test_a_storage_that_is_full_is_told_apart_from_one_that_fails(
    shelf: S3Shelf, refusing: Callable[[int, str], str], status: int, code: str, fact: type[OdontoError]
) -> None:
    settings = shelf.settings.model_copy(update={"s3_endpoint": refusing(status, code)})
    *_, write = acts_of(settings, shelf)
    began = time.monotonic()
    with pytest.raises(fact):
        write()
    assert time.monotonic() - began < 5


def test_a_storage_without_conditional_writes_is_written_all_the_same(
    shelf: S3Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import ClientError

    once = Bucket._once
    asked: list[bool] = []

    def unknown(self: Bucket, call: Callable[..., object], only_once: bool, **arguments: object) -> None:
        def refuse_conditions(**given: object) -> None:
            if "IfNoneMatch" in given:
                asked.append(True)
                raise ClientError({"Error": {"Code": "NotImplemented"}}, "PutObject")
            call(**given)

        once(self, refuse_conditions, only_once, **arguments)

    monkeypatch.setattr(Bucket, "_once", unknown)
    assert written(shelf.store, "fil_1", content(0, SIZE)).sha256 == digest(SIZE)
    assert asked
