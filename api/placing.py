"""Moving images of a case to another series before anybody has read them: of the way they are read, not of the files."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlmodel import Session, col, select

from activities.imaging.image_sets import FileFrozen, removable
from activities.imaging.parser.results import metadata_object
from api.case_arrangement import CaseHome
from api.imaging.qido import Attributes, values
from api.standing import CaseAccess
from infra.database import now
from infra.sealing import column_aad, open_sealed
from schemas.errors import NotFound
from schemas.files import FileKind, FileState
from schemas.identity import IdentityOutcome
from schemas.image_series import ImageFacts, OtherKindOfImage, Vector, need_joins
from schemas.tables.arrangement import PlacedImage
from schemas.tables.case import Case
from schemas.tables.imaging import Instance, Series, StoredFile


@dataclass(frozen=True)
class _Image:
    """An image of the case with its file; ``instance`` is None of a photograph."""

    id: str
    file: StoredFile
    instance: Instance | None

    @property
    def came_in(self) -> str:
        return self.instance.series_id if self.instance is not None else self.id


def place_images(session: Session, access: CaseAccess, image_ids: Sequence[str], series_id: str | None) -> None:
    """All or none, in the caller's transaction. ``series_id`` is a series of the case, as ``api.imaging.stacks`` names them, or
    the id of one of the images: then they are read apart from all others. None: each back to where it came.

    Raises NotFound, FileFrozen for what was submitted on either side, and the reasons of ``schemas.image_series``.
    """
    home = CaseHome(access)
    home.hold(session)
    table = _Table(session, session.get_one(Case, access.row.id))
    moving = [table.need(image_id) for image_id in dict.fromkeys(image_ids)]
    if series_id is None:
        for image in moving:
            _move(table, home, [image], image.came_in)
        return
    _move(table, home, moving, table.target(series_id, moving))


def _move(table: "_Table", home: CaseHome, moving: list[_Image], target: str) -> None:
    moving = [image for image in moving if table.stack_of(image) != target]
    # One that the series is to be named for goes first: the others join it.
    moving.sort(key=lambda image: image.id != target)
    members = [image for image in table.images.values() if table.stack_of(image) == target and image not in moving]
    # What comes back changes nothing for whoever has read the series: there it is by its own attributes.
    joined = members if any(image.came_in != target for image in moving) else []
    if not all(removable(table.case, image.file.first_set) for image in (*moving, *joined)):
        raise FileFrozen()
    beside = table.beside(target)
    if any((image.instance is None) != (beside is None) for image in moving):
        raise OtherKindOfImage()
    there = _Facts(home, target, members, [each for each in table.images.values() if each.came_in == target])
    for image in moving:
        if image.instance is not None:
            there.need(image)
        table.put(image, target, beside)
        home.note(table.session, "place", image.id)


class _Facts:
    """What decides whether an image may be read in a series: of its ``members``, and of those that ``came`` in it."""

    def __init__(self, home: CaseHome, target: str, members: Sequence[_Image], came: Sequence[_Image]) -> None:
        self._home = home
        self._target = target
        self._own = {each.id: self._of(each) for each in members if each.instance and each.came_in == target}
        self._others = {each.id: self._of(each) for each in members if each.instance and each.came_in != target}
        self._away = {each.id: self._of(each) for each in came if each.instance and each not in members}

    def need(self, image: _Image) -> None:
        """Raises a CannotJoinSeries; else it is a member from now on. What came in the series is asked only whether its place
        was taken meanwhile, and what is read apart nothing."""
        mine = self._of(image)
        if image.came_in == self._target:
            need_joins(mine, list(self._others.values()))
            self._own[image.id] = mine
            self._away.pop(image.id, None)
            return
        if image.id != self._target:
            need_joins(mine, [*self._own.values(), *self._others.values()], away=list(self._away.values()))
        self._others[image.id] = mine

    def _of(self, image: _Image) -> ImageFacts:
        assert image.instance is not None
        return _facts(self._home, image.instance)


@dataclass
class _Table:
    """The case's checked images, and where each of them is read."""

    session: Session
    case: Case
    images: dict[str, _Image] = field(default_factory=dict)
    places: dict[str, PlacedImage] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ready = select(StoredFile).where(StoredFile.case_id == self.case.id, StoredFile.state == FileState.READY)
        files = {file.id: file for file in self.session.exec(ready).all()}
        instances = self.session.exec(select(Instance).where(Instance.case_id == self.case.id)).all()
        found = [_Image(row.id, files[row.file_id], row) for row in instances if row.file_id in files]
        found += [_Image(file.id, file, None) for file in files.values() if file.kind == FileKind.PHOTO]
        placed = self.session.exec(
            select(PlacedImage)
            .where(PlacedImage.case_id == self.case.id)
            .order_by(col(PlacedImage.placed_at), col(PlacedImage.id))
        ).all()
        self.images = {image.id: image for image in found}
        self.places = {row.id: row for row in placed}

    def need(self, image_id: str) -> _Image:
        if image_id not in self.images:
            raise NotFound()
        return self.images[image_id]

    def stack_of(self, image: _Image) -> str:
        placed = self.places.get(image.id)
        return placed.stack_id if placed is not None else image.came_in

    def target(self, series_id: str, moving: Sequence[_Image]) -> str:
        """The stack that is meant. A photograph that stands with another one means that one's."""
        image = self.images.get(series_id)
        if image is None:
            series = self.session.get(Series, series_id)
            if series is None or series.case_id != self.case.id:
                raise NotFound()
            return series_id
        if image in moving or self.stack_of(image) == series_id:
            return series_id
        if image.instance is not None:
            raise NotFound()
        return self.stack_of(image)

    def beside(self, target: str) -> str | None:
        """The DICOM series beside which the stack stands in lists; None of photographs."""
        image = self.images.get(target)
        if image is None:
            return target
        if image.instance is None:
            return None
        placed = self.places.get(target)
        return placed.series_id if placed is not None else image.came_in

    def put(self, image: _Image, target: str, beside: str | None) -> None:
        self._pass_on(image)
        self._lift(image.id)
        if target != image.came_in:
            row = PlacedImage(id=image.id, case_id=self.case.id, stack_id=target, series_id=beside, placed_at=now())
            self.session.add(row)
            self.places[image.id] = row
        self.session.flush()

    def _pass_on(self, image: _Image) -> None:
        """Where others are read in a series that is named for this image, the next of them gives its name."""
        others = [row for row in self.places.values() if row.stack_id == image.id != row.id]
        for row in others:
            row.stack_id = others[0].id
        if others and image.instance is None:
            self._lift(others[0].id)

    def _lift(self, image_id: str) -> None:
        placed = self.places.pop(image_id, None)
        if placed is not None:
            self.session.delete(placed)
            self.session.flush()


def _facts(home: CaseHome, row: Instance) -> ImageFacts:
    place = column_aad("instance", row.id, "metadata_json")
    metadata = metadata_object(open_sealed(home.key, row.metadata_json, place))
    return ImageFacts(
        modality=next(iter(values(metadata, "00080060")), ""),
        frames=row.frames,
        frame_of_reference=next(iter(values(metadata, "00200052")), ""),
        orientation=_numbers(metadata, "00200037"),
        position=_numbers(metadata, "00200032"),
        grid=(row.rows or 0, row.columns or 0, *_numbers(metadata, "00280030")),
        is_strangers=row.identity == IdentityOutcome.CONTRADICTORY,
    )


def _numbers(metadata: Attributes, tag: str) -> Vector:
    """None at all where one of them is none."""
    try:
        return tuple(float(value) for value in values(metadata, tag))
    except ValueError:
        return ()
