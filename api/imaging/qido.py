"""QIDO-RS: search by attributes (PS3.18 §10.6), answered from rows and from the sealed attributes of each level."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from pydantic import JsonValue
from sqlmodel import Session

from activities.imaging.records import SERIES_TAGS, STUDY_TAGS
from api.imaging.access import ImageAccess
from api.imaging.lookup import FoundInstance, FoundStudy, instances, series_of, studies
from infra.sealing import column_aad, open_json
from schemas.errors import InvalidInput
from schemas.tables.imaging import Series

Attributes = dict[str, JsonValue]

_KEYWORDS: Final = {
    "StudyInstanceUID": "0020000D",
    "StudyDate": "00080020",
    "AccessionNumber": "00080050",
    "ModalitiesInStudy": "00080061",
    "SeriesInstanceUID": "0020000E",
    "Modality": "00080060",
    "SeriesNumber": "00200011",
    "SOPInstanceUID": "00080018",
    "SOPClassUID": "00080016",
    "InstanceNumber": "00200013",
}
"""What can be searched for. Names and birth dates are not: they do not belong in an address."""
_TAGS: Final = frozenset(_KEYWORDS.values())
_OTHER: Final = frozenset({"accept", "limit", "offset", "includefield", "fuzzymatching"})
_INSTANCE_TAGS: Final = (
    "00080005", "00080016", "00080018", "00083002", "0020000D", "0020000E", "00200013",
    "00280008", "00280010", "00280011", "00280100",
)  # fmt: skip
"""Attributes of the instance level (PS3.18 table 10.6.3-5)."""
_MOST: Final = 1000
_TAG: Final = re.compile(r"[0-9A-F]{8}")
_UID: Final = re.compile(r"[0-9.]+")
_EVERYTHING: Final = "all"


@dataclass(frozen=True)
class Query:
    """``match`` holds tag and wanted value; ``ignored`` the keys that are not supported; ``include`` the tags of attributes
    that are wanted of instances beside the usual ones, or ``all``."""

    match: Mapping[str, str]
    limit: int
    offset: int
    ignored: tuple[str, ...]
    include: frozenset[str] = frozenset()

    @classmethod
    def of(cls, parameters: Iterable[tuple[str, str]]) -> "Query":
        match: dict[str, str] = {}
        paging = {"limit": _MOST, "offset": 0}
        ignored: list[str] = []
        include: set[str] = set()
        for name, value in parameters:
            tag = _KEYWORDS.get(name, name.upper())
            if name in paging:
                if not value.isdecimal() or len(value) > 9:
                    raise InvalidInput(f"{name} is a whole number.")
                paging[name] = int(value)
            elif tag in _TAGS:
                match[tag] = value
            elif name == "includefield":
                include.update(_tag_of(field) for field in value.split(","))
            elif name not in _OTHER:
                ignored.append(name)
        return cls(match, min(paging["limit"], _MOST), paging["offset"], tuple(ignored), frozenset(include))

    @property
    def warning(self) -> dict[str, str]:
        """The header that tells of ignored keys (PS3.18 §8.3.4.4); their names only, which are the client's own words."""
        return (
            {"Warning": '299 odontoflow "Some query keys are not supported and were ignored."'} if self.ignored else {}
        )

    def one_uid(self, tag: str) -> str | None:
        """The one UID that is wanted, by which the database can look; None where any, or several, will do."""
        wanted = self.match.get(tag, "")
        return wanted if _UID.fullmatch(wanted) else None

    def page(self, found: Iterable[Attributes]) -> list[Attributes]:
        """What matches, of what is found, as far as the page reaches: the rest is not looked for."""
        wanted = (attributes for attributes in found if self._matches(attributes))
        return list(islice(wanted, self.offset, self.offset + self.limit))

    def _matches(self, attributes: Attributes) -> bool:
        return all(_match(tag, wanted, values(attributes, tag)) for tag, wanted in self.match.items())


def _tag_of(field: str) -> str:
    """The tag of an attribute by its keyword or its tag; ``all``, and what is unknown, as it is."""
    name = field.strip()
    if name == _EVERYTHING or _TAG.fullmatch(name.upper()):
        return name if name == _EVERYTHING else name.upper()
    from pydicom.datadict import tag_for_keyword  # noqa: PLC0415 - large, and few ask for a keyword

    tag = tag_for_keyword(name)
    return name if tag is None else f"{tag:08X}"


def values(attributes: Attributes, tag: str) -> list[str]:
    element = attributes.get(tag)
    found = element.get("Value") if isinstance(element, dict) else None
    return [str(value) for value in found] if isinstance(found, list) else []


