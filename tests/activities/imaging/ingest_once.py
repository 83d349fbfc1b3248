"""``python -m tests.activities.imaging.ingest_once FOLDER CASE``: one ingest in a process of its own, to be killed."""

import sys
from pathlib import Path

from activities.imaging.ingest import ImagingActivities
from activities.imaging.parser.pool import ParserPool
from infra.blobs.local import LocalBlobStore
from infra.database import Database, make_engine
from infra.keys import MasterKeys
from infra.keystore import KeyStore


def main(folder: Path, case_id: str) -> None:
    database = Database(make_engine(f"sqlite:///{folder / 'test.db'}"))
    keys = KeyStore(database, MasterKeys.from_text((folder / "keys").read_text()))

    def tell(case_id: str, done: int, total: int) -> None:
        sys.stdout.write("batch\n")
        sys.stdout.flush()

    with ParserPool(1) as pool:
        ImagingActivities(database, LocalBlobStore(folder / "blobs"), keys, pool, on_progress=tell).ingest(case_id)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
