"""A world with a blob store, a reader of files, and a way to put files into a case."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from sqlmodel import col, select

from activities.imaging.ingest import ImagingActivities
from activities.imaging.parser.pool import ParserPool
from infra.blobs.local import LocalBlobStore
from infra.database import Database, make_engine
from infra.keys import MasterKeys
from infra.keystore import KeyStore
from infra.migrate import upgrade_engine
from schemas.tables.case import Case
from schemas.tables.imaging import StoredFile
from tests.world import World, populate, sqlite_world


@dataclass
class Clinic:
    world: World
    blobs: LocalBlobStore
    imaging: ImagingActivities

    def open_case(self) -> Case:
        """A draft of Anna Muster without any file."""
        case = self.world.add_case(
            self.world.add_patient(
                family_name="Muster", given_name="Anna", birth_date=date(1980, 2, 14), patient_number="A-100"
            )
        )
        with self.world.database.write() as session:
            for file in self.files(case):
                session.delete(session.get_one(StoredFile, file.id))
        return case

    def put(self, case: Case, content: bytes, name: str = "image.dcm") -> str:
        """A stored file, as an upload leaves it; returns its id."""
        return self.world.put_file(self.blobs, case, content, name)

    def files(self, case: Case) -> list[StoredFile]:
        with self.world.database.read() as session:
            wanted = select(StoredFile).where(StoredFile.case_id == case.id)
            return list(session.exec(wanted.order_by(col(StoredFile.created_at))).all())

    def file(self, file_id: str) -> StoredFile:
        with self.world.database.read() as session:
            return session.get_one(StoredFile, file_id)


@pytest.fixture(scope="package")
def pool() -> Iterator[ParserPool]:
    with ParserPool(2) as pool:
        yield pool


def clinic_of(world: World, folder: Path, pool: ParserPool) -> Clinic:
    blobs = LocalBlobStore(folder / "blobs")
    return Clinic(world, blobs, ImagingActivities(world.database, blobs, world.keys, pool))


@pytest.fixture
def clinic(tmp_path: Path, pool: ParserPool) -> Iterator[Clinic]:
    with sqlite_world(tmp_path) as world:
        yield clinic_of(world, tmp_path, pool)


@pytest.fixture
def mariadb_clinic(tmp_path: Path, pool: ParserPool, mariadb_url: str) -> Iterator[Clinic]:
    engine = make_engine(mariadb_url)
    upgrade_engine(engine)
    database = Database(engine)
    try:
        yield clinic_of(populate(database, KeyStore(database, MasterKeys.generate())), tmp_path, pool)
    finally:
        database.close()
