"""DICOMweb: what a client of the standard gets, and that nobody gets what is not theirs."""

import io
import json
from email.parser import BytesParser
from typing import Any

import httpx
import numpy as np
import pydicom
import pytest
from PIL import Image

from api.imaging.texts import Texts
from infra.sessions import Sessions
from schemas.lifecycle import State
from schemas.tables.case import Case
from schemas.tables.imaging import StoredFile
from tests.activities.imaging import files
from tests.api.imaging_app import Desk

OCTETS = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'


async def put(desk: Desk, case: Case, *contents: bytes, name: str = "dentist") -> list[str]:
    """Uploads and checks; returns the files' ids."""
    ids = [await desk.upload(case, content, person=name) for content in contents]
    desk.imaging.ingest(case.id)
    return ids


def parts(answer: httpx.Response) -> list[tuple[str, bytes]]:
    """Content type and content of each part, as an independent reader of MIME sees them."""
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + answer.content)
    found: Any = message.get_payload()
    boundary = f"--{message.get_boundary()}".encode()
    bodies = [piece.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n") for piece in answer.content.split(boundary)[1:-1]]
    return [(part["Content-Type"], body) for part, body in zip(found, bodies, strict=True)]


async def get(desk: Desk, path: str, name: str | None = "dentist", **headers: str) -> httpx.Response:
    async with desk.client(name) as client:
        return await client.get(
            f"/dicomweb{path}", headers={key.replace("_", "-"): value for key, value in headers.items()}
        )


async def test_a_study_is_found_from_study_to_instance(desk: Desk) -> None:
    case = desk.open_case()
    await put(
        desk,
        case,
        *(files.dicom_file(study="1.2.1", series="1.2.1.1", number=number) for number in (3, 1, 2)),
        files.dicom_file(study="1.2.1", series="1.2.1.2", Modality="PX", SeriesNumber=2, SeriesDescription="Panoramic"),
    )
    answer = await get(desk, "/studies", Accept="application/dicom+json")
    assert answer.headers["content-type"] == "application/dicom+json"
    (study,) = answer.json()
    assert study["0020000D"]["Value"] == ["1.2.1"]
    assert study["00080061"]["Value"] == ["CT", "PX"]
    assert (study["00201206"]["Value"], study["00201208"]["Value"]) == ([2], [4])
    assert study["00100010"]["Value"] == [{"Alphabetic": "Muster^Anna"}]
    series = (await get(desk, "/studies/1.2.1/series")).json()
    assert [(each["0020000E"]["Value"][0], each["00201209"]["Value"][0]) for each in series] == [
        ("1.2.1.1", 3),
        ("1.2.1.2", 1),
    ]
    assert series[1]["0008103E"]["Value"] == ["Panoramic"]
    assert [each["00080060"]["Value"][0] for each in (await get(desk, "/studies/1.2.1/series?Modality=PX")).json()] == [
        "PX"
    ]
    instances = (await get(desk, "/studies/1.2.1/series/1.2.1.1/instances")).json()
    assert [each["00200013"]["Value"][0] for each in instances] == [1, 2, 3]
    metadata = (await get(desk, "/studies/1.2.1/series/1.2.1.1/metadata")).json()
    assert [each["00280010"]["Value"][0] for each in metadata] == [16, 16, 16]
    assert len((await get(desk, "/studies/1.2.1/metadata")).json()) == 4
    assert len((await get(desk, "/studies?limit=1&offset=1")).json()) == 0
    assert (await get(desk, "/studies?StudyDate=19990101-19991231")).json() == []
    ignored = await get(desk, "/studies?PatientName=Muster")
    assert len(ignored.json()) == 1 and "299" in ignored.headers["warning"]


async def test_frames_go_out_as_they_are_stored(desk: Desk) -> None:
    case = desk.open_case()
    content = files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4", frames=4)
    await put(desk, case, content)
    pixels = pydicom.dcmread(io.BytesIO(content)).PixelData
    answer = await get(desk, "/studies/1.2/series/1.3/instances/1.4/frames/2,4", Accept=OCTETS)
    assert answer.headers["content-type"].startswith('multipart/related; type="application/octet-stream"')
    size = len(pixels) // 4
    assert parts(answer) == [
        ("application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1", pixels[size : 2 * size]),
        ("application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1", pixels[3 * size :]),
    ]
    assert "private" in answer.headers["cache-control"]
    again = await get(
        desk,
        "/studies/1.2/series/1.3/instances/1.4/frames/2,4",
        Accept=OCTETS,
        If_None_Match=answer.headers["etag"],
    )
    assert (again.status_code, again.content) == (304, b"")
    for wrong in ("0", "5", "1,9"):
        assert (
            await get(desk, f"/studies/1.2/series/1.3/instances/1.4/frames/{wrong}", Accept=OCTETS)
        ).status_code == 404
    assert (await get(desk, "/studies/1.2/series/1.3/instances/1.4/frames/x", Accept=OCTETS)).status_code == 400


@pytest.mark.parametrize(
    ("name", "syntax"),
    [
        ("MR_small_jp2klossless.dcm", "1.2.840.10008.1.2.4.90"),
        ("MR_small_jpeg_ls_lossless.dcm", "1.2.840.10008.1.2.4.80"),
        ("MR_small_RLE.dcm", "1.2.840.10008.1.2.5"),
        ("MR_small_bigendian.dcm", "1.2.840.10008.1.2.1"),
        ("MR_small_implicit.dcm", "1.2.840.10008.1.2.1"),
    ],
)
async def test_who_asks_for_explicit_little_endian_gets_the_pixels_decoded(desk: Desk, name: str, syntax: str) -> None:
    case = desk.open_case()
    await put(desk, case, files.pydicom_file(name))
    dataset = pydicom.dcmread(files.PYDICOM_FILES / name)
    place = f"/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}/instances/{dataset.SOPInstanceUID}"
    ((stored, _),) = parts(await get(desk, f"{place}/frames/1", Accept=OCTETS))
    assert stored == f"application/octet-stream; transfer-syntax={syntax}"
    plain = 'multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1'
    ((kind, body),) = parts(await get(desk, f"{place}/frames/1", Accept=plain))
    assert kind == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
    assert body == pydicom.dcmread(files.PYDICOM_FILES / "MR_small.dcm").PixelData
    refused = await get(desk, f"{place}/frames/1", Accept="image/gif")
    assert (refused.status_code, refused.json()["code"]) == (406, "not_acceptable")


async def test_frames_that_no_browser_reads_are_decoded_and_described_so(desk: Desk) -> None:
    case = desk.open_case()
    name = "SC_ybr_full_422_uncompressed.dcm"
    await put(desk, case, files.pydicom_file(name))
    dataset = pydicom.dcmread(files.PYDICOM_FILES / name)
    place = f"/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}/instances/{dataset.SOPInstanceUID}"
    (metadata,) = (await get(desk, f"{place}/metadata")).json()
    assert metadata["00280004"]["Value"] == ["RGB"]
    ((_, body),) = parts(await get(desk, f"{place}/frames/1", Accept=OCTETS))
    pixels = np.frombuffer(body, np.uint8).reshape(dataset.Rows, dataset.Columns, 3)
    assert tuple(pixels[5, 50]) == (254, 0, 0)


async def test_an_instance_goes_out_whole(desk: Desk) -> None:
    case = desk.open_case()
    first = files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4", number=1)
    second = files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.5", number=2)
    await put(desk, case, first, second)
    single = await get(desk, "/studies/1.2/series/1.3/instances/1.4", Accept="application/dicom")
    assert single.content == first
    assert single.headers["content-type"].startswith("application/dicom")
    multipart = 'multipart/related; type="application/dicom"; transfer-syntax=*'
    assert [body for _, body in parts(await get(desk, "/studies/1.2/series/1.3", Accept=multipart))] == [first, second]
    other = 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.90'
    assert (await get(desk, "/studies/1.2/series/1.3/instances/1.4", Accept=other)).status_code == 406


async def test_pictures_for_those_who_want_jpeg(desk: Desk) -> None:
    case = desk.open_case()
    ramp = np.arange(256, dtype=np.uint16).reshape(16, 16)
    await put(desk, case, files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4", PixelData=ramp.tobytes()))
    place = "/studies/1.2/series/1.3/instances/1.4"

    async def shades(path: str) -> Any:
        answer = await get(desk, path, Accept="image/jpeg")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        return np.asarray(Image.open(io.BytesIO(answer.content)), np.int16)

    assert (await shades(f"{place}/thumbnail")).shape == (16, 16)
    assert (await shades("/studies/1.2/series/1.3/thumbnail")).shape == (16, 16)
    assert (await shades(f"{place}/frames/1/rendered?viewport=8,8")).shape == (16, 16)
    narrow = await shades(f"{place}/rendered?window=128,2&quality=95")
    assert narrow[0].max() < 50 and narrow[-1].min() > 205
    wrong = await get(desk, f"{place}/rendered?window=abc")
    assert (wrong.status_code, wrong.headers["content-type"]) == (400, "application/problem+json")
    assert (await get(desk, f"{place}/frames/2/rendered")).status_code == 404
    assert (await get(desk, f"{place}/rendered", Accept="text/html")).status_code == 406


PLACES = (
    "/studies/1.2",
    "/studies/1.2/rendered",
    "/studies/1.2/thumbnail",
    "/studies/1.2/series",
    "/studies/1.2/series/1.3/rendered",
    "/studies/1.2/series/1.3/instances/1.4/frames/1/thumbnail",
    "/studies/1.2/instances",
    "/studies/1.2/metadata",
    "/studies/1.2/series/1.3/metadata",
    "/studies/1.2/series/1.3/instances",
    "/studies/1.2/series/1.3",
    "/studies/1.2/series/1.3/thumbnail",
    "/studies/1.2/series/1.3/instances/1.4",
    "/studies/1.2/series/1.3/instances/1.4/metadata",
    "/studies/1.2/series/1.3/instances/1.4/frames/1",
    "/studies/1.2/series/1.3/instances/1.4/rendered",
    "/studies/1.2/series/1.3/instances/1.4/frames/1/rendered",
    "/studies/1.2/series/1.3/instances/1.4/thumbnail",
    "/wado?requestType=WADO&studyUID=1.2&seriesUID=1.3&objectUID=1.4",
)


async def statuses(desk: Desk, name: str | None) -> set[int]:
    return {(await get(desk, path, name)).status_code for path in PLACES}


async def test_images_are_for_the_practice_and_for_the_reader_while_they_read(desk: Desk) -> None:
    case = desk.open_case()
    await put(desk, case, files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4"))
    desk.freeze(case)
    assert await statuses(desk, "dentist") == {200}
    for name in ("dentist2", "radiologist", "scheduler", "practice_scheduler", "admin"):
        assert await statuses(desk, name) == {404}
        assert (await get(desk, "/studies", name)).json() == []
    assert await statuses(desk, None) == {401}
    nothing = await get(desk, "/studies/9.9/series/1.3/instances/1.4/metadata", "dentist2")
    foreign = await get(desk, "/studies/1.2/series/1.3/instances/1.4/metadata", "dentist2")
    assert (foreign.status_code, foreign.content) == (nothing.status_code, nothing.content)

    desk.set_state(case, State.ASSIGNED, assignee="radiologist")
    assert await statuses(desk, "radiologist") == {404}
    desk.set_state(case, State.IN_REVIEW)
    assert await statuses(desk, "radiologist") == {200}
    assert await statuses(desk, "radiologist2") == {404}
    assert len((await get(desk, "/studies", "radiologist")).json()) == 1


async def test_what_is_remembered_of_somebody_ends_with_their_right(desk: Desk) -> None:
    """Within the second for which an unchanged answer is taken for true."""
    case = desk.open_case()
    await put(desk, case, files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4"))
    desk.freeze(case)
    desk.set_state(case, State.IN_REVIEW, assignee="radiologist")
    for _ in range(2):
        assert await statuses(desk, "radiologist") == {200}
    desk.set_state(case, State.IN_REVIEW, assignee="radiologist2")
    assert await statuses(desk, "radiologist") == {404}
    assert await statuses(desk, "radiologist2") == {200}
    assert await statuses(desk, "dentist") == {200}
    with desk.world.database.write() as session:
        session.get_one(StoredFile, desk.files(case)[0].id).state = "removed"
    assert await statuses(desk, "dentist") == {404}
    with desk.world.database.write() as session:
        Sessions.end_all_of(session, desk.world.user_id("radiologist2"))
    assert await statuses(desk, "radiologist2") == {401}


async def test_a_reader_does_not_see_what_was_not_submitted(desk: Desk) -> None:
    case = desk.open_case()
    await put(desk, case, files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4"))
    desk.freeze(case)
    desk.set_state(case, State.MODIFICATION_REQUESTED, assignee="radiologist", image_set=1)
    await put(desk, case, files.dicom_file(study="1.2", series="1.9", SOPInstanceUID="1.9"))
    assert len((await get(desk, "/studies/1.2/series", "dentist")).json()) == 2
    assert len((await get(desk, "/studies/1.2/series", "radiologist")).json()) == 1
    assert (await get(desk, "/studies/1.2/series/1.9/metadata", "radiologist")).status_code == 404
    desk.freeze(case, 2, verified=False)
    assert len((await get(desk, "/studies/1.2/series", "radiologist")).json()) == 1, "submitted, and not checked yet"
    desk.freeze(case, 2)
    assert len((await get(desk, "/studies/1.2/series", "radiologist")).json()) == 2


async def test_the_same_study_in_two_practices_stays_two(desk: Desk) -> None:
    """Each practice gets its own copy; an instance that only the other one has is not there."""
    ours, theirs = desk.open_case(), desk.open_case("practice2")
    shared = files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4", StudyDescription="Ours")
    await put(desk, ours, shared)
    copy = files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4", StudyDescription="Theirs")
    only_theirs = files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.5", StudyDescription="Theirs")
    await put(desk, theirs, copy, only_theirs, name="dentist2")
    for name, description, count in (("dentist", "Ours", 1), ("dentist2", "Theirs", 2)):
        (study,) = (await get(desk, "/studies", name)).json()
        assert (study["00081030"]["Value"], study["00201208"]["Value"]) == ([description], [count])
        whole = await get(desk, "/studies/1.2/series/1.3/instances/1.4", name, Accept="application/dicom")
        assert whole.content == (shared if name == "dentist" else copy)
    assert (await get(desk, "/studies/1.2/series/1.3/instances/1.5/metadata", "dentist")).status_code == 404


async def test_nothing_unchecked_is_served(desk: Desk) -> None:
    case = desk.open_case()
    (file_id,) = await put(desk, case, files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4"))
    for state in ("stored", "unreadable", "removed"):
        with desk.world.database.write() as session:
            session.get_one(StoredFile, file_id).state = state
        assert await statuses(desk, "dentist") == {404}
        assert (await get(desk, "/studies")).json() == []


async def test_errors_name_no_patient(desk: Desk) -> None:
    answer = await get(desk, "/studies/1.2/metadata")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Muster" not in json.dumps(answer.json())


async def test_frames_that_would_fill_the_memory_are_not_put_together(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = desk.open_case()
    await desk.upload(case, files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4"))
    desk.imaging.ingest(case.id)
    url = "/dicomweb/studies/1.2/series/1.3/instances/1.4/frames/"
    async with desk.client() as client:
        size = len((await client.get(f"{url}1")).content)
        monkeypatch.setattr("api.routes.dicomweb.retrieve.MAX_BYTES", 3 * size)
        assert (await client.get(f"{url}1,1")).status_code == 200
        assert (await client.get(url + ",".join(["1"] * 100))).status_code == 400
        monkeypatch.setattr("api.routes.dicomweb.retrieve.MAX_BYTES", 1)
        assert (await client.get(f"{url}1")).status_code == 200


INSTANCE = "/studies/1.2/series/1.3/instances/1.4"


async def head(desk: Desk, path: str, **headers: str) -> httpx.Response:
    async with desk.client() as client:
        return await client.head(f"/dicomweb{path}", headers=headers)


async def test_a_part_of_an_instance_can_be_had(desk: Desk) -> None:
    case = desk.open_case()
    content = files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4")
    await put(desk, case, content)

    async def part(wanted: str, **more: str) -> httpx.Response:
        return await get(desk, INSTANCE, Accept="application/dicom", Range=wanted, **more)

    some = await part("bytes=128-131")
    assert (some.status_code, some.content) == (206, b"DICM")
    assert some.headers["content-range"] == f"bytes 128-131/{len(content)}"
    assert (await part("bytes=-4")).content == content[-4:]
    assert (await part(f"bytes={len(content) - 2}-")).content == content[-2:]
    beyond = await part(f"bytes={len(content)}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(content)}")
    assert beyond.json()["code"] == "range_not_satisfiable"
    for whole in (
        await part("bytes=4-2"),
        await part("bytes=0-1,3-4"),
        await part("lines=1-2"),
        await part("bytes=0-3", If_Range='"of something older"'),
    ):
        assert (whole.status_code, whole.content) == (200, content)
    assert (await part("bytes=0-3", If_Range=some.headers["etag"])).content == content[:4]


async def test_what_a_client_has_already_is_not_sent_again(desk: Desk) -> None:
    case = desk.open_case()
    await put(desk, case, files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4"))
    places = (
        "/studies/1.2",
        "/studies/1.2/metadata",
        "/studies/1.2/series/1.3",
        "/studies/1.2/series/1.3/metadata",
        "/studies/1.2/series/1.3/thumbnail",
        INSTANCE,
        f"{INSTANCE}/metadata",
        f"{INSTANCE}/frames/1",
        f"{INSTANCE}/thumbnail",
    )
    tags = {}
    for place in places:
        tags[place] = (await get(desk, place)).headers["etag"]
        assert (await get(desk, place, If_None_Match=f'"x", {tags[place]}')).status_code == 304, place
    await put(desk, case, files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.5", number=2))
    for place in places:
        changed = (await get(desk, place, If_None_Match=tags[place])).status_code == 200
        assert changed == ("instances" not in place), place


async def test_head_says_what_get_would_without_a_body(desk: Desk) -> None:
    case = desk.open_case()
    content = files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4")
    (file_id,) = await put(desk, case, content)
    for place in (INSTANCE, f"{INSTANCE}/metadata", f"{INSTANCE}/thumbnail", "/studies/1.2", "/studies/1.2/thumbnail"):
        there, body = await head(desk, place), await get(desk, place)
        assert (there.status_code, there.content) == (200, b"")
        assert there.headers["etag"] == body.headers["etag"]
        assert there.headers["content-type"].split(";")[0] == body.headers["content-type"].split(";")[0]
    single = await head(desk, INSTANCE, Accept="application/dicom")
    assert (single.headers["content-length"], single.headers["accept-ranges"]) == (str(len(content)), "bytes")
    async with desk.client() as client:
        url = f"/api/v1/cases/{case.id}/files/{file_id}/content"
        assert (await client.head(url)).headers["content-length"] == str(len(content))
        assert (await client.get(url, headers={"Range": "bytes=128-131"})).content == b"DICM"


async def test_a_client_that_cannot_set_headers_says_what_it_accepts_in_the_address(desk: Desk) -> None:
    case = desk.open_case()
    content = files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4")
    await put(desk, case, content)
    assert (await get(desk, f"{INSTANCE}?accept=application/dicom", Accept="text/html")).content == content
    assert (await get(desk, f"{INSTANCE}?accept=text/html")).status_code == 406
    assert (await get(desk, "/studies", Accept="application/dicom+xml")).status_code == 406
    alone = await get(desk, f"{INSTANCE}/frames/1", Accept="application/octet-stream")
    assert alone.content == pydicom.dcmread(io.BytesIO(content)).PixelData
    assert alone.headers["content-type"] == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
    assert (await get(desk, f"{INSTANCE}/frames/1,1", Accept="application/octet-stream")).status_code == 406


async def test_compressed_frames_go_out_under_their_own_type(desk: Desk) -> None:
    case = desk.open_case()
    content = files.pydicom_file("JPEG2000.dcm")
    await put(desk, case, content)
    dataset = pydicom.dcmread(io.BytesIO(content))
    place = f"/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}/instances/{dataset.SOPInstanceUID}"
    syntax = dataset.file_meta.TransferSyntaxUID
    answer = await get(desk, f"{place}/frames/1", Accept='multipart/related; type="image/jp2"')
    ((content_type, body),) = parts(answer)
    assert content_type == f"image/jp2; transfer-syntax={syntax}"
    assert body.startswith(b"\xff\x4f\xff\x51")
    assert (await get(desk, f"{place}/frames/1", Accept="image/jls")).status_code == 406


async def test_series_and_instances_are_found_across_studies(desk: Desk) -> None:
    case = desk.open_case()
    await put(
        desk,
        case,
        *(files.dicom_file(study="1.2.1", series="1.2.1.1", number=number) for number in (1, 2)),
        files.dicom_file(
            study="1.2.2", series="1.2.2.1", Modality="PX", StudyDescription="Other", SOPInstanceUID="1.9"
        ),
    )
    series = (await get(desk, "/series?Modality=PX")).json()
    assert [each["0020000E"]["Value"] for each in series] == [["1.2.2.1"]]
    assert series[0]["00081030"]["Value"] == ["Other"]
    assert series[0]["00081190"]["Value"][0].endswith("/dicomweb/studies/1.2.2/series/1.2.2.1")
    assert len((await get(desk, "/series")).json()) == 2
    assert len((await get(desk, "/instances")).json()) == 3
    assert len((await get(desk, "/instances?limit=2")).json()) == 2
    assert len((await get(desk, "/instances?limit=5&offset=2")).json()) == 1
    (found,) = (await get(desk, "/instances?SOPInstanceUID=1.9")).json()
    assert found["00081190"]["Value"][0].endswith("/studies/1.2.2/series/1.2.2.1/instances/1.9")
    assert found["00100010"]["Value"] == [{"Alphabetic": "Muster^Anna"}]
    below = "/studies/1.2.2/instances"
    assert "00280030" not in (await get(desk, below)).json()[0]
    for field in ("PixelSpacing", "00280030", "Rows,PixelSpacing", "all"):
        (one,) = (await get(desk, f"{below}?includefield={field}")).json()
        assert one["00280030"]["Value"] == [0.25, 0.25], field
    assert (await get(desk, "/instances?limit=many")).status_code == 400
    assert (await get(desk, "/instances", "dentist2")).json() == (await get(desk, "/series", "dentist2")).json() == []


async def test_a_study_goes_out_whole_and_drawn(desk: Desk) -> None:
    case = desk.open_case()
    first = files.dicom_file(study="1.2", series="1.3", SeriesNumber=1)
    second = files.dicom_file(study="1.2", series="1.4", SeriesNumber=2)
    await put(desk, case, first, second)
    whole = await get(desk, "/studies/1.2", Accept='multipart/related; type="application/dicom"')
    assert [body for _, body in parts(whole)] == [first, second]
    assert (await get(desk, "/studies/1.2", Accept="application/dicom")).status_code == 406
    for place, count in (("/studies/1.2/rendered", 2), ("/studies/1.2/series/1.3/rendered", 1)):
        drawn = parts(await get(desk, f"{place}?viewport=16,16", Accept='multipart/related; type="image/jpeg"'))
        assert [Image.open(io.BytesIO(body)).size for _, body in drawn] == [(16, 16)] * count


async def test_what_the_metadata_leaves_out_is_to_be_had_at_the_address_that_it_names(desk: Desk) -> None:
    case = desk.open_case()
    small, large = b"\1\2" * 500, bytes(range(256)) * 2000
    trap = '"BulkDataURI":"bulkdata/00282000"'
    content = files.dicom_file(
        study="1.2",
        series="1.3",
        SOPInstanceUID="1.4",
        ICCProfile=large,
        RedPaletteColorLookupTableData=small,
        ImageComments=trap,
    )
    await put(desk, case, content)
    (metadata,) = (await get(desk, f"{INSTANCE}/metadata")).json()
    assert metadata["00204000"]["Value"] == [trap]
    assert "InlineBinary" in metadata["00281201"]
    address = metadata["00282000"]["BulkDataURI"]
    assert address == f"http://127.0.0.1/dicomweb{INSTANCE}/bulkdata/00282000"
    async with desk.client() as client:
        whole = await client.get(address)
        assert (whole.content, whole.headers["content-type"]) == (large, "application/octet-stream")
        assert (await client.get(address, headers={"If-None-Match": whole.headers["etag"]})).status_code == 304
        some = await client.get(address, headers={"Range": "bytes=256-259"})
        assert (some.status_code, some.content) == (206, b"\0\1\2\3")
        multipart = await client.get(address, headers={"Accept": OCTETS.partition("; transfer")[0]})
        assert [body for _, body in parts(multipart)] == [large]
        assert (await client.head(address)).headers["content-length"] == str(len(large))
        assert (await client.get(address, headers={"Accept": "image/jpeg"})).status_code == 406
    for name, status in (("dentist2", 404), (None, 401)):
        assert (await get(desk, f"{INSTANCE}/bulkdata/00282000", name)).status_code == status
    for missing, status in (("00100010", 404), ("7FE00010", 404), ("x", 400)):
        assert (await get(desk, f"{INSTANCE}/bulkdata/{missing}")).status_code == status
    (found,) = (await get(desk, "/studies/1.2/instances?includefield=all")).json()
    assert "00282000" not in found and "00204000" in found


async def test_an_instance_is_to_be_had_by_the_parameters_of_an_address(desk: Desk) -> None:
    case = desk.open_case()
    ramp = np.arange(256, dtype=np.uint16).reshape(16, 16)
    content = files.dicom_file(study="1.2", series="1.3", SOPInstanceUID="1.4", PixelData=ramp.tobytes())
    await put(desk, case, content)
    address = "/wado?requestType=WADO&studyUID=1.2&seriesUID=1.3&objectUID=1.4"
    drawn = await get(desk, f"{address}&windowCenter=128&windowWidth=2&imageQuality=95")
    shades = np.asarray(Image.open(io.BytesIO(drawn.content)), np.int16)
    assert shades[0].max() < 50 and shades[-1].min() > 205
    assert (await get(desk, f"{address}&contentType=application/dicom")).content == content
    some = await get(desk, f"{address}&contentType=application/dicom", Range="bytes=128-131")
    assert (some.status_code, some.content) == (206, b"DICM")
    for wrong, status in (
        (f"{address}&contentType=text/html", 406),
        (f"{address}&frameNumber=2", 404),
        (f"{address}&frameNumber=x", 400),
        (address.replace("1.4", "1.5"), 404),
        (address.replace("=WADO", "=QIDO"), 400),
        ("/wado?requestType=WADO&studyUID=1.2", 400),
    ):
        assert (await get(desk, wrong)).status_code == status, wrong


def test_texts_are_kept_up_to_a_bound() -> None:
    texts = Texts(most_bytes=10, largest=6)
    written: list[str] = []

    def text_of(name: str, size: int) -> bytes:
        def write() -> bytes:
            written.append(name)
            return b"x" * size

        return texts.get(name, write)

    assert [text_of("a", 5), text_of("a", 5), text_of("b", 5)] == [b"xxxxx"] * 3
    text_of("large", 7)
    text_of("large", 7)
    text_of("c", 5)
    text_of("b", 5)
    text_of("a", 5)
    assert written == ["a", "b", "large", "large", "c", "a"]
