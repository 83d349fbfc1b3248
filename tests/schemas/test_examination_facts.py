"""What the images say of an examination is taken over, and what they cannot say is left to the reader."""

from datetime import date
from typing import Any

import pytest

from schemas.examination_facts import examination_of
from schemas.report_parts import Examination, Modality


def element(*values: Any) -> dict[str, Any]:
    return {"Value": list(values)}


VOLUME = {
    "00080060": element("CT"),
    "00080022": element("20261120"),
    "00080070": element("Acme"),
    "00081090": element("Cone 3"),
    "00280030": element(0.4, 0.4),
    "00280011": element(320),
    "00180050": element("0.4"),
}


def test_a_volume_tells_its_device_voxel_and_field() -> None:
    assert examination_of(VOLUME, 200) == Examination(
        modality=Modality.CBCT,
        acquired_on=date(2026, 11, 20),
        device="Acme Cone 3",
        voxel_mm=0.4,
        field_of_view_mm=128.0,
        field_of_view_height_mm=80.0,
    )


def test_a_panoramic_image_has_no_voxel() -> None:
    found = examination_of(VOLUME | {"00080060": element("PX")}, 1)
    assert found.modality is Modality.PANORAMIC
    assert (found.voxel_mm, found.field_of_view_mm, found.field_of_view_height_mm) == (None, None, None)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"00080022": element("no date")},
        {"00280030": element(0, 0), "00280011": element("many")},
        {"00280030": {"vr": "DS"}, "00080070": element(), "00081090": "text"},
        {"00280030": element(4.9, 4.9), "00280011": element(4000)},
        {"00080070": element("x" * 500)},
    ],
)
def test_nonsense_is_left_out(changes: dict[str, Any]) -> None:
    found = examination_of({"00080060": element("CT")} | changes, 1)
    assert found.modality is Modality.CBCT
    assert found.field_of_view_mm is None
