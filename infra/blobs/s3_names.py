"""The names of a file's objects."""

from typing import NamedTuple, Self

from infra.blobs.paths import shard_of


class S3Names(NamedTuple):
    blob_id: str
    stem: str

    @classmethod
    def of(cls, blob_id: str) -> Self:
        """Raises BlobIdRefused."""
        return cls(blob_id, f"{shard_of(blob_id)}/{blob_id}")

    @property
    def done(self) -> str:
        """The finished file, and its parts while it is written."""
        return f"{self.stem}.blob"

    @property
    def tails(self) -> str:
        """What the names of its tails begin with."""
        return f"{self.stem}.tail-"

    def tail(self, token: str) -> str:
        """One for each writer, so that a late one cannot replace what a later one confirmed."""
        return f"{self.tails}{token}"

    @staticmethod
    def id_of(done: str) -> str:
        """The blob's id in the name of a finished file."""
        return done.rpartition("/")[2].removesuffix(".blob")
