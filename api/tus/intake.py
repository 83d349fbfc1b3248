"""A body on its way into an upload, and the end of an upload whose bytes are all there."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from sqlmodel import Session

from activities.treatment_documents import DocumentChecker
from api.deps import token_of
from api.imaging.parsers import in_images, parsers_of
from api.scopes import scopes_for
from api.services import Services
from api.tus import protocol
from api.tus.receiving import Interrupted, in_thread, receive
from api.uploading import Aim, Destination
from infra.blobs.store import BlobFinished, BlobWriter
from infra.sessions import Sessions
from infra.uploads import UploadDesk
from schemas.access import Person
from schemas.errors import NotSignedIn, OdontoError
from schemas.tables.documents import PatientDocument
from schemas.tables.imaging import Upload

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class OpenUpload:
    """An upload for somebody who may add files to what it belongs to."""

    row: Upload
    person: Person
    destination: Destination
    desk: UploadDesk


@dataclass(frozen=True)
class Intake:
    """One request with bytes for an upload."""

    request: Request
    services: Services
    sessions: Sessions
    upload: OpenUpload

    async def take(self, offset: int) -> int:
        """Receives the request's body; completes the upload with its last byte. Returns the durable offset.

        Raises what ``receive`` raises, WrongOffset also where all was there already, and BlobBusy.
        """
        row, desk = self.upload.row, self.upload.desk
        announced = self.request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > row.length - offset:
            raise protocol.BeyondTheEnd()
        checksum = protocol.checksum(self.request.headers)
        try:
            writer = await in_thread(desk.writer, row)
        except BlobFinished:
            # Every byte was there already, but the crash of a process came before the file's row.
            await self.complete()
            if offset != row.length:
                raise protocol.WrongOffset() from None
            return row.length
        try:
            durable = await receive(
                writer,
                self.request.stream(),
                offset=offset,
                length=row.length,
                checksum=checksum,
                recheck=self._recheck(writer),
            )
            if durable == row.length:
                await self.complete(writer)
            else:
                await in_thread(desk.note, row, durable)
        except Interrupted:
            durable = writer.offset
            await in_thread(desk.note, row, durable)
        finally:
            await in_thread(writer.close)
        return durable

    def _recheck(self, writer: BlobWriter) -> Callable[[], None]:
        """Asks anew who sends and whether they may: a revoked session stops an upload under way. And notes that it is under
        way: a slow line's one request may last for hours, which a submission of its case waits for."""
        token = token_of(self.request)

        def check() -> None:
            if token is None:
                raise NotSignedIn()
            person = self.sessions.person(token, admits=scopes_for(self.request))
            with self.services.database.read() as session:
                Aim.of(self.upload.row).reach(session, self.services.keys, person)
            self.upload.desk.note(self.upload.row, writer.offset)

        return check

    async def complete(self, writer: BlobWriter | None = None) -> None:
        await complete(self.request, self.upload, self.services, writer)


async def complete(request: Request, upload: OpenUpload, services: Services, writer: BlobWriter | None = None) -> None:
    """Ends an upload whose bytes are all there, where it is still welcome: its case may have been submitted meanwhile."""

    def still_welcome(session: Session) -> None:
        Aim.of(upload.row).reach(session, services.keys, upload.person)

    stored = await in_thread(upload.desk.complete, upload.row, upload.destination.actor, still_welcome, writer)
    if isinstance(stored, PatientDocument):
        await _check(request, services, stored.id)


async def _check(request: Request, services: Services, document_id: str) -> None:
    """A treatment document is checked before its sender is answered. What cannot be checked now is stored all the same,
    and checked by the worker."""
    checker = DocumentChecker(services.database, services.blobs, services.keys, parsers_of(request.app))
    try:
        await in_images(checker.check, document_id)
    except OdontoError as error:
        _log.warning("a document waits to be checked: %s", error.code, extra={"file_id": document_id})
    services.feed.wake()
