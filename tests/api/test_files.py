"""A case's files, annotations and key images: what is shown, to whom, and what is never shown inline."""

import base64
import io
import json
from typing import Any

import numpy as np
from PIL import Image
from sqlmodel import select

from activities.imaging.image_sets import image_set_hash
from activities.records.projection import state_of
from api.case_files import case_files
from api.standing import load_case
from infra.sealing import column_aad, seal_json
from schemas.ids import new_id
from schemas.lifecycle import State
from schemas.report_parts import KeyImage as KeyImageReference
from schemas.state import IdentityStanding
from schemas.tables.case import Case
from schemas.tables.imaging import AnnotationSet, Instance, KeyImage, Preview, Study
from schemas.tables.report import ReportVersion
from schemas.tables.wires import AuditRow, OutboxItem
from tests.activities.documents.samples import content, signed
from tests.activities.imaging import files
from tests.api.imaging_app import Desk, creation


async def listed(desk: Desk, case: Case, name: str = "dentist") -> list[dict[str, Any]]:
    async with desk.client(name) as client:
        answer = await client.get(f"/api/v1/cases/{case.id}/files")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_the_list_says_what_each_file_is_and_what_is_wrong_with_it(desk: Desk) -> None:
    case = desk.open_case()
    await desk.upload(
        case, files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4"), "slice.dcm", "CD/slice.dcm"
    )
    await desk.upload(case, files.photo(), "smile.jpg")
    await desk.upload(case, files.pdf(), "letter.pdf")
    await desk.upload(case, b"MZ program", "viewer.exe")
    async with desk.client() as client:
        begun = creation(case.id, 900, "large.dcm")
        del begun["Content-Type"]
        await client.post("/api/v1/uploads", headers=begun)
        answer = (await client.get(f"/api/v1/cases/{case.id}/files")).json()
    assert {item["state"] for item in answer["items"]} == {"stored"}
    assert all(item["url"] is None and item["thumbnail_url"] is None for item in answer["items"])
    assert [(upload["name"], upload["size"], upload["offset"]) for upload in answer["uploads"]] == [
        ("large.dcm", 900, 0)
    ]

    desk.imaging.ingest(case.id)
    by_name = {item["name"]: item for item in await listed(desk, case)}
    slice_, photo, letter, program = (by_name[name] for name in ("slice.dcm", "smile.jpg", "letter.pdf", "viewer.exe"))
    assert slice_["path"] == "CD/slice.dcm"
    assert slice_["series"] == {
        "study_uid": "1.2", "series_uid": "1.3", "modality": "CT", "number": 1, "description": "Volume",
    }  # fmt: skip
    assert (photo["kind"], letter["kind"], program["kind"]) == ("photo", "document", "other")
    assert photo["url"].endswith("/picture") and letter["url"].endswith("/content")
    assert (program["state"], program["url"], program["problem_code"]) == ("unreadable", None, "not_an_image")
    assert program["problem"].endswith(".")


