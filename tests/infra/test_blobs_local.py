"""What is the local store's own: its lock is the file's, its storage a folder."""

import fcntl
from pathlib import Path

import pytest

from infra.blobs.local import LocalBlobStore
from infra.blobs.opening import open_blobs
from infra.blobs.store import StorageFailed
from infra.database import Database
from infra.settings import Settings
from tests.infra.blob_stores import written
from tests.infra.databases import sqlite_database, sqlite_engine

__all__ = ["sqlite_database", "sqlite_engine"]


@pytest.fixture
def store(tmp_path: Path) -> LocalBlobStore:
    return LocalBlobStore(tmp_path / "blobs")


def test_a_file_removed_between_opening_and_locking_is_opened_anew(
    store: LocalBlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock
    removed: list[int] = []

    def remove_once_then_lock(descriptor: int, operation: int) -> None:
        if not removed:
            removed.append(descriptor)
            store.delete("fil_1")
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", remove_once_then_lock)
    assert written(store, "fil_1", b"kept").size == 4
    assert removed
    assert store.exists("fil_1")


def test_a_folder_that_is_away_fails_the_probe(store: LocalBlobStore, tmp_path: Path) -> None:
    store.probe()
    (tmp_path / "blobs").rename(tmp_path / "elsewhere")
    with pytest.raises(StorageFailed):
        store.probe()


def test_an_installation_without_further_settings_keeps_its_files_at_home(
    tmp_path: Path, sqlite_database: Database
) -> None:
    written(open_blobs(Settings(home=tmp_path), sqlite_database), "fil_1", b"x")
    assert [path.name for path in (tmp_path / "blobs").rglob("*.blob")] == ["fil_1.blob"]
