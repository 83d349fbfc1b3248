"""The checklist decides what a report must speak about: too short a list hides a finding."""

import pytest

from schemas.checklists import REGIONS, Scope, checklist, scope_of
from schemas.clinical import Purpose

EXTRAGNATHIC = {
    "paranasal_sinuses",
    "airway",
    "skull_base",
    "cervical_spine",
    "orbits",
    "neck",
    "tmj_right",
    "tmj_left",
}


@pytest.mark.parametrize(
    ("field_of_view_mm", "scope"),
    [(40.0, Scope.DENTOALVEOLAR), (80.0, Scope.DENTOALVEOLAR), (80.1, Scope.CRANIOFACIAL), (230.0, Scope.CRANIOFACIAL)],
)
def test_eight_centimetres_is_still_dentoalveolar(field_of_view_mm: float, scope: Scope) -> None:
    assert scope_of(field_of_view_mm) is scope


def test_an_unknown_field_of_view_gets_the_long_list() -> None:
    assert {region.code for region in checklist(Purpose.IMPLANT, None)} == set(REGIONS)


def test_a_large_volume_is_read_whole_whatever_the_purpose() -> None:
    for purpose in Purpose:
        assert {region.code for region in checklist(purpose, 160)} >= EXTRAGNATHIC


def test_a_small_implant_volume_is_not_asked_about_the_skull_base() -> None:
    codes = {region.code for region in checklist(Purpose.IMPLANT, 60)}
    assert not codes & EXTRAGNATHIC
    assert {"teeth", "mandible", "maxillary_sinuses", "soft_tissues"} <= codes


@pytest.mark.parametrize(
    ("purpose", "expected"),
    [
        (Purpose.TMD, {"tmj_right", "tmj_left"}),
        (Purpose.AIRWAY, {"airway"}),
        (Purpose.TRAUMA, {"tmj_right", "tmj_left", "orbits"}),
    ],
)
def test_the_purpose_adds_its_own_regions_to_a_small_volume(purpose: Purpose, expected: set[str]) -> None:
    assert expected <= {region.code for region in checklist(purpose, 80)}


def test_regions_come_once_and_in_reading_order() -> None:
    order = list(REGIONS)
    for purpose in (None, *Purpose):
        for field_of_view in (50, 80, 120, None):
            codes = [region.code for region in checklist(purpose, field_of_view)]
            assert codes == sorted(set(codes), key=order.index)