def _match(tag: str, wanted: str, found: list[str]) -> bool:
    """Single value, UID list, date range, and wild cards at the end (PS3.4 §C.2.2.2)."""
    if wanted in {"", "*"}:
        return True
    if tag == "00080020" and "-" in wanted:
        first, _, last = wanted.partition("-")
        return any((not first or first <= value) and (not last or value <= last) for value in found)
    options = wanted.replace("\\", ",").split(",")
    return any(
        value == option or (option.endswith("*") and value.startswith(option[:-1]))
        for option in options
        for value in found
    )


def search_studies(session: Session, access: ImageAccess, query: Query, base: str) -> list[Attributes]:
    return query.page(_study(study, there, base) for study, there in _studies(session, access, query))


def search_all_series(session: Session, access: ImageAccess, query: Query, base: str) -> list[Attributes]:
    """Across studies: each with the attributes of its study (PS3.18 table 10.6.1-5)."""

    def found() -> Iterator[Attributes]:
        for study, there in _studies(session, access, query):
            above = _study(study, there, base)
            for series, count in there:
                yield above | _series(study, series, count, base)

    return query.page(found())


def search_all_instances(session: Session, access: ImageAccess, query: Query, base: str) -> list[Attributes]:
    """Across studies: each with the attributes of its study and its series."""

    def found() -> Iterator[Attributes]:
        for study, _ in _studies(session, access, query):
            for instance in instances(session, study, query.one_uid("0020000E"), query.one_uid("00080018")):
                yield _instance(instance, base, query.include, (*STUDY_TAGS, *SERIES_TAGS, *_INSTANCE_TAGS))

    return query.page(found())


def _studies(
    session: Session, access: ImageAccess, query: Query
) -> Iterator[tuple[FoundStudy, Sequence[tuple[Series, int]]]]:
    """Each study that has images once, with its series: of several copies the newest."""
    seen: set[str] = set()
    for study in studies(session, access, query.one_uid("0020000D")):
        if study.study.study_uid in seen:
            continue
        there = series_of(session, study)
        if there:
            seen.add(study.study.study_uid)
            yield study, there


def search_series(session: Session, found: FoundStudy, query: Query, base: str) -> list[Attributes]:
    return query.page(_series(found, series, count, base) for series, count in series_of(session, found))


def search_instances(there: Sequence[FoundInstance], query: Query, base: str) -> list[Attributes]:
    return query.page(_instance(instance, base, query.include, _INSTANCE_TAGS) for instance in there)


def _study(found: FoundStudy, there: Sequence[tuple[Series, int]], base: str) -> Attributes:
    study = found.study
    modalities: list[JsonValue] = [*sorted({series.modality for series, _ in there})]
    return {
        **_opened(found, "study", study.id, study.attributes),
        "00080056": _element("CS", "ONLINE"),
        "00080061": {"vr": "CS", "Value": modalities},
        "00081190": _element("UR", f"{base}/studies/{study.study_uid}"),
        "0020000D": _element("UI", study.study_uid),
        "00201206": _element("IS", len(there)),
        "00201208": _element("IS", sum(count for _, count in there)),
    }


def _series(found: FoundStudy, series: Series, count: int, base: str) -> Attributes:
    return {
        **_opened(found, "series", series.id, series.attributes),
        "00080060": _element("CS", series.modality),
        "00081190": _element("UR", f"{base}/studies/{found.study.study_uid}/series/{series.series_uid}"),
        "0020000D": _element("UI", found.study.study_uid),
        "0020000E": _element("UI", series.series_uid),
        "00201209": _element("IS", count),
    }


def _instance(found: FoundInstance, base: str, include: frozenset[str], tags: Sequence[str]) -> Attributes:
    place = column_aad("instance", found.instance.id, "metadata_json")
    metadata = open_json(found.images.key, found.instance.metadata_json, place)
    assert isinstance(metadata, dict)
    metadata = {
        tag: element for tag, element in metadata.items() if isinstance(element, dict) and "BulkDataURI" not in element
    }
    kept = metadata if _EVERYTHING in include else {tag: metadata[tag] for tag in {*tags, *include} if tag in metadata}
    study, series = values(metadata, "0020000D")[0], found.series.series_uid
    return dict(sorted(kept.items())) | {
        "00080056": _element("CS", "ONLINE"),
        "00081190": _element("UR", f"{base}/studies/{study}/series/{series}/instances/{found.instance.sop_uid}"),
    }


def _opened(found: FoundStudy, table: str, row_id: str, sealed: bytes) -> Attributes:
    attributes = open_json(found.images.key, sealed, column_aad(table, row_id, "attributes"))
    assert isinstance(attributes, dict)
    return attributes


def _element(vr: str, value: str | int) -> JsonValue:
    return {"vr": vr, "Value": [value]}
