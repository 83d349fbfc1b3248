"""A DICOM file in the child: attributes by pydicom from a checked header, frames by the structure walk."""

import io
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from pydicom import config
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import UID

from activities.imaging.parser.burned_in import burned_in
from activities.imaging.parser.frames import PixelDescription, describe, frame_ranges
from activities.imaging.parser.limits import MAX_DEPTH, MAX_INLINE_BINARY, MAX_METADATA, MAX_VALUE
from activities.imaging.parser.problems import FileProblem, ProblemCode
from activities.imaging.parser.source import Bytes
from activities.imaging.parser.structure import Structure, walk
from activities.imaging.parser.syntaxes import EXPLICIT_LE, Coding, syntax_of

config.settings.reading_validation_mode = config.IGNORE
config.settings.writing_validation_mode = config.IGNORE

_UID: Final = re.compile(r"[0-9][0-9.]{0,63}")
"""As loosely written as devices do (PS3.5 §9.1 asks for more), but never "..": browsers leave a folder with that."""
_JPEG_EXTENDED: Final = "1.2.840.10008.1.2.4.51"
_ENCLOSED: Final = 0x00420011
_BINARY: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_PALETTE: Final = range(0x00281201, 0x00281224)
_IDENTITY: Final = ("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex")


@dataclass(frozen=True, slots=True)
class Opened:
    """A DICOM file whose header was read."""

    structure: Structure
    dataset: Dataset


def open_dicom(source: Bytes, *, fragments: bool = True) -> Opened | None:
    """None when it is no DICOM file. Raises FileProblem."""
    structure = walk(source, with_fragments=fragments)
    if structure is None:
        return None
    try:
        dataset = read_dataset(
            io.BytesIO(structure.header),
            is_implicit_VR=not structure.encoding.explicit,
            is_little_endian=structure.encoding.little,
        )
    except RecursionError:
        raise FileProblem(ProblemCode.OVER_LIMITS) from None
    return Opened(structure, dataset)


def examine_dicom(opened: Opened) -> tuple[dict[str, Any], bytes]:
    """What the record needs of an instance, and its DICOM JSON without bulk data (PS3.18 annex F), bounded.

    Raises FileProblem for what cannot be used as an image.
    """
    dataset, structure = opened.dataset, opened.structure
    if structure.pixels is None:
        raise FileProblem(ProblemCode.NO_PIXEL_DATA)
    facts = _facts(dataset, structure)
    description = describe(dataset)
    as_shown = shown_otherwise(structure, description)
    metadata = _metadata(dataset, structure, description, transcoded=as_shown)
    facts |= {
        "bulk": [[tag, *place] for tag, place in structure.bulk.items()],
        "frames": description.frames,
        "rows": description.rows,
        "columns": description.columns,
        "ranges": frame_ranges(structure, description),
        "transcoded": as_shown,
    }
    return facts, metadata


def examine_enclosing(opened: Opened, place: list[int]) -> tuple[dict[str, Any], bytes]:
    """The same of an instance that holds a document instead of frames; ``place`` is the document's offset and length."""
    facts = _facts(opened.dataset, opened.structure)
    opened.structure.bulk[_ENCLOSED] = (place[0], place[1])
    metadata = _metadata(opened.dataset, opened.structure, None, transcoded=False)
    facts |= {"bulk": [[tag, *each] for tag, each in opened.structure.bulk.items()]}
    facts |= {"frames": 0, "rows": 0, "columns": 0, "ranges": [place], "transcoded": False}
    return facts, metadata


