"""Moving images to another series: of the way they are read, never of the files."""

from typing import Any

import pytest
from sqlmodel import select

from schemas.lifecycle import State
from schemas.tables.arrangement import PlacedImage
from schemas.tables.case import Case
from schemas.tables.imaging import Instance
from schemas.tables.wires import AuditRow
from tests.activities.imaging import files
from tests.api.imaging_app import Desk

STUDY, VOLUME, STRAY, BITEWINGS = "1.2.1", "1.2.2", "1.2.3", "1.2.4"
SPACE: dict[str, Any] = {
    "FrameOfReferenceUID": "1.2.9",
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
}


def slice_file(series: str, number: int, uid: str, **attributes: Any) -> bytes:
    place: dict[str, Any] = {"ImagePositionPatient": [0, 0, number / 4], "SOPInstanceUID": uid}
    return files.dicom_file(study=STUDY, series=series, number=number, **(SPACE | place | attributes))


async def with_stray(desk: Desk) -> Case:
    """Three slices of a scan, a fourth that was exported into a series of its own, and a bitewing in another study."""
    case = desk.open_case()
    for number in (1, 2, 3):
        await desk.upload(case, slice_file(VOLUME, number, f"1.3.{number}"), f"slice{number}.dcm")
    await desk.upload(case, slice_file(STRAY, 4, "1.3.4", SeriesNumber=2, SeriesDescription="Stray"), "stray.dcm")
    desk.imaging.ingest(case.id)
    bitewing = files.dicom_file(
        study="1.2.5", series=BITEWINGS, Modality="IO", SOPInstanceUID="1.3.5", SeriesDescription="Bitewings"
    )
    await desk.upload(case, bitewing, "bitewing.dcm")
    desk.imaging.ingest(case.id)
    return case


async def with_photos(desk: Desk, number: int) -> tuple[Case, list[str]]:
    case = desk.open_case()
    for index in range(number):
        await desk.upload(case, files.photo(size=(60 + index, 40)), f"photo{index}.jpg")
    desk.imaging.ingest(case.id)
    return case, [file.id for file in desk.files(case)]


def image_id(desk: Desk, case: Case, sop_uid: str) -> str:
    with desk.world.database.read() as session:
        return session.exec(select(Instance.id).where(Instance.case_id == case.id, Instance.sop_uid == sop_uid)).one()


async def asked(desk: Desk, method: str, url: str, body: Any = None, *, person: str = "dentist") -> tuple[int, Any]:
    async with desk.client(person) as client:
        answer = await client.request(method, url, json=body)
        return answer.status_code, answer.json() if answer.content else None


async def entries(desk: Desk, case: Case, person: str = "dentist") -> list[dict[str, Any]]:
    status, view = await asked(desk, "GET", f"/api/v1/cases/{case.id}/series", person=person)
    assert status == 200, view
    return [entry for group in view["groups"] for entry in group["entries"]]


async def read_in(desk: Desk, case: Case) -> dict[str, list[str]]:
    """The instances of each series as it is read, by its description, as a viewer makes them of list and DICOMweb."""
    found = {}
    for entry in await entries(desk, case):
        url = f"/dicomweb/studies/{entry['study_uid']}/series/{entry['series_uid']}/instances"
        _, instances = await asked(desk, "GET", url)
        own = [each["00080018"]["Value"][0] for each in instances or [] if not entry["is_apart"]]
        moved = [each["instance_uid"] for each in entry["moved_in"]]
        found[entry["description"] + (" apart" if entry["is_apart"] else "")] = sorted(
            {*own, *moved} - {*entry["moved_away"]}
        )
        assert entry["images"] == len(found[entry["description"] + (" apart" if entry["is_apart"] else "")])
    return found


async def place(desk: Desk, case: Case, image: str, series: str | None, person: str = "dentist") -> tuple[int, str]:
    url = f"/api/v1/cases/{case.id}/series/images/{image}"
    status, told = await asked(desk, "PUT", url, {"series_id": series}, person=person)
    return status, told["code"] if told else ""


