"""Photographs as files to be saved: without the place, the owner and the device that a camera wrote into them."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import PurePath
from typing import Final

from fastapi import Request, Response

from activities.imaging.parser.pool import ParserPool
from activities.imaging.parser.problems import FileProblem
from activities.imaging.parser.results import BareCopy
from api.imaging.downloads import attachment
from api.imaging.parsers import in_images
from infra.blobs.reading import Reader
from infra.blobs.store import BlobReader
from schemas.errors import OdontoError
from schemas.files import FileKind
from schemas.translation import N_

_PART: Final = 1 << 20


class NoBareCopy(OdontoError):
    code = "no_bare_copy"
    status = 422
    title = N_(
        "This photograph cannot be saved without the place that it was taken at, which is kept from everybody. It can be looked at here."
    )


class BareSource(Reader):
    """A bare copy's bytes, made of its file's while they are read. Closing it closes the file's reader."""

    def __init__(self, reader: BlobReader, copy: BareCopy) -> None:
        self._reader = reader
        self._made_of = [copy.drawn] if copy.drawn else list(copy.pieces)
        self._ends = list(accumulate(len(piece) if isinstance(piece, bytes) else piece[1] for piece in self._made_of))

    @property
    def size(self) -> int:
        return self._ends[-1] if self._ends else 0

    def _pieces(self, offset: int, end: int) -> Iterator[bytes]:
        index = bisect_right(self._ends, offset)
        while offset < end:
            piece = self._made_of[index]
            begin = self._ends[index] - (len(piece) if isinstance(piece, bytes) else piece[1])
            stop = min(end, self._ends[index])
            while offset < stop:
                count = min(_PART, stop - offset)
                within = offset - begin
                if isinstance(piece, bytes):
                    yield piece[within : within + count]
                elif piece[0] < 0:
                    yield bytes(count)
                else:
                    yield self._reader.read_at(piece[0] + within, count)
                offset += count
            index += 1

    def close(self) -> None:
        self._reader.close()


async def bare_photograph(
    request: Request,
    parsers: ParserPool,
    opened: Callable[[], BlobReader],
    *,
    name: str,
    sha256: str,
    still: Callable[[], object],
) -> Response:
    """A photograph's file without its metadata, or a range of that, to be saved; as long as ``still`` does not raise.

    Raises NoBareCopy, and what the blob store raises.
    """

    def prepare() -> BareCopy:
        with opened() as reader:
            try:
                return parsers.bare(reader)
            except FileProblem as problem:
                raise NoBareCopy(reason=problem.code) from None

    copy = await in_images(prepare)
    return await attachment(
        request,
        lambda: BareSource(opened(), copy),
        name=f"{PurePath(name).stem}.jpg" if copy.drawn else name,
        kind=FileKind.PHOTO,
        size=copy.size,
        sha256=f"bare-{sha256}",
        still=still,
    )
