"""Which images may be read as one series."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.image_series import (
    CannotJoinSeries,
    ImageFacts,
    OtherGeometry,
    OtherKindOfImage,
    PlaceTaken,
    StrangersImage,
    WholeVolume,
    need_joins,
)

FLAT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def slice_at(z: float) -> ImageFacts:
    return ImageFacts("CT", 1, "1.2.3", FLAT, (0.0, 0.0, z), (512, 512, 0.25, 0.25))


VOLUME = [slice_at(z / 4) for z in range(20)]
BITEWING = ImageFacts("IO", grid=(800, 1000, 0.02, 0.02))


def test_a_stray_slice_of_the_same_scan_joins_at_either_end_and_in_a_gap() -> None:
    for z in (-0.25, 5.0):
        need_joins(slice_at(z), VOLUME)
    need_joins(slice_at(2.5), [each for each in VOLUME if each.position[2] != 2.5])


def test_projections_of_one_kind_are_read_together_whatever_their_size() -> None:
    need_joins(BITEWING, [replace(BITEWING, grid=(600, 400)), BITEWING])
    need_joins(BITEWING, [])


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (replace(slice_at(9), modality="PX"), OtherKindOfImage),
        (replace(slice_at(9), orientation=(), position=()), OtherKindOfImage),
        (replace(slice_at(9), frames=200), WholeVolume),
        (replace(slice_at(9), frame_of_reference="1.2.4"), OtherGeometry),
        (replace(slice_at(9), frame_of_reference=""), OtherGeometry),
        (replace(slice_at(9), orientation=(0.0, 1.0, 0.0, 0.0, 0.0, 1.0)), OtherGeometry),
        (replace(slice_at(9), grid=(512, 512, 0.3, 0.3)), OtherGeometry),
        (replace(slice_at(9), grid=(256, 256, 0.25, 0.25)), OtherGeometry),
        (replace(slice_at(9), position=(4.0, 0.0, 9.0)), OtherGeometry),
        (slice_at(2.5), PlaceTaken),
        (replace(slice_at(9), is_strangers=True), StrangersImage),
    ],
)
def test_what_would_be_read_as_something_else_is_refused_by_name(
    image: ImageFacts, reason: type[CannotJoinSeries]
) -> None:
    with pytest.raises(reason):
        need_joins(image, VOLUME)


def test_nothing_joins_images_of_a_stranger_or_a_volume_in_one_file() -> None:
    with pytest.raises(StrangersImage):
        need_joins(BITEWING, [replace(BITEWING, is_strangers=True)])
    with pytest.raises(WholeVolume):
        need_joins(slice_at(9), [replace(slice_at(0), frames=400, orientation=(), position=())])


def test_a_slice_that_is_read_elsewhere_leaves_its_place_and_not_its_series() -> None:
    away, there = [slice_at(2.5)], [each for each in VOLUME if each.position[2] != 2.5]
    need_joins(slice_at(2.5), there, away=away)
    for odd in (replace(slice_at(2.5), frame_of_reference="1.2.4"), BITEWING):
        with pytest.raises(CannotJoinSeries):
            need_joins(odd, [], away=away)


@given(st.lists(st.integers(-400, 400), min_size=2, max_size=12, unique=True))
def test_slices_of_one_scan_join_in_any_order(places: list[int]) -> None:
    there: list[ImageFacts] = []
    for place in places:
        need_joins(slice_at(place * 0.25), there)
        there.append(slice_at(place * 0.25))
    with pytest.raises(PlaceTaken):
        need_joins(slice_at(places[-1] * 0.25), there)