async def test_the_study_that_names_another_patient_is_pointed_out_until_two_people_have_agreed(desk: Desk) -> None:
    case = desk.open_case()
    await desk.upload(case, files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4"))
    foreign = files.dicom_file(
        study="1.5", series="1.6", SOPInstanceUID="1.7", PatientName="Weber^Karl", PatientBirthDate="19510203"
    )
    await desk.upload(case, foreign)
    desk.imaging.ingest(case.id)

    def strangers() -> list[str | None]:
        with desk.world.database.read() as session:
            access = load_case(session, desk.world.keys, case.id, desk.world.person("dentist"))
            return [study.stranger for study in case_files(session, access).studies]

    assert set(strangers()) == {None, "Karl Weber"}
    with desk.world.database.write() as session:
        row = session.get_one(Case, case.id)
        state = state_of(row)
        agreed = state.identity.model_copy(update={"standing": IdentityStanding.OVERRIDDEN})
        row.snapshot = state.model_copy(update={"identity": agreed}).model_dump_json()
    assert strangers() == [None, None]


async def test_what_came_from_outside_is_saved_and_never_shown_inline(desk: Desk) -> None:
    case = desk.open_case()
    content = files.photo(orientation=6)
    for name, body in (("smile.jpg", content), ("letter.pdf", files.pdf()), ('na"me\r\n.dcm', files.dicom_file())):
        await desk.upload(case, body, name)
    desk.imaging.ingest(case.id)
    async with desk.client() as client:
        for item in await listed(desk, case):
            answer = await client.get(item["download_url"])
            assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
            assert "\r" not in answer.headers["content-disposition"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-security-policy"].startswith("sandbox")
            if item["kind"] == "photo":
                saved = Image.open(io.BytesIO(answer.content))
                assert np.array_equal(np.asarray(saved), np.asarray(Image.open(io.BytesIO(content))))
                assert dict(saved.getexif()) == {0x0112: 6}, "how it is held, and nothing else that a camera wrote"
                picture = await client.get(item["url"])
                image = Image.open(io.BytesIO(picture.content))
                assert (picture.headers["content-type"], image.size) == ("image/jpeg", (40, 60))
                assert not image.getexif()
            if item["thumbnail_url"]:
                assert (await client.get(item["thumbnail_url"])).headers["content-type"] == "image/jpeg"


async def test_files_are_found_under_their_own_case_alone(desk: Desk) -> None:
    case, other = desk.open_case(), desk.open_case()
    file_id = await desk.upload(case, files.photo(), "smile.jpg")
    unchecked = await desk.upload(case, files.photo() + b"\0", "later.jpg")
    desk.imaging.ingest(case.id)
    with desk.world.database.write() as session:
        session.get_one(type(desk.files(case)[0]), unchecked).state = "stored"
    ways = ("content", "picture", "thumbnail")
    async with desk.client() as client:
        for way in ways:
            assert (await client.get(f"/api/v1/cases/{case.id}/files/{file_id}/{way}")).status_code == 200
            assert (await client.get(f"/api/v1/cases/{other.id}/files/{file_id}/{way}")).status_code == 404
            assert (await client.get(f"/api/v1/cases/{case.id}/files/{unchecked}/{way}")).status_code == 404
        assert (await client.delete(f"/api/v1/cases/{other.id}/files/{file_id}")).status_code == 404
    for name, status in (
        (None, 401),
        ("dentist2", 404),
        ("radiologist", 404),
        ("practice_scheduler", 403),
        ("admin", 403),
    ):
        async with desk.client(name) as client:
            for way in ways:
                assert (await client.get(f"/api/v1/cases/{case.id}/files/{file_id}/{way}")).status_code == status
    scheduled = await listed(desk, case, "practice_scheduler")
    assert len(scheduled) == 2 and all(item["url"] is None for item in scheduled)


async def test_a_file_is_removed_with_all_that_was_made_of_it(desk: Desk) -> None:
    case = desk.open_case()
    file_id = await desk.upload(case, files.dicom_file())
    photo_id = await desk.upload(case, files.photo())
    desk.imaging.ingest(case.id)
    async with desk.client() as client:
        for each in (file_id, photo_id):
            assert (await client.delete(f"/api/v1/cases/{case.id}/files/{each}")).status_code == 204
            assert (await client.delete(f"/api/v1/cases/{case.id}/files/{each}")).status_code == 404
    assert await listed(desk, case) == []
    assert not desk.app.state.services.blobs.exists(file_id)
    with desk.world.database.read() as session:
        for table in (Study, Instance, Preview):
            assert session.exec(select(table).where(table.case_id == case.id)).all() == []
        acts = session.exec(select(AuditRow.act).where(AuditRow.scope == case.id)).all()
        facts = session.exec(select(OutboxItem.kind).where(OutboxItem.case_id == case.id)).all()
    assert acts.count("file.remove") == 2 and facts.count("files_settled") == 1


async def test_a_submitted_file_stays_unless_its_set_is_held_for_attention(desk: Desk) -> None:
    case = desk.open_case()
    first = await desk.upload(case, files.dicom_file())
    desk.imaging.ingest(case.id)
    desk.freeze(case, 1)
    desk.set_state(case, State.MODIFICATION_REQUESTED, image_set=1)
    second = await desk.upload(case, files.dicom_file())
    desk.imaging.ingest(case.id)
    desk.freeze(case, 2)
    url = f"/api/v1/cases/{case.id}/files"
    async with desk.client() as client:
        desk.set_state(case, State.PROCESSING, image_set=2)
        assert (await client.delete(f"{url}/{second}")).status_code == 403
        desk.set_state(case, State.ATTENTION)
        refused = await client.delete(f"{url}/{first}")
        assert (refused.status_code, refused.json()["code"]) == (409, "file_frozen")
        with desk.world.database.read() as session:
            before = image_set_hash(session, case.id, 1)
        assert (await client.delete(f"{url}/{second}")).status_code == 204
        with desk.world.database.read() as session:
            assert image_set_hash(session, case.id, 1) == before == image_set_hash(session, case.id, 2)


async def test_removing_one_of_two_that_clash_brings_the_other_back(desk: Desk) -> None:
    case = desk.open_case()
    same = {"study": "1.2", "series": "1.3", "SOPInstanceUID": "1.4"}
    wrong = await desk.upload(case, files.dicom_file(number=1, **same))  # type: ignore[arg-type]
    desk.imaging.ingest(case.id)
    right = await desk.upload(case, files.dicom_file(number=2, **same))  # type: ignore[arg-type]
    desk.imaging.ingest(case.id)
    assert [item["problem_code"] for item in await listed(desk, case)] == [None, "conflicting_instance"]
    async with desk.client() as client:
        await client.delete(f"/api/v1/cases/{case.id}/files/{wrong}")
    desk.imaging.ingest(case.id)
    assert [(item["id"], item["state"], item["problem"]) for item in await listed(desk, case)] == [
        (right, "ready", None)
    ]


MARK = {
    "metadata": {"toolName": "Length", "FrameOfReferenceUID": "1.3"},
    "data": {"handles": {"points": [[0, 0, 1.5]]}},
}


async def in_review(desk: Desk) -> Case:
    case = desk.open_case()
    await desk.upload(case, files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4"))
    desk.imaging.ingest(case.id)
    desk.freeze(case)
    desk.set_state(case, State.IN_REVIEW, assignee="radiologist")
    return case


async def test_annotations_are_saved_over_what_was_read_and_nothing_else(desk: Desk) -> None:
    case = await in_review(desk)
    url = f"/api/v1/cases/{case.id}/annotations"
    body = {"annotations": [MARK], "viewer_state": {"layout": "1x1"}}
    async with desk.client("radiologist") as client:
        empty = await client.get(url)
        assert (empty.json()["annotations"], empty.headers["etag"]) == ([], '"0"')
        assert (await client.put(url, json=body)).status_code == 428
        first = await client.put(url, json=body, headers={"If-None-Match": "*"})
        assert (first.status_code, first.headers["etag"]) == (200, '"1"')
        second = await client.put(url, json=body | {"annotations": [MARK, MARK]}, headers={"If-Match": '"1"'})
        assert second.headers["etag"] == '"2"'
        stale = await client.put(url, json=body, headers={"If-Match": '"1"'})
        assert (stale.status_code, stale.headers["etag"], stale.json()["code"]) == (412, '"2"', "edited_meanwhile")
        assert len(stale.json()["current"]["annotations"]) == 2
        assert (await client.put(url, json=body, headers={"If-None-Match": "*"})).status_code == 412
        deep: Any = {}
        for _ in range(200):
            deep = {"a": deep}
        too_deep = await client.put(url, json=body | {"viewer_state": deep}, headers={"If-Match": '"2"'})
        assert too_deep.status_code == 422
        assert (await client.get(url)).json()["viewer_state"] == {"layout": "1x1"}
    async with desk.client("dentist") as client:
        assert len((await client.get(url)).json()["annotations"]) == 2
        assert (await client.put(url, json=body, headers={"If-Match": '"2"'})).status_code == 403
    for name in ("dentist2", "radiologist2"):
        async with desk.client(name) as client:
            assert (await client.get(url)).status_code == 404
    with desk.world.database.read() as session:
        row = session.get_one(AnnotationSet, case.id)
    assert b"Length" not in row.content


async def test_the_hash_of_annotations_does_not_depend_on_the_view(desk: Desk) -> None:
    """A signature covers the marks; scrolling afterwards changes nothing that was signed."""
    case = await in_review(desk)
    url = f"/api/v1/cases/{case.id}/annotations"
    hashes = []
    async with desk.client("radiologist") as client:
        for revision, (marks, view) in enumerate((([MARK], 1), ([MARK], 2), ([MARK, MARK], 2))):
            body = {"annotations": marks, "viewer_state": {"slice": view}}
            assert (await client.put(url, json=body, headers={"If-Match": f'"{revision}"'})).status_code == 200
            with desk.world.database.read() as session:
                hashes.append(session.get_one(AnnotationSet, case.id).content_hash)
    assert hashes[0] == hashes[1] != hashes[2]


def data_url(size: tuple[int, int] = (300, 200)) -> str:
    out = io.BytesIO()
    Image.new("RGBA", size, (10, 200, 10, 255)).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


async def test_key_images_are_redrawn_sealed_ordered_and_captioned(desk: Desk) -> None:
    case = await in_review(desk)
    url = f"/api/v1/cases/{case.id}/key-images"
    new = {"series_uid": "1.3", "instance_uid": "1.4", "frame": 1, "caption": "Apex of 36"}
    async with desk.client("radiologist") as client:
        first = (await client.post(url, json=new | {"image": data_url((5000, 100))})).json()
        second = (await client.post(url, json=new | {"png": data_url(), "caption": "Canal"})).json()
        assert [item["caption"] for item in (await client.get(url)).json()["items"]] == ["Apex of 36", "Canal"]
        picture = await client.get(first["url"])
        assert picture.headers["content-type"] == "image/jpeg"
        assert Image.open(io.BytesIO(picture.content)).size == (2048, 41)
        assert (await client.put(f"{url}/order", json={"ids": [second["id"], first["id"]]})).status_code == 204
        assert (await client.put(f"{url}/order", json={"ids": [second["id"]]})).status_code == 422
        assert (await client.patch(f"{url}/{first['id']}", json={"caption": "Apex"})).status_code == 204
        assert [item["caption"] for item in (await client.get(url)).json()["items"]] == ["Canal", "Apex"]
        assert (await client.delete(f"{url}/{second['id']}")).status_code == 204
        assert (await client.delete(f"{url}/{second['id']}")).status_code == 404
    with desk.world.database.read() as session:
        row = session.get_one(KeyImage, first["id"])
    assert b"Apex" not in row.caption and b"\xff\xd8\xff" not in row.image
    async with desk.client("dentist") as client:
        assert (await client.get(first["url"])).status_code == 200
        assert (await client.delete(f"{url}/{first['id']}")).status_code == 403
    async with desk.client("dentist2") as client:
        assert (await client.get(first["url"])).status_code == 404


async def test_a_key_image_is_a_picture_of_this_case(desk: Desk) -> None:
    case, other = await in_review(desk), await in_review(desk)
    url = f"/api/v1/cases/{case.id}/key-images"
    new = {"series_uid": "1.3", "instance_uid": "1.4", "frame": 1, "image": data_url()}
    async with desk.client("radiologist") as client:
        for change, status in (
            ({"instance_uid": "9.9"}, 404),
            ({"frame": 2}, 404),
            ({"image": "data:image/svg+xml;base64,PHN2Zy8+"}, 422),
            ({"image": "data:image/png;base64,%%%"}, 422),
            ({"image": "data:image/png;base64," + base64.b64encode(files.png_bomb()).decode()}, 422),
            ({"image": "https://example.test/x.png"}, 422),
        ):
            answer = await client.post(url, json=new | change)
            assert (answer.status_code, json.dumps(change)[:40]) == (status, json.dumps(change)[:40])
        there = (await client.post(url, json=new)).json()
        foreign = f"/api/v1/cases/{other.id}/key-images/{there['id']}"
        assert (await client.get(f"{foreign}/image")).status_code == 404
        assert (await client.delete(foreign)).status_code == 404
        assert (await client.patch(foreign, json={"caption": "x"})).status_code == 404


async def test_a_picture_of_a_signed_version_stays(desk: Desk) -> None:
    """The documents of signed versions are made anew when they are superseded: their pictures must still be there."""
    case = await in_review(desk)
    url = f"/api/v1/cases/{case.id}/key-images"
    new = {"series_uid": "1.3", "instance_uid": "1.4", "frame": 1, "caption": "Apex", "image": data_url()}
    async with desk.client("radiologist") as client:
        shown, spare = [(await client.post(url, json=new)).json()["id"] for _ in range(2)]
        sign_with(desk, case, shown)
        desk.set_state(case, State.AMENDING)
        kept = await client.delete(f"{url}/{shown}")
        assert (kept.status_code, kept.json()["code"]) == (409, "key_image_signed")
        assert (await client.delete(f"{url}/{spare}")).status_code == 204
        assert [item["id"] for item in (await client.get(url)).json()["items"]] == [shown]


def sign_with(desk: Desk, case: Case, image_id: str) -> None:
    """A first version that shows the picture, as the record leaves it."""
    report = signed(content(key_images=(KeyImageReference(image_id=image_id, caption="Apex"),)))
    report_id = new_id("rep")
    key = desk.world.keys.data_key(case.key_id)
    place = column_aad("report_version", report_id, "document")
    with desk.world.database.write() as session:
        session.add(
            ReportVersion(
                id=report_id,
                case_id=case.id,
                version=1,
                kind="original",
                document=seal_json(key, report.model_dump(mode="json"), place),
                marks=b"",
                report_hash=report.report_hash,
                author_id=desk.world.user_id("radiologist"),
                command_id="cmd_1",
                signed_at=report.signed_at,
            )
        )
