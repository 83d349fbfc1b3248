"""STOW-RS (PS3.18 §10.5): instances into a case, at the case's own root or at the common one with ``?case_id=``."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlmodel import Session, col, select

from activities.imaging.image_sets import FileFrozen
from activities.imaging.ingest import ImagingActivities
from activities.imaging.parser.pool import ParserPool
from api.deps import LookAgainDep, PersonDep, ServicesDep, policy
from api.file_removal import take_out
from api.imaging import media
from api.imaging.multipart import boundary_of
from api.imaging.parsers import ParsersDep, in_images
from api.imaging.storing import OTHER_STUDY, Stored, answer_of, outcome_of, receive
from api.routes.dicomweb.serving import DicomwebRoute, Uid, need_json, root_of
from api.services import Services
from api.standing import load_case
from api.tus.intake import need_room
from api.tus.protocol import UploadTooLarge
from api.tus.receiving import in_thread
from api.uploading import Aim, Destination
from infra.blobs.store import StorageFull
from infra.outbox import enqueue_once
from infra.packs import Pack
from infra.removals import remove
from infra.uploads.room import room_of
from schemas.access import Person
from schemas.decisions import files_fact
from schemas.errors import InvalidInput
from schemas.files import FileState
from schemas.lifecycle import State
from schemas.messages import Actor
from schemas.tables.case import Case
from schemas.tables.imaging import StoredFile
from schemas.translation import N_

router = APIRouter(route_class=DicomwebRoute)


class CaseUnnamed(InvalidInput):
    code = "case_unnamed"
    title = N_(
        "Say to which case the images belong: send them to /cases/{id}/dicomweb/studies, or add case_id to the address."
    )


@policy("store: to a case")
def case_to_store_in(
    request: Request,
    person: PersonDep,
    services: ServicesDep,
    named: Annotated[str | None, Query(alias="case_id", max_length=64)] = None,
) -> Destination:
    """Decided before a byte of the body is read."""
    case_id = request.path_params.get("case_id") or named
    if not case_id:
        raise CaseUnnamed()
    with services.database.read() as session:
        return Aim(case_id=case_id).reach(session, services.keys, person)


StoreIn = Annotated[Destination, Depends(case_to_store_in)]


@dataclass(frozen=True)
class Storing:
    """One request: who sends instances into which case."""

    request: Request
    case: Case
    actor: Actor
    person: Person
    look_again: Callable[[], Person]
    services: Services
    parsers: ParserPool

    async def take_in(self) -> list[str]:
        """The ids of the files that the body brought, all or none, which wait to be checked. Raises what refuses them."""
        services = self.services
        boundary = boundary_of(self.request.headers.get("content-type", ""))
        most = services.settings.upload_max_bytes
        announced = self.request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > most:
            raise UploadTooLarge()
        await need_room(services, int(announced) if announced.isdecimal() else 0)
        key = services.keys.data_key(self.case.key_id)
        pack = await in_thread(Pack, services.database, services.blobs, self.case, key)
        try:
            await receive(self.request.stream(), boundary, pack, most=most, still=self._still)
        except BaseException:
            await in_thread(pack.abort)
            raise
        return await in_thread(pack.finish, self.actor, self._welcome)

    def _welcome(self, session: Session, person: Person | None = None) -> None:
        Aim(case_id=self.case.id).reach(session, self.services.keys, person or self.person)

    def _still(self) -> None:
        fresh = self.look_again()
        with self.services.database.read() as session:
            self._welcome(session, fresh)

    def check(self) -> None:
        """Checks them as uploaded files are. Blocking."""
        services = self.services
        room = room_of(services.settings, services.blobs)
        imaging = ImagingActivities(services.database, services.blobs, services.keys, self.parsers, need_room=room)
        # There is no room for an archive that waits in the case; images are checked before it is opened.
        with contextlib.suppress(StorageFull):
            imaging.ingest(self.case.id)
        # Once they are checked: a case that was told before would have its worker check them at the same time.
        with services.database.write() as session:
            case = session.get_one(Case, self.case.id)
            enqueue_once(session, files_fact(State(case.state)), case.id)

    def outcome(self, file_ids: list[str], study: str | None) -> list[Stored]:
        """What became of each; those of another study are sent back. Blocking."""
        with self.services.database.read() as session:
            stored = outcome_of(session, self.case.id, file_ids, root_of(self.request), study)
        strays = [each for each in stored if each.failure == OTHER_STUDY]
        _send_back(self.services, self.person, self.case.id, strays)
        return stored


def storing(
    request: Request,
    destination: StoreIn,
    person: PersonDep,
    look_again: LookAgainDep,
    services: ServicesDep,
    parsers: ParsersDep,
) -> Storing:
    case = destination.home
    assert isinstance(case, Case)
    return Storing(request, case, destination.actor, person, look_again, services, parsers)


StoringDep = Annotated[Storing, Depends(storing)]


@router.post("/studies")
async def store(wanted: StoringDep) -> Response:
    """Instances as ``multipart/related; type="application/dicom"``. 200 when all are in the case, 202 when some are, 409 when
    none is; each failure with its reason. They are checked as uploaded files are."""
    return await _store(wanted, None)


@router.post("/studies/{study}")
async def store_in_study(study: Uid, wanted: StoringDep) -> Response:
    """Instances of one study; those of another one are not kept."""
    return await _store(wanted, study)


async def _store(wanted: Storing, study: str | None) -> Response:
    need_json(wanted.request)
    file_ids = await wanted.take_in()
    await in_images(wanted.check)
    stored = await in_images(wanted.outcome, file_ids, study)
    wanted.services.feed.wake()
    status, module = answer_of(stored, root_of(wanted.request), study)
    return JSONResponse(module, status, media_type=media.JSON)


def _send_back(services: Services, person: Person, case_id: str, strays: list[Stored]) -> None:
    """What was sent to a study that it does not belong to is not kept; what the case has already stays, and so does what was
    submitted meanwhile: then the others were stored all the same."""
    if not strays:
        return
    spare: list[str] = []
    with services.database.write() as session:
        access = load_case(session, services.keys, case_id, person)
        there = select(StoredFile.id).where(
            StoredFile.case_id == case_id,
            col(StoredFile.id).in_([each.file_id for each in strays]),
            StoredFile.state != FileState.REMOVED,
        )
        file_ids = session.exec(there).all()
        if file_ids:
            with contextlib.suppress(FileFrozen):
                spare = take_out(session, access, file_ids)
    remove(services.database, services.blobs, spare)