async def series_id(desk: Desk, case: Case, series_uid: str) -> str:
    return str(next(each["id"] for each in await entries(desk, case) if each["series_uid"] == series_uid))


async def test_a_stray_slice_is_read_with_its_scan_and_finds_back(desk: Desk) -> None:
    case = await with_stray(desk)
    stray, volume = image_id(desk, case, "1.3.4"), await series_id(desk, case, VOLUME)
    own = await series_id(desk, case, STRAY)
    assert await place(desk, case, stray, volume) == (204, "")
    assert await read_in(desk, case) == {"Volume": ["1.3.1", "1.3.2", "1.3.3", "1.3.4"], "Bitewings": ["1.3.5"]}
    (moved,) = (await entries(desk, case))[0]["moved_in"]
    assert (moved["series_uid"], moved["came_from"]) == (STRAY, "Stray")
    assert await place(desk, case, stray, volume) == (204, ""), "it is there already"
    with desk.world.database.read() as session:
        placed = session.exec(select(PlacedImage)).one()
        acts = [row.act for row in session.exec(select(AuditRow)).all() if row.act == "files.place"]
    assert (placed.id, acts) == (stray, ["files.place"])
    assert await place(desk, case, stray, None) == (204, "")
    assert await place(desk, case, stray, own) == (204, "")
    assert (await read_in(desk, case))["Stray"] == ["1.3.4"]
    with desk.world.database.read() as session:
        assert session.exec(select(PlacedImage)).all() == []


async def test_dicomweb_answers_with_what_the_files_say(desk: Desk) -> None:
    case = await with_stray(desk)
    url = f"/dicomweb/studies/{STUDY}/series/{STRAY}/metadata"
    before = await asked(desk, "GET", url)
    await place(desk, case, image_id(desk, case, "1.3.4"), await series_id(desk, case, VOLUME))
    assert await asked(desk, "GET", url) == before
    _, listed = await asked(desk, "GET", f"/dicomweb/studies/{STUDY}/series")
    assert {each["0020000E"]["Value"][0]: each["00201209"]["Value"][0] for each in listed} == {VOLUME: 3, STRAY: 1}


async def test_an_image_is_read_apart_others_join_it_and_the_next_one_keeps_the_series(desk: Desk) -> None:
    case = await with_stray(desk)
    first, second = image_id(desk, case, "1.3.1"), image_id(desk, case, "1.3.2")
    volume = await series_id(desk, case, VOLUME)
    assert await place(desk, case, first, second) == (404, "not_found"), "that one is in its own series"
    assert await place(desk, case, first, first) == (204, "")
    assert await place(desk, case, second, first) == (204, "")
    assert (await read_in(desk, case))["Volume apart"] == ["1.3.1", "1.3.2"]
    assert await place(desk, case, first, volume) == (204, "")
    assert (await read_in(desk, case))["Volume apart"] == ["1.3.2"]
    assert await place(desk, case, second, None) == (204, "")
    assert "Volume apart" not in await read_in(desk, case)


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"FrameOfReferenceUID": "1.2.10"}, "other_geometry"),
        ({"ImagePositionPatient": [0, 0, 0.25]}, "place_taken"),
        ({"Modality": "IO"}, "other_kind_of_image"),
        ({"PatientName": "Other^Olga", "PatientBirthDate": "19500101"}, "strangers_image"),
        ({"frames": 3}, "whole_volume"),
    ],
)
async def test_what_would_mislead_a_reader_is_refused(desk: Desk, attributes: dict[str, Any], code: str) -> None:
    case = await with_stray(desk)
    odd = slice_file("1.2.6", 9, "1.3.9", SeriesNumber=3, **attributes)
    await desk.upload(case, odd, "odd.dcm")
    desk.imaging.ingest(case.id)
    assert await place(desk, case, image_id(desk, case, "1.3.9"), await series_id(desk, case, VOLUME)) == (409, code)
    with desk.world.database.read() as session:
        assert session.exec(select(PlacedImage)).all() == []


