"""A body on its way into an upload, and the end of an upload whose bytes are all there."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from fastapi import Request
from sqlmodel import Session

from activities.treatment_documents import DocumentChecker
from api.imaging.parsers import in_images, parsers_of
from api.services import Services
from api.tus import protocol
from api.tus.receiving import Interrupted, Result, in_thread, receive
from api.uploading import Aim, Destination, most_bytes
from infra.blobs.local import LocalBlobStore
from infra.blobs.store import BlobBusy, BlobFinished, BlobWriter
from infra.uploads import PARTIAL, UploadDesk, room
from schemas.access import Person
from schemas.errors import OdontoError
from schemas.tables.documents import PatientDocument
from schemas.tables.imaging import Upload

_log: Final = logging.getLogger(__name__)
_TRIES: Final = 12
_TRY_AFTER_SECONDS: Final = 0.25


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
    look_again: Callable[[], Person]
    upload: OpenUpload

    async def take(self, offset: int, *, told_length: int | None = None) -> int:
        """Receives the request's body; completes the upload with its last byte. Returns the durable offset.

        ``told_length``: what the request says about the length. Raises what ``receive`` raises, WrongOffset also where
        all was there already, BlobBusy, LengthFixed, StorageFull.
        """
        row, desk = self.upload.row, self.upload.desk
        most = most_bytes(self.upload.destination.home, self.services.settings)
        length = row.length if told_length is None else told_length
        room = (most if length is None else length) - offset
        announced = self.request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > room:
            raise protocol.BeyondTheEnd()
        checksum = protocol.checksum(self.request.headers)
        try:
            writer = await in_turn(self.upload, desk.writer)
        except BlobFinished:
            # Every byte was there already, but the crash of a process came before the file's row.
            await complete(self.request, self.upload, self.services)
            if offset != row.length:
                raise protocol.WrongOffset() from None
            return offset
        try:
            if told_length is not None and writer.offset == offset:
                if told_length < offset:
                    raise protocol.BeyondTheEnd()
                await in_thread(desk.fix_length, row, told_length)
            durable = await receive(
                writer,
                self.request.stream(),
                offset=offset,
                length=row.length,
                room=room,
                checksum=checksum,
                still=self._still(writer),
                is_claimed=partial(desk.is_claimed, row),
            )
            if durable == row.length:
                await complete(self.request, self.upload, self.services, writer)
            else:
                await in_thread(desk.note, row, durable)
        except Interrupted:
            durable = writer.offset
            await in_thread(desk.note, row, durable)
        finally:
            await in_thread(writer.close)
        return durable

    def _still(self, writer: BlobWriter) -> Callable[[], None]:
        """Asks anew who sends and whether they may: a revoked session stops an upload under way. And notes that it is under
        way: a slow line's one request may last for hours, which a submission of its case waits for."""

        def check() -> None:
            person = self.look_again()
            with self.services.database.read() as session:
                Aim.of(self.upload.row).reach(session, self.services.keys, person)
            self.upload.desk.note(self.upload.row, writer.offset)

        return check


async def in_turn(upload: OpenUpload, act: Callable[[Upload], Result]) -> Result:
    """Does what needs the upload's lock, also where an older request of the same person has it whose line has fallen
    silent: that one ends within a second or two. Raises BlobBusy where it does not."""
    row = upload.row
    try:
        return await in_thread(act, row)
    except BlobBusy:
        if upload.person.user_id != row.user_id:
            raise
    await in_thread(upload.desk.claim, row)
    for _ in range(_TRIES):
        await asyncio.sleep(_TRY_AFTER_SECONDS)
        with contextlib.suppress(BlobBusy):
            return await in_thread(act, row)
    raise BlobBusy(blob_id=row.file_id)


async def complete(request: Request, upload: OpenUpload, services: Services, writer: BlobWriter | None = None) -> None:
    """Ends an upload whose bytes are all there, where it is still welcome: its case may have been submitted meanwhile. A
    part waits to be joined."""
    if upload.row.concat == PARTIAL:
        await in_thread(upload.desk.keep_part, upload.row, writer)
        return

    def still_welcome(session: Session) -> None:
        Aim.of(upload.row).reach(session, services.keys, upload.person)

    stored = await in_thread(upload.desk.complete, upload.row, upload.destination.actor, still_welcome, writer)
    if isinstance(stored, PatientDocument):
        await _check(request, services, stored.id)
    elif stored.id != upload.row.file_id:
        upload.row.duplicate_of = stored.id


async def need_room(services: Services, size: int) -> None:
    """Raises StorageFull, StorageFailed."""
    await in_thread(room.room_of(services.settings, services.blobs), size)


async def need_storage(services: Services) -> None:
    """Raises StorageFailed where a local storage is not there, before anything is looked for, and made, in its place."""
    if isinstance(services.blobs, LocalBlobStore):
        await in_thread(room.need_folder, services.settings.blob_folder)


async def _check(request: Request, services: Services, document_id: str) -> None:
    """A treatment document is checked before its sender is answered. What cannot be checked now is stored all the same,
    and checked by the worker."""
    checker = DocumentChecker(services.database, services.blobs, services.keys, parsers_of(request.app))
    try:
        await in_images(checker.check, document_id)
    except OdontoError as error:
        _log.warning("a document waits to be checked: %s", error.code, extra={"file_id": document_id})
    services.feed.wake()
