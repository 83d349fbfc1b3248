"""Which blob store an installation has: the one place that knows the stores by name."""

from infra.blobs.leases import Leases
from infra.blobs.local import LocalBlobStore
from infra.blobs.store import BlobStore
from infra.database import Database
from infra.settings import Settings


def open_blobs(settings: Settings, database: Database) -> BlobStore:
    """The store of these settings; one a process. Touches the storage no further than its own folder: a store that is away
    shows when it is used, or by its ``probe``."""
    if settings.blobs == "s3":
        # Half a second of imports, for installations that have such a storage.
        from infra.blobs.bucket import Bucket  # noqa: PLC0415
        from infra.blobs.s3 import S3BlobStore  # noqa: PLC0415

        return S3BlobStore(Bucket(settings), Leases(database))
    return LocalBlobStore(settings.blob_folder)