async def test_a_series_that_was_emptied_takes_in_only_what_goes_with_what_came_in_it(desk: Desk) -> None:
    case = await with_stray(desk)
    stray, volume = image_id(desk, case, "1.3.4"), await series_id(desk, case, VOLUME)
    own = await series_id(desk, case, STRAY)
    await place(desk, case, stray, volume)
    assert await place(desk, case, image_id(desk, case, "1.3.5"), own) == (409, "other_kind_of_image")
    assert await place(desk, case, image_id(desk, case, "1.3.1"), own) == (204, "")
    assert await place(desk, case, stray, None) == (204, "")
    assert (await read_in(desk, case))["Stray"] == ["1.3.1", "1.3.4"]


async def test_an_image_finds_back_once_its_place_is_free(desk: Desk) -> None:
    case = await with_stray(desk)
    again = slice_file("1.2.8", 2, "1.3.8", SeriesNumber=3, SeriesDescription="Again")
    await desk.upload(case, again, "again.dcm")
    desk.imaging.ingest(case.id)
    second, twin = image_id(desk, case, "1.3.2"), image_id(desk, case, "1.3.8")
    volume = await series_id(desk, case, VOLUME)
    assert await place(desk, case, twin, volume) == (409, "place_taken")
    assert await place(desk, case, second, second) == (204, "")
    assert await place(desk, case, twin, volume) == (204, "")
    assert await place(desk, case, second, None) == (409, "place_taken")
    assert await place(desk, case, twin, None) == (204, "")
    assert await place(desk, case, second, None) == (204, "")


async def test_photographs_are_read_together_and_stand_as_one(desk: Desk) -> None:
    case, (first, second, third, alone) = await with_photos(desk, 4)
    for other in (second, third):
        assert await place(desk, case, other, first) == (204, "")
    (together, rest) = await entries(desk, case)
    assert [each["id"] for each in together["pictures"]] == [first, second, third]
    assert (rest["id"], rest["pictures"]) == (alone, [])
    _, arrangement = await asked(desk, "GET", f"/api/v1/cases/{case.id}/arrangement")
    assert [item["id"] for item in arrangement["groups"][0]["items"]] == [first, alone]
    assert await place(desk, case, first, alone) == (204, ""), "the others stay together"
    shown = {each["id"]: [picture["id"] for picture in each["pictures"]] for each in await entries(desk, case)}
    assert shown == {second: [second, third], alone: [alone, first]}
    assert await place(desk, case, third, third) == (204, ""), "alone again"
    assert {each["id"] for each in await entries(desk, case)} == {second, third, alone}


async def test_photographs_and_radiographs_are_no_one_series(desk: Desk) -> None:
    case = await with_stray(desk)
    await desk.upload(case, files.photo(), "smile.jpg")
    desk.imaging.ingest(case.id)
    (photo,) = [file.id for file in desk.files(case) if file.kind == "photo"]
    assert await place(desk, case, photo, await series_id(desk, case, BITEWINGS)) == (409, "other_kind_of_image")
    assert await place(desk, case, image_id(desk, case, "1.3.5"), photo) == (409, "other_kind_of_image")


async def test_what_was_submitted_stays_and_takes_nothing_in(desk: Desk) -> None:
    case = await with_stray(desk)
    stray, volume = image_id(desk, case, "1.3.4"), await series_id(desk, case, VOLUME)
    await place(desk, case, stray, volume)
    desk.freeze(case)
    desk.set_state(case, State.MODIFICATION_REQUESTED, assignee="radiologist", image_set=1)
    await desk.upload(case, slice_file("1.2.7", 7, "1.3.7"), "late.dcm")
    desk.imaging.ingest(case.id)
    assert await place(desk, case, stray, None) == (409, "file_frozen")
    assert await place(desk, case, image_id(desk, case, "1.3.7"), volume) == (409, "file_frozen")
    (shown, _) = await entries(desk, case, "radiologist")
    assert (shown["images"], len(shown["moved_in"])) == (4, 1), "the reader sees the series that the practice made"


