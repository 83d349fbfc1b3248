"""The images of a case as the page shows them on which they are put into series."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, col, select

from activities.imaging.image_sets import removable
from api.imaging.access import CaseImages, root_of_case
from api.imaging.stacks import Stack, thumbnail_of, with_places
from api.reading_order import ReadFile, ReadGroup, ReadSeries, came_from
from infra.file_names import name_of
from schemas.files import FileKind, FileState
from schemas.tables.arrangement import PlacedImage
from schemas.tables.imaging import Instance, StoredFile
from schemas.translation import N_
from ui.assemble.looker import Looker
from ui.assemble.studies import series_row
from ui.views.series import ImageTile, SeriesCard

TILES: Final = 12
"""Of a series that nobody asked to see whole: its first images, and all that were moved to it."""


@dataclass(frozen=True)
class Cards:
    """``opened`` is the series whose images are all shown; previews are for those who may see the images."""

    session: Session
    images: CaseImages
    looker: Looker
    url: str
    opened: str
    may_see: bool

    def of(self, groups: Sequence[ReadGroup]) -> tuple[SeriesCard, ...]:
        entries = [entry for group in groups for entry in group.entries]
        return tuple(
            self._series(entry) if isinstance(entry, ReadSeries) else self._photographs(entry)
            for entry in entries
            if isinstance(entry, ReadSeries) or entry.file.kind == FileKind.PHOTO
        )

    def _series(self, entry: ReadSeries) -> SeriesCard:
        stack, row = entry.stack, series_row(self.images, entry)
        word = self.looker.say(row.word)
        name = row.name or row.description or word
        tiles = self._tiles(stack)
        return SeriesCard(
            id=stack.id,
            name=self.looker.say(N_("%(name)s, apart"), name=name) if stack.is_apart else name,
            about=f"{word} · {self._count(stack.images)}",
            tiles=tiles,
            rest=stack.images - len(tiles),
            all_url=f"{self.url}?opened={stack.id}#{stack.id}" if len(tiles) < stack.images else "",
            is_open=all(tile.is_open for tile in tiles),
        )

    def _count(self, number: int) -> str:
        return self.looker.say_many(N_("%(num)s image"), N_("%(num)s images"), number)

    def _tiles(self, stack: Stack) -> tuple[ImageTile, ...]:
        """Those that were moved here first, so that they are in sight."""
        found = [
            ImageTile(
                id=each.instance_id,
                name=self._numbered(each.number),
                preview=thumbnail_of(each, root_of_case(self.images.case.id)) if self.may_see else "",
                is_moved=True,
                came_from=came_from(self.images, each),
                is_open=removable(self.images.case, each.first_set),
            )
            for each in stack.moved_in
        ]
        if stack.is_apart:
            return tuple(found)
        is_whole = self.opened == stack.id or stack.images <= TILES + 1
        limit = (stack.images if is_whole else TILES) - len(found)
        return (*found, *self._stayed(stack, max(0, limit)))

    def _stayed(self, stack: Stack, limit: int) -> list[ImageTile]:
        """The first of those that came in the series and are read in it."""
        root = root_of_case(self.images.case.id)
        base = f"{root}/studies/{stack.study.study_uid}/series/{stack.series.series_uid}/instances"
        statement = (
            with_places(select(Instance.id, Instance.sop_uid, Instance.number, StoredFile.first_set))
            .join(StoredFile, col(StoredFile.id) == col(Instance.file_id))
            .where(
                Instance.series_id == stack.series.id,
                StoredFile.state == FileState.READY,
                col(PlacedImage.id).is_(None),
            )
            .order_by(col(Instance.number), col(Instance.sop_uid))
            .limit(limit)
        )
        return [
            ImageTile(
                id=image_id,
                name=self._numbered(number),
                preview=f"{base}/{sop_uid}/thumbnail" if self.may_see else "",
                is_open=removable(self.images.case, first_set),
            )
            for image_id, sop_uid, number, first_set in self.session.exec(self.images.narrow(statement)).all()
        ]

    def _numbered(self, number: int | None) -> str:
        say = self.looker.say
        return say(N_("Image")) if number is None else say(N_("Image %(number)s"), number=number)

    def _photographs(self, entry: ReadFile) -> SeriesCard:
        together = self.looker.say(N_("Photographs, read together"))
        base = f"/api/v1/cases/{self.images.case.id}/files"
        photograph = self.looker.say(N_("Photograph"))
        tiles = tuple(
            ImageTile(
                id=file.id,
                name=name_of(self.images.key, file)["name"] if entry.others else photograph,
                preview=f"{base}/{file.id}/thumbnail" if self.may_see else "",
                is_moved=file in entry.others,
                is_open=removable(self.images.case, file.first_set),
            )
            for file in (entry.file, *entry.others)
        )
        return SeriesCard(
            id=entry.file.id,
            name=entry.labels.title or name_of(self.images.key, entry.file)["name"],
            about=f"{together} · {self._count(len(tiles))}" if entry.others else photograph,
            tiles=tiles,
            is_open=all(tile.is_open for tile in tiles),
        )
