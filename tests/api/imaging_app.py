"""The imaging routes over a small world without an engine, for tests in process and, as a program, for tests that kill.

``python -m tests.api.imaging_app FOLDER PORT`` serves the world that was made in FOLDER.
"""

import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import httpx
import uvicorn
from fastapi import FastAPI
from sqlmodel import col, select

from activities.imaging.image_sets import freeze_image_set
from activities.imaging.ingest import ImagingActivities
from activities.imaging.parser.pool import ParserPool
from api import errors
from api.case_images import PREFIX, case_images
from api.imaging.parsers import close_parsers
from api.routes import arrangement, dicomweb, file_batches, files, patient_documents, series, uploads, viewer_state
from api.tus.door import MethodOverride, TusAnswers
from infra.blobs.local import LocalBlobStore
from infra.database import Database, make_engine
from infra.keys import MasterKeys
from infra.keystore import KeyStore
from infra.passwords import Passwords
from infra.sessions import Sessions
from infra.settings import Settings
from schemas.lifecycle import State
from schemas.tables.case import Case
from schemas.tables.imaging import StoredFile
from schemas.tables.people import Patient, User
from tests.world import World, sqlite_world

PASSWORD = "a-long-test-password"


def settings_of(home: Path) -> Settings:
    return Settings(home=home, argon2_memory_kib=8, argon2_time_cost=1, upload_max_bytes=200 << 20)


def app_of(home: Path, database: Database, keys: KeyStore) -> FastAPI:
    settings = settings_of(home)
    app = FastAPI()
    app.state.services = SimpleNamespace(
        settings=settings,
        database=database,
        keys=keys,
        blobs=LocalBlobStore(home / "blobs"),
        passwords=Passwords(settings),
        feed=SimpleNamespace(wake=lambda: None),
    )
    for router in (
        uploads.router,
        uploads.batches,
        files.router,
        arrangement.of_case,
        arrangement.of_record,
        series.router,
        file_batches.router,
        patient_documents.router,
        dicomweb.router,
        viewer_state.router,
    ):
        app.include_router(router)
    app.mount(PREFIX, case_images(app))
    errors.install(app)
    app.add_middleware(MethodOverride)
    app.add_middleware(TusAnswers)
    return app


@dataclass
class Desk:
    """``client(name)`` speaks as one of the world's people; ``None`` is nobody."""

    world: World
    app: FastAPI
    tokens: dict[str, str]
    imaging: ImagingActivities

    def client(self, name: str | None = "dentist") -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.tokens[name]}"} if name else {}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers, timeout=60)

    def open_case(self, practice: str = "practice", *, beside: Case | None = None) -> Case:
        """A draft of Anna Muster without any file; ``beside`` another case of hers."""
        patient = self._patient_of(beside) or self.world.add_patient(
            practice, family_name="Muster", given_name="Anna", birth_date=date(1980, 2, 14), patient_number="A-100"
        )
        case = self.world.add_case(patient)
        with self.world.database.write() as session:
            session.get_one(Case, case.id).practice_id = self.world.organizations[practice]
            for file in session.exec(select(StoredFile).where(StoredFile.case_id == case.id)).all():
                session.delete(file)
        return self.world.case(case.id)

    def _patient_of(self, case: Case | None) -> Patient | None:
        with self.world.database.read() as session:
            return session.get(Patient, case.patient_id) if case else None

    def set_state(self, case: Case, state: State, *, assignee: str | None = None, image_set: int | None = None) -> None:
        """Puts the projection into a state, as the workflow would have."""
        with self.world.database.write() as session:
            row = session.get_one(Case, case.id)
            row.state = state
            if assignee is not None:
                row.assignee_id = self.world.user_id(assignee)
            if image_set is not None:
                row.image_set = row.verified_set = image_set

    def freeze(self, case: Case, number: int = 1, *, verified: bool = True) -> None:
        """The files that are there go into a set, which is let pass, or not yet."""
        with self.world.database.write() as session:
            row = session.get_one(Case, case.id)
            row.image_set = number
            if verified:
                row.verified_set = number
            freeze_image_set(session, case.id, number)

    def files(self, case: Case) -> list[StoredFile]:
        with self.world.database.read() as session:
            wanted = select(StoredFile).where(StoredFile.case_id == case.id)
            return list(session.exec(wanted.order_by(col(StoredFile.created_at))).all())

    async def upload(
        self, case: Case, content: bytes, name: str = "image.dcm", path: str = "", *, person: str = "dentist"
    ) -> str:
        """Uploads in one request; returns the file's id."""
        before = {file.id for file in self.files(case)}
        async with self.client(person) as client:
            answer = await client.post(
                "/api/v1/uploads", headers=creation(case.id, len(content), name, path), content=content
            )
            assert answer.status_code == 201, answer.text
        (new,) = {file.id for file in self.files(case)} - before
        return new


def creation(case_id: str, length: int, name: str = "image.dcm", path: str = "") -> dict[str, str]:
    """Headers of a creation with a body."""
    values = {"case_id": case_id, "filename": name, "filetype": "application/dicom", "relative_path": path}
    pairs = ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in values.items() if value)
    return {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(length),
        "Upload-Metadata": pairs,
        "Content-Type": "application/offset+octet-stream",
    }


def sign_in(world: World, home: Path) -> dict[str, str]:
    """A bearer token for everybody."""
    settings = settings_of(home)
    passwords = Passwords(settings)
    hashed = passwords.hash(PASSWORD)
    with world.database.write() as session:
        for user in session.exec(select(User)).all():
            user.password_hash = hashed
    sessions = Sessions(world.database, passwords, settings)
    return {name: sessions.sign_in(f"{name}@demo.test", PASSWORD, "token", "test").token for name in world.people}


@contextmanager
def imaging_desk(home: Path, pool: ParserPool) -> Iterator[Desk]:
    with sqlite_world(home) as world:
        (home / "keys").write_text(world.keys.master.to_text())
        app = app_of(home, world.database, world.keys)
        app.state.parsers = pool
        blobs = app.state.services.blobs
        yield Desk(world, app, sign_in(world, home), ImagingActivities(world.database, blobs, world.keys, pool))


def main(home: Path, port: int) -> None:
    database = Database(make_engine(f"sqlite:///{home / 'test.db'}"))
    app = app_of(home, database, KeyStore(database, MasterKeys.from_text((home / "keys").read_text())))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")
    close_parsers(app)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
