"""Bytes of frames, renderings and previews for a requester, from blobs and the preview cache. Blocking."""

from collections.abc import Iterator
from typing import Final

from activities.imaging.frames import ranges_of_frame
from activities.imaging.parser.pool import PREVIEW_SIDE, ParserPool
from activities.imaging.parser.problems import FileProblem
from activities.imaging.previews import INSTANCE, PHOTO, PICTURE, find_preview, store_preview
from api.imaging.lookup import FoundInstance
from infra.blobs.store import BlobReader, BlobStore
from infra.database import Database
from infra.keys import DataKey
from infra.stored_files import open_stored
from schemas.errors import NotFound, OdontoError
from schemas.tables.imaging import StoredFile
from schemas.translation import N_

THUMBNAIL_SIDE: Final = 256
PICTURE_SIDE: Final = 2560


class CannotRender(OdontoError):
    code = "cannot_render"
    status = 422
    title = N_("This image cannot be drawn here. Its file is whole and can be downloaded.")


class Pictures:
    """One process's way to pixels."""

    def __init__(self, database: Database, blobs: BlobStore, parsers: ParserPool) -> None:
        self._database = database
        self._blobs = blobs
        self._parsers = parsers

    def frames(self, found: FoundInstance, numbers: list[int], *, decoded: bool) -> Iterator[bytes]:
        """The frames by number from 1, each as one run of bytes. Raises NotFound for a number that is not there."""
        if any(not 1 <= number <= found.instance.frames for number in numbers):
            raise NotFound()
        with open_stored(self._blobs, found.file, found.images.key.secret) as reader:
            for number in numbers:
                ranges = ranges_of_frame(found.instance, number - 1)
                if decoded or ranges is None:
                    yield self._decode(reader, found.file.id, number, ranges)
                else:
                    pairs = zip(ranges[::2], ranges[1::2], strict=True)
                    yield b"".join(reader.read_at(offset, length) for offset, length in pairs)

    def _decode(self, reader: BlobReader, file_id: str, number: int, ranges: list[int] | None) -> bytes:
        try:
            return self._parsers.decode(reader, number - 1, ranges, key=file_id)
        except FileProblem as problem:
            raise CannotRender(reason=problem.code) from None

    def whole(self, found: FoundInstance, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The file as it came, or so many bytes of it, in pieces of 1 MiB."""
        with open_stored(self._blobs, found.file, found.images.key.secret) as reader:
            yield from reader.stream(offset, length)

    def rendered(
        self,
        found: FoundInstance,
        number: int,
        *,
        window: tuple[float, float] | None = None,
        max_side: int = 4096,
        quality: int = 90,
    ) -> bytes:
        """A frame as JPEG. Raises NotFound, CannotRender."""
        if not 1 <= number <= found.instance.frames:
            raise NotFound()
        ranges = ranges_of_frame(found.instance, number - 1)
        try:
            with open_stored(self._blobs, found.file, found.images.key.secret) as reader:
                picture = self._parsers.render(
                    reader,
                    number - 1,
                    ranges,
                    key=found.file.id,
                    window=window,
                    max_side=max_side,
                    quality=quality,
                )
        except FileProblem as problem:
            raise CannotRender(reason=problem.code) from None
        return picture.image

    def thumbnail(self, found: FoundInstance) -> bytes:
        """An instance's middle frame, small; kept once it was made. That of a series' middle one ingest has made."""
        instance, key = found.instance, found.images.key
        with self._database.read() as session:
            kept = find_preview(session, key, instance.id, INSTANCE)
        if kept is None:
            number = max(instance.frames, 1) // 2 + 1
            kept = self.rendered(found, min(number, instance.frames), max_side=THUMBNAIL_SIDE, quality=82)
            case_id = found.images.case.id
            store_preview(self._database, key, case_id, subject_id=instance.id, kind=INSTANCE, image=kept)
        return kept

    def photo(self, key: DataKey, file: StoredFile, *, small: bool) -> bytes:
        """A photograph anew as JPEG, upright and without metadata: a thumbnail, or large enough to look at."""
        kind, side = (PHOTO, PREVIEW_SIDE) if small else (PICTURE, PICTURE_SIDE)
        with self._database.read() as session:
            kept = find_preview(session, key, file.id, kind)
        if kept is None:
            try:
                with open_stored(self._blobs, file, key.secret) as reader:
                    kept = self._parsers.redraw(reader, max_side=side, quality=88).image
            except FileProblem as problem:
                raise CannotRender(reason=problem.code) from None
            store_preview(self._database, key, file.case_id, subject_id=file.id, kind=kind, image=kept)
        return kept
