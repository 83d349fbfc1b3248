"""Which images may be read as one series: the rules by which a practice moves an image to another series.

A stack says of its images that they belong together, and of slices that they follow each other in space. An image that does
not fit would be read as something it is not, so it is refused, with what to do instead. Pure functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import dist
from typing import Final, Self

from schemas.errors import StateConflict
from schemas.translation import N_

_SAME_PLACE: Final = 0.01
"""Millimetres. Slices nearer than that are of one place."""
_SAME_AXIS: Final = 0.1
"""Millimetres across the stack: what exporters lose by rounding."""
_PARALLEL: Final = 1e-3

Vector = tuple[float, ...]


class CannotJoinSeries(StateConflict):
    """A fact about an image and a series that do not go together."""

    code = "cannot_join_series"
    title = N_("This image cannot be read in that series.")


class OtherKindOfImage(CannotJoinSeries):
    code = "other_kind_of_image"
    title = N_(
        "That series has images of another kind. What belongs together without being one series stands under one heading."
    )


class OtherGeometry(CannotJoinSeries):
    code = "other_geometry"
    title = N_(
        "This slice is of another scan or another direction (another frame of reference), so it cannot stand between those "
        "slices. It can be read in a series of its own, or under the same heading."
    )


class PlaceTaken(CannotJoinSeries):
    code = "place_taken"
    title = N_("That series has a slice of this very place already: the two would be read as neighbours.")


class WholeVolume(CannotJoinSeries):
    code = "whole_volume"
    title = N_("A file of many frames is a series by itself: it neither joins another one nor takes images in.")


class StrangersImage(CannotJoinSeries):
    code = "strangers_image"
    title = N_("These images name another patient. Settle whose they are before they are moved.")


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What decides. ``position`` and ``orientation`` are Image Position and Image Orientation (Patient), PS3.3 §C.7.6.2.1.1,
    empty where the image has none; ``grid`` is rows, columns and pixel spacing; lengths in millimetres.
    """

    modality: str
    frames: int = 1
    frame_of_reference: str = ""
    orientation: Vector = ()
    position: Vector = ()
    grid: Vector = ()
    is_strangers: bool = False

    @property
    def is_slice(self) -> bool:
        """Whether it has its place in space, as images of CT have and projections have not."""
        return len(self.orientation) == 6 and len(self.position) == 3

    def away_from(self, other: Self) -> tuple[float, float]:
        """Millimetres along the normal of the slices, and across it."""
        r, c = self.orientation[:3], self.orientation[3:]
        normal = (r[1] * c[2] - r[2] * c[1], r[2] * c[0] - r[0] * c[2], r[0] * c[1] - r[1] * c[0])
        between = [mine - theirs for mine, theirs in zip(self.position, other.position, strict=True)]
        along = sum(n * b for n, b in zip(normal, between, strict=True))
        return abs(along), dist(between, [along * n for n in normal])


def need_joins(image: ImageFacts, others: Sequence[ImageFacts], *, away: Sequence[ImageFacts] = ()) -> None:
    """Whether the image may be read with these, which are one series already. Raises a CannotJoinSeries.

    ``away`` came in the series and are read elsewhere now: they may come back, so they have to be alike, too; their places
    are free meanwhile.
    """
    for other in (*others, *away):
        _need_alike(image, other)
    if image.is_slice:
        for other in others:
            _need_place(image, other)


def _need_alike(image: ImageFacts, other: ImageFacts) -> None:
    if image.is_strangers or other.is_strangers:
        raise StrangersImage()
    if image.modality != other.modality:
        raise OtherKindOfImage()
    if image.frames > 1 or other.frames > 1:
        raise WholeVolume()
    if image.is_slice != other.is_slice:
        raise OtherKindOfImage()
    if not image.is_slice:
        return
    same_space = image.frame_of_reference and image.frame_of_reference == other.frame_of_reference
    if not same_space or not _alike(image.orientation, other.orientation) or not _alike(image.grid, other.grid):
        raise OtherGeometry()
    _, across = image.away_from(other)
    if across > _SAME_AXIS:
        raise OtherGeometry()


def _need_place(image: ImageFacts, other: ImageFacts) -> None:
    along, _ = image.away_from(other)
    if along < _SAME_PLACE:
        raise PlaceTaken()


def _alike(one: Vector, other: Vector) -> bool:
    return len(one) == len(other) and all(abs(a - b) <= _PARALLEL for a, b in zip(one, other, strict=True))