def _facts(dataset: Dataset, structure: Structure) -> dict[str, Any]:
    uids = {name: _uid(dataset, name) for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")}
    if not all(uids.values()):
        raise FileProblem(ProblemCode.MISSING_UIDS)
    return {
        "study_uid": uids["StudyInstanceUID"],
        "series_uid": uids["SeriesInstanceUID"],
        "sop_uid": uids["SOPInstanceUID"],
        "sop_class_uid": _uid(dataset, "SOPClassUID") or "",
        "transfer_syntax_uid": structure.transfer_syntax,
        "modality": _text(dataset, "Modality", 16) or "OT",
        "series_number": _integer(dataset, "SeriesNumber"),
        "number": _integer(dataset, "InstanceNumber"),
        "burned_in": burned_in(dataset),
        "identity": {name: _text(dataset, name, 1024) for name in _IDENTITY},
        "window": _first_floats(dataset, "WindowCenter", "WindowWidth"),
        "spacing": _spacing(dataset),
        "spacing_source": _spacing_source(dataset),
    }


def shown_otherwise(structure: Structure, description: PixelDescription) -> bool:
    """Whether browsers cannot show the stored frames, so that they are always served decoded, as explicit VR little endian."""
    syntax = syntax_of(structure.transfer_syntax)
    if not syntax.in_browsers:
        return True
    if syntax.coding is Coding.NATIVE:
        return description.bits_allocated == 1 or description.photometric == "YBR_FULL_422"
    # Twelve bits in the lossy form of JPEG: browsers' decoders know eight.
    return structure.transfer_syntax == _JPEG_EXTENDED and description.bits_stored > 8


def _metadata(
    dataset: Dataset, structure: Structure, description: PixelDescription | None, *, transcoded: bool
) -> bytes:
    try:
        _drop_bulk(dataset)
        attributes = dataset.to_json_dict(bulk_data_threshold=1 << 30, suppress_invalid_tags=True)
    except RecursionError:
        raise FileProblem(ProblemCode.OVER_LIMITS) from None
    _refer_to_bulk(attributes, structure)
    # Available Transfer Syntax UID (PS3.4 table C.3-3): in what the frames are served.
    attributes["00083002"] = {"vr": "UI", "Value": [EXPLICIT_LE if transcoded else structure.transfer_syntax]}
    if transcoded and description is not None:
        _describe_decoded(attributes, description)
    metadata = json.dumps(attributes, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode(
        errors="replace"
    )
    if len(metadata) > MAX_METADATA:
        raise FileProblem(ProblemCode.OVER_LIMITS)
    return metadata


def _refer_to_bulk(attributes: dict[str, Any], structure: Structure) -> None:
    """Names what was left out by the last part of its address (PS3.18 §F.2.2); what is in the JSON after all needs none."""
    for tag in list(structure.bulk):
        key = f"{tag:08X}"
        if attributes.get(key, {}).keys() & {"Value", "InlineBinary"}:
            del structure.bulk[tag]
            continue
        vr = dictionary_VR(tag) if dictionary_has_tag(tag) else "UN"
        if vr == "SQ":
            del structure.bulk[tag]
        else:
            attributes[key] = {"vr": "OW" if " or " in vr else vr, "BulkDataURI": f"bulkdata/{key}"}


def _describe_decoded(attributes: dict[str, Any], description: PixelDescription) -> None:
    """The metadata of frames that are served decoded describes those, or a client would read them wrongly."""
    if description.bits_allocated == 1:
        attributes["00280100"] = attributes["00280101"] = {"vr": "US", "Value": [8]}
        attributes["00280102"] = {"vr": "US", "Value": [7]}
    if description.photometric.startswith("YBR"):
        attributes["00280004"] = {"vr": "CS", "Value": ["RGB"]}
    if description.samples > 1:
        attributes["00280006"] = {"vr": "US", "Value": [0]}


def _drop_bulk(dataset: Dataset, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise FileProblem(ProblemCode.OVER_LIMITS)
    for element in list(dataset):
        if element.VR == "SQ":
            for item in element.value:
                _drop_bulk(item, depth + 1)
        elif element.VR in _BINARY and isinstance(element.value, bytes):
            limit = MAX_VALUE if int(element.tag) in _PALETTE else MAX_INLINE_BINARY
            if len(element.value) > limit:
                del dataset[element.tag]


def _uid(dataset: Dataset, name: str) -> str | None:
    value = dataset.get(name)
    text = str(value).strip(" \0") if isinstance(value, UID | str) else ""
    return text if _UID.fullmatch(text) else None


def _text(dataset: Dataset, name: str, limit: int) -> str:
    value = dataset.get(name)
    return "" if value is None else str(value).strip(" \0")[:limit]


def _integer(dataset: Dataset, name: str) -> int | None:
    try:
        value = int(dataset.get(name))
    except (TypeError, ValueError, OverflowError):
        return None
    return value if abs(value) < 2**31 else None


def _first_floats(dataset: Dataset, *names: str) -> list[float] | None:
    values = [_floats(dataset.get(name))[:1] for name in names]
    return [value[0] for value in values] if all(values) else None


def _floats(value: Any) -> list[float]:
    try:
        parts = (
            value
            if isinstance(value, list | tuple) or (hasattr(value, "__iter__") and not isinstance(value, str))
            else [value]
        )
        numbers = [float(part) for part in parts]
    except (TypeError, ValueError):
        return []
    return numbers if all(abs(number) < 1e12 for number in numbers) else []


def _spacing_source(dataset: Dataset) -> str:
    """Which attribute the spacing comes from: distances in projections depend on it (PS3.3 10.7.1.3)."""
    for name in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        if len(_floats(dataset.get(name))) == 2:
            return name
    return ""


def _spacing(dataset: Dataset) -> list[float] | None:
    """Row and column spacing, mm. Zero and negative values are no spacing."""
    name = _spacing_source(dataset)
    values = _floats(dataset.get(name)) if name else []
    return values if len(values) == 2 and all(value > 0 for value in values) else None
