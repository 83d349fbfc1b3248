"""What the images themselves say of an examination, for the report's first section. Pure; the reader may change all of it.

Attributes by DICOM PS3.3: Manufacturer (0008,0070), Manufacturer's Model Name (0008,1090), Acquisition Date (0008,0022),
Study Date (0008,0020), Pixel Spacing (0028,0030), Rows (0028,0010), Columns (0028,0011), Slice Thickness (0018,0050).
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from schemas.report_parts import Examination, Modality

_MODALITIES: Final = {
    "CT": Modality.CBCT,
    "PX": Modality.PANORAMIC,
    "IO": Modality.INTRAORAL,
}
_LONGEST_DEVICE: Final = 120
_LARGEST_VOXEL_MM: Final = 5.0
_LARGEST_FIELD_MM: Final = 400.0


def examination_of(metadata: Mapping[str, Any], images: int) -> Examination:
    """The examination as one instance's DICOM JSON (PS3.18 F.2) tells it. ``images`` counts those of its series.

    What is absent or cannot be is left empty: millimetres come from Pixel Spacing alone, which a projection may lack.
    """
    modality = _MODALITIES.get(str(_first(metadata, "00080060")), Modality.OTHER)
    spacing = _numbers(metadata, "00280030")
    voxel = spacing[0] if modality is Modality.CBCT and spacing and 0 < spacing[0] <= _LARGEST_VOXEL_MM else None
    return Examination(
        modality=modality,
        acquired_on=_date(_first(metadata, "00080022") or _first(metadata, "00080020")),
        device=_device(metadata),
        voxel_mm=voxel,
        field_of_view_mm=_extent(voxel, _first(metadata, "00280011")),
        field_of_view_height_mm=_extent(_number(_first(metadata, "00180050")) if voxel else None, images),
    )


def _first(metadata: Mapping[str, Any], tag: str) -> Any:
    element = metadata.get(tag)
    values = element.get("Value") if isinstance(element, Mapping) else None
    return values[0] if isinstance(values, list) and values else None


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _numbers(metadata: Mapping[str, Any], tag: str) -> list[float]:
    element = metadata.get(tag)
    values = element.get("Value") if isinstance(element, Mapping) else None
    found = [_number(value) for value in values] if isinstance(values, list) else []
    return [number for number in found if number is not None]


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _device(metadata: Mapping[str, Any]) -> str:
    words = [str(value) for tag in ("00080070", "00081090") if (value := _first(metadata, tag))]
    return " ".join(dict.fromkeys(words))[:_LONGEST_DEVICE]


def _extent(step_mm: float | None, count: Any) -> float | None:
    """Millimetres of so many steps, to a tenth; None where that is no field of view."""
    steps = _number(count)
    if step_mm is None or steps is None:
        return None
    extent = round(step_mm * steps, 1)
    return extent if 0 < extent <= _LARGEST_FIELD_MM else None
