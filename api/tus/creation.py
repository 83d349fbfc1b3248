"""The creation of an upload: whole, in parts, or joined from parts."""

from dataclasses import dataclass

from fastapi import Request

from api.services import Services
from api.tus import protocol
from api.tus.concatenation import Concatenation
from api.tus.intake import OpenUpload, complete, need_room
from api.tus.receiving import in_thread
from api.uploading import Destination, need_kind, need_size
from infra.file_names import NAME_LENGTH, PATH_LENGTH, printable
from infra.uploads import COMPLETE, FINAL, Joiner, UploadDesk, UploadGone, UploadKeyReused
from schemas.access import Person


@dataclass(frozen=True)
class Creation:
    """A request that begins an upload, of somebody who may add files to what it names."""

    request: Request
    person: Person
    destination: Destination
    services: Services
    desk: UploadDesk

    async def begin(self, length: int | None, concat: Concatenation, *, key: str | None) -> tuple[OpenUpload, bool]:
        """The upload, and whether it is new. Raises UploadTooLarge, DocumentTooLarge, ImagesBelongToACase, StorageFull,
        StorageFailed, UploadKeyReused."""
        home = self.destination.home
        need_size(home, length or 0, self.services.settings)
        kept = self._kept()
        await need_room(self.services, length or 0)
        return await in_thread(lambda: self._begin(length, kept, key, concat))

    async def join(self, parts: tuple[str, ...], key: str | None) -> OpenUpload:
        """The upload of these parts, complete. Asked again with the same key, also after a crash on the way, it is the same.

        Raises NotFound for a part that is not this person's and of this home, PartsUnfinished, UploadGone, and what
        ``begin`` raises.
        """
        home, user_id = self.destination.home, self.destination.actor.user_id
        joiner = Joiner(self.services.database, self.services.blobs, self.services.keys)
        row = await in_thread(self.desk.begun, home, user_id, key)
        if row is None:
            length = await in_thread(joiner.total, home, user_id, parts)
            upload, _ = await self.begin(length, Concatenation(FINAL, parts), key=key)
        else:
            upload = OpenUpload(row, self.person, self.destination, self.desk)
        if upload.row.concat != FINAL:
            raise UploadKeyReused()
        if upload.row.state == COMPLETE:
            return upload
        try:
            writer = await in_thread(joiner.join, upload.row)
        except UploadGone:
            await in_thread(self.desk.end, upload.row)  # nothing will come any more that its case would wait for
            raise
        try:
            await complete(self.request, upload, self.services, writer)
        finally:
            if writer is not None:
                await in_thread(writer.close)
        return upload

    def _begin(
        self, length: int | None, kept: dict[str, str], key: str | None, concat: Concatenation
    ) -> tuple[OpenUpload, bool]:
        row, is_new = self.desk.begin(
            self.destination.home,
            self.destination.actor.user_id,
            length,
            kept,
            key,
            concat=concat.kind,
            parts=concat.parts,
        )
        return OpenUpload(row, self.person, self.destination, self.desk), is_new

    def _kept(self) -> dict[str, str]:
        headers = self.request.headers
        meta = protocol.metadata(headers)
        need_kind(self.destination.home, meta.get("filename", ""), meta.get("filetype", ""))
        return {
            "header": headers.get("upload-metadata", ""),
            "concat": headers.get("upload-concat", ""),
            "filename": printable(meta.get("filename") or "file", NAME_LENGTH),
            "filetype": printable(meta.get("filetype", ""), 100),
            "relative_path": printable(meta.get("relative_path", ""), PATH_LENGTH),
            "batch": printable(meta.get("batch", ""), 100),
        }


def answer(upload: OpenUpload, *, offset: int | None) -> dict[str, str]:
    """Headers of an answer about an upload. ``Upload-Duplicate-Of`` names the file that its case had already."""
    headers = protocol.answer_headers(offset=offset, expires=upload.row.expires_at)
    if upload.row.duplicate_of is not None:
        headers["Upload-Duplicate-Of"] = upload.row.duplicate_of
    return headers
