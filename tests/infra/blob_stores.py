"""Every blob store, empty and with a way to look behind it, for the tests that all of them pass."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from infra.blobs.local import LocalBlobStore
from infra.blobs.paths import BlobPaths
from infra.blobs.store import BlobInfo, BlobStore
from tests.infra.blob_writing import KEY


class Shelf(Protocol):
    """A store of a test's own."""

    @property
    def store(self) -> BlobStore: ...

    def names(self) -> list[str]:
        """Of all that is stored, unfinished files too, sorted."""
        ...

    def stored(self, blob_id: str) -> bytes:
        """What lies in the storage of a finished file."""
        ...

    def replace(self, blob_id: str, stored: bytes) -> None:
        """What somebody else with access to the storage can do."""
        ...


NewShelf = Callable[[], Shelf]


class LocalShelf:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store: BlobStore = LocalBlobStore(folder)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())

    def stored(self, blob_id: str) -> bytes:
        return BlobPaths.of(self.folder, blob_id).done.read_bytes()

    def replace(self, blob_id: str, stored: bytes) -> None:
        BlobPaths.of(self.folder, blob_id).done.write_bytes(stored)


@pytest.fixture(scope="module", params=["local"])
def new_shelf(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewShelf:
    """Makes empty stores; usable from tests that draw many examples."""
    return lambda: LocalShelf(tmp_path_factory.mktemp("blobs"))


@pytest.fixture
def shelf(new_shelf: NewShelf) -> Shelf:
    return new_shelf()


def written(store: BlobStore, blob_id: str, data: bytes) -> BlobInfo:
    with store.writer(blob_id, KEY) as writer:
        writer.append(data)
        return writer.finish()
