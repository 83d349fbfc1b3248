"""A whole installation for the figures about files and images: Temporal, the worker, the web server, all as installed."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlmodel import select

from bench.http_client import Browser, until_served
from bench.line import Line
from bench.programs import ours, program, temporal
from bench.site import Site, prepared
from schemas.tables.case import Case
from schemas.tables.imaging import StoredFile
from worker.up.engine import free_port


@dataclass(frozen=True)
class Installation:
    """``api`` is the web server's process; ``pids`` are all of the installation's. ``dentist`` signs in once."""

    folder: Path
    site: Site
    api: int
    pids: Sequence[int]
    dentist: Browser

    def draft(self) -> Case:
        """A new case without files, of the patient whom the files name."""
        world = self.site.world
        row = world.add_case(
            world.add_patient(
                family_name="Muster", given_name="Anna", birth_date=date(1980, 2, 14), patient_number="A-100"
            )
        )
        with world.database.write() as session:
            for file in session.exec(select(StoredFile).where(StoredFile.case_id == row.id)).all():
                session.delete(file)
        return row

    def files(self, case: Case) -> Sequence[StoredFile]:
        with self.site.world.database.read() as session:
            return session.exec(select(StoredFile).where(StoredFile.case_id == case.id)).all()

    def line(self, root: str = "") -> Line:
        """A new connection of the dentist's."""
        return Line(self.site.settings.port, self.dentist.authorization, root)

    def images(self, case: Case | None = None) -> Line:
        """One to DICOMweb, of one case or of all."""
        return self.line(f"/cases/{case.id}/dicomweb" if case else "/dicomweb")


@asynccontextmanager
async def installation() -> AsyncIterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(temporal(folder / "temporal", tuned=True))
            site = stack.enter_context(prepared(folder / "home", server.target, free_port()))
            worker = stack.enter_context(program("worker", ours("worker", "worker"), folder, site.env))
            api = stack.enter_context(program("api", ours("worker", "api"), folder, site.env))
            await asyncio.to_thread(until_served, site.settings.port)
            dentist = await asyncio.to_thread(Browser, site.settings.port, "dentist")
            yield Installation(folder, site, api, (api, worker, server.pid), dentist)
