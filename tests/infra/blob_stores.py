"""Every blob store, empty and with a way to look behind it, for the tests that all of them pass."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from pydantic import SecretStr
from sqlmodel import SQLModel

from infra.blobs import bucket
from infra.blobs.bucket import Bucket
from infra.blobs.local import LocalBlobStore
from infra.blobs.opening import open_blobs
from infra.blobs.paths import BlobPaths
from infra.blobs.s3_names import S3Names
from infra.blobs.store import BlobInfo, BlobStore
from infra.database import Database
from infra.settings import Settings
from tests.infra.blob_writing import KEY
from tests.servers.seaweedfs import BUCKET, SeaweedFS


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


class S3Shelf:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database.from_settings(settings)
        SQLModel.metadata.tables["blob_lease"].create(self.database.engine)
        self.bucket = Bucket(settings)
        self.store = self.another_process()

    def another_process(self) -> BlobStore:
        """The same storage as an API on another machine has it."""
        return open_blobs(self.settings, self.database)

    def names(self) -> list[str]:
        """Unfinished multipart uploads under the names that they would have."""
        uploads = [f"{upload.name}?" for upload in self.bucket.unfinished()]
        return sorted(name.rpartition("/")[2] for name in [*self.bucket.names(""), *uploads])

    def stored(self, blob_id: str) -> bytes:
        return self.bucket.get(S3Names.of(blob_id).done)

    def replace(self, blob_id: str, stored: bytes) -> None:
        self.bucket.put(S3Names.of(blob_id).done, stored)


@pytest.fixture(scope="module")
def new_s3_shelf(seaweedfs: SeaweedFS, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], S3Shelf]:
    return lambda: S3Shelf(seaweedfs.settings(tmp_path_factory.mktemp("blobs")))


@pytest.fixture(scope="module")
def new_moto_shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], S3Shelf]]:
    """On a double within this process. It takes every checksum and every key: only the real server shows that those count."""
    from boto3.session import Session
    from moto import mock_aws

    # A session that other tests have begun knows nothing of the double.
    bucket.session.cache_clear()
    with mock_aws():
        Session().client("s3", region_name="us-east-1").create_bucket(Bucket=BUCKET)
        prefixes = (f"{number}/" for number in itertools.count())
        yield lambda: S3Shelf(
            Settings(
                home=tmp_path_factory.mktemp("blobs"),
                blobs="s3",
                s3_bucket=BUCKET,
                s3_prefix=next(prefixes),
                s3_access_key_id="testing",
                s3_secret_access_key=SecretStr("testing"),
            )
        )


@pytest.fixture(scope="module", params=["local", "moto", "seaweedfs"])
def new_shelf(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewShelf:
    """Makes empty stores; usable from tests that draw many examples."""
    if request.param == "local":
        return lambda: LocalShelf(tmp_path_factory.mktemp("blobs"))
    made: NewShelf = request.getfixturevalue("new_s3_shelf" if request.param == "seaweedfs" else "new_moto_shelf")
    return made


@pytest.fixture
def shelf(new_shelf: NewShelf) -> Shelf:
    return new_shelf()


def written(store: BlobStore, blob_id: str, data: bytes) -> BlobInfo:
    with store.writer(blob_id, KEY) as writer:
        writer.append(data)
        return writer.finish()