async def test_a_late_image_finds_back_to_the_series_that_was_read(desk: Desk) -> None:
    case = await with_stray(desk)
    desk.freeze(case)
    desk.set_state(case, State.MODIFICATION_REQUESTED, assignee="radiologist", image_set=1)
    await desk.upload(case, slice_file(VOLUME, 7, "1.3.7"), "late.dcm")
    desk.imaging.ingest(case.id)
    late = image_id(desk, case, "1.3.7")
    assert await place(desk, case, late, late) == (204, "")
    assert await place(desk, case, late, None) == (204, "")
    assert (await read_in(desk, case))["Volume"] == ["1.3.1", "1.3.2", "1.3.3", "1.3.7"]


async def test_only_those_who_arrange_the_case_move_its_images(desk: Desk) -> None:
    case, (first, second, *_) = await with_photos(desk, 3)
    other = await with_stray(desk)
    desk.set_state(case, State.IN_REVIEW, assignee="radiologist")
    assert (await place(desk, case, first, second, "radiologist"))[0] == 403
    assert (await place(desk, case, first, second, "dentist2"))[0] == 404
    assert await place(desk, other, first, second) == (404, "not_found")
    assert await place(desk, other, image_id(desk, other, "1.3.5"), first) == (404, "not_found")
    assert await place(desk, case, first, await series_id(desk, other, VOLUME)) == (404, "not_found")
    status, _ = await asked(desk, "GET", f"/api/v1/cases/{case.id}/series", person="dentist2")
    assert status == 404


async def test_what_is_removed_sends_the_others_back(desk: Desk) -> None:
    case = await with_stray(desk)
    stray, volume = image_id(desk, case, "1.3.4"), await series_id(desk, case, VOLUME)
    await place(desk, case, stray, volume)
    for sop_uid in ("1.3.1", "1.3.2", "1.3.3"):
        with desk.world.database.read() as session:
            file_id = session.get_one(Instance, image_id(desk, case, sop_uid)).file_id
        assert (await asked(desk, "DELETE", f"/api/v1/cases/{case.id}/files/{file_id}"))[0] == 204
    assert await read_in(desk, case) == {"Stray": ["1.3.4"], "Bitewings": ["1.3.5"]}


async def test_names_headings_and_order_are_the_readers(desk: Desk) -> None:
    case = await with_stray(desk)
    await desk.upload(case, files.pdf(), "letter.pdf")
    desk.imaging.ingest(case.id)
    base = f"/api/v1/cases/{case.id}/arrangement"
    _, arrangement = await asked(desk, "GET", base)
    volume, bitewings, letter = (item["id"] for item in arrangement["groups"][0]["items"])
    _, group = await asked(desk, "POST", f"{base}/groups", {"name": "Before treatment"})
    words = {"title": "First visit", "description": "Lower front cut off", "teeth": ["36"]}
    await asked(desk, "PUT", f"{base}/items/{volume}/labels", words)
    await asked(desk, "POST", f"{base}/items/{bitewings}/move", {"group_id": group["id"]})
    await asked(desk, "POST", f"{base}/items/{letter}/move", {"before": volume})
    _, view = await asked(desk, "GET", f"/api/v1/cases/{case.id}/series?notation=universal")
    first, second = view["groups"]
    assert (first["name"], second["name"]) == (None, "Before treatment")
    shown = [(each["kind"], each["name"], each["teeth"]) for each in first["entries"]]
    assert shown == [
        ("file", "letter.pdf", []),
        ("series", "First visit · Volume", ["19"]),
        ("series", "First visit · Stray", ["19"]),
    ]
    assert [each["description"] for each in second["entries"]] == ["Bitewings"]
