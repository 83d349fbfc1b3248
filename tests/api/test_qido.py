"""Searching over DICOMweb: which keys find what, however many studies there are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from activities.imaging.parser.pool import ParserPool
from api.imaging import lookup, qido
from tests.activities.imaging import files
from tests.api.imaging_app import Desk, imaging_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with ParserPool(1) as pool, imaging_desk(tmp_path, pool) as desk:
        yield desk


async def three_studies(desk: Desk) -> None:
    case = desk.open_case()
    for number in (1, 2, 3):
        study = f"1.2.{number}"
        image = files.dicom_file(
            study=study, series=f"{study}.7", SOPInstanceUID=f"{study}.7.1", AccessionNumber=f"A{number}"
        )
        await desk.upload(case, image)
        desk.imaging.ingest(case.id)


async def found(desk: Desk, path: str, tag: str = "0020000D") -> list[Any]:
    async with desk.client() as client:
        answer = await client.get(f"/dicomweb{path}")
    assert answer.status_code == 200, answer.text
    return sorted(each[tag]["Value"][0] for each in answer.json())


@pytest.mark.parametrize("level", ["studies", "series", "instances"])
@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [("1.2.2", [2]), ("1.2.1,1.2.3", [1, 3]), ("1.2.1%5C1.2.2", [1, 2]), ("1.2.*", [1, 2, 3]), ("*", [1, 2, 3])],
    ids=["one", "a list", "a list with backslashes", "a wild card", "anything"],
)
async def test_studies_are_found_by_one_uid_by_several_and_by_how_they_begin(
    desk: Desk, level: str, wanted: str, numbers: list[int]
) -> None:
    await three_studies(desk)
    assert await found(desk, f"/{level}?StudyInstanceUID={wanted}") == [f"1.2.{number}" for number in numbers]


async def test_instances_are_found_by_several_uids_too(desk: Desk) -> None:
    await three_studies(desk)
    for keyword, ending, tag in (("SeriesInstanceUID", ".7", "0020000E"), ("SOPInstanceUID", ".7.1", "00080018")):
        several = [f"1.2.{number}{ending}" for number in (1, 3)]
        assert await found(desk, f"/instances?{keyword}={','.join(several)}", tag) == several
        assert await found(desk, f"/instances?{keyword}=*", tag) == [f"1.2.{number}{ending}" for number in (1, 2, 3)]
        assert await found(desk, f"/instances?{keyword}={several[0]}", tag) == several[:1]


async def test_the_oldest_study_of_many_is_found(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "_STUDIES_AT_ONCE", 1)
    await three_studies(desk)
    assert await found(desk, "/studies?AccessionNumber=A1") == ["1.2.1"]
    assert await found(desk, "/studies?limit=2&offset=1") == ["1.2.1", "1.2.2"]
    assert await found(desk, "/studies?offset=3") == []


async def test_one_answer_has_a_bound_whatever_is_asked_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qido, "_MOST", 2)
    await three_studies(desk)
    assert len(await found(desk, "/studies?limit=999999999")) == 2
    assert await found(desk, "/studies?limit=2&offset=2") == ["1.2.1"]
