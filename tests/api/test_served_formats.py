"""What goes out of photographs, of documents in DICOM's wrapping, and of a disc's table of contents."""

import io

from PIL import Image

from schemas.lifecycle import State
from tests.activities.imaging import files, pictures
from tests.api.imaging_app import Desk
from tests.api.test_patient_documents import listed, send


async def test_no_address_of_a_photograph_tells_where_it_was_taken(desk: Desk) -> None:
    case = desk.open_case()
    photos = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "TIFF": ".tif"}
    contents = [(pictures.marked_photo(form), f"smile{ending}") for form, ending in photos.items()]
    contents.append((pictures.heic(), "smile.heic"))
    for content, name in contents:
        await desk.upload(case, content, name)
    desk.imaging.ingest(case.id)
    async with desk.client() as client:
        items = (await client.get(f"/api/v1/cases/{case.id}/files")).json()["items"]
        assert len(items) == len(contents)
        for item in items:
            for address in (item["url"], item["download_url"], item["thumbnail_url"]):
                answer = await client.get(address)
                assert answer.status_code == 200, answer.text
                assert pictures.CANARY not in answer.content, address
                Image.open(io.BytesIO(answer.content)).load()
        heic = await client.get(items[-1]["download_url"])
        assert "smile.jpg" in heic.headers["content-disposition"], "what was drawn anew has the name of what it is"

        patient = desk.world.add_patient()
        for content, name in contents:
            await send(client, patient, content, name)
        kept = await listed(client, patient)
        assert {row["state"] for row in kept} == {"ready"}
        for row in kept:
            for address in (row["download_url"], row["thumbnail_url"]):
                assert pictures.CANARY not in (await client.get(str(address))).content


async def test_a_range_of_a_photograph_is_a_range_of_what_goes_out(desk: Desk) -> None:
    case = desk.open_case()
    file_id = await desk.upload(case, pictures.marked_photo("JPEG"), "smile.jpg")
    desk.imaging.ingest(case.id)
    address = f"/api/v1/cases/{case.id}/files/{file_id}/content"
    async with desk.client() as client:
        whole = (await client.get(address)).content
        for first, last in ((0, 9), (1, len(whole) - 1), (len(whole) // 2, len(whole) // 2 + 3)):
            part = await client.get(address, headers={"Range": f"bytes={first}-{last}"})
            assert (part.status_code, part.content) == (206, whole[first : last + 1])


async def test_a_wrapped_document_is_saved_as_the_document_and_a_discs_list_is_the_practices(desk: Desk) -> None:
    case = desk.open_case()
    await desk.upload(case, files.dicom_file(SOPInstanceUID="1.2.3.1"))
    letter = await desk.upload(case, pictures.enclosed(files.pdf()), "DOC0001")
    await desk.upload(case, pictures.disc_directory(["1.2.3.1", "1.2.3.2"]), "DICOMDIR")
    surface = await desk.upload(case, pictures.stl(12), "upper jaw.stl")
    desk.imaging.ingest(case.id)
    base = f"/api/v1/cases/{case.id}/files"
    async with desk.client() as client:
        answer = await client.get(f"{base}/{letter}/content")
        assert answer.content.startswith(b"%PDF-") and answer.content.rstrip(b"\0") == files.pdf()
        assert "DOC0001.pdf" in answer.headers["content-disposition"]
        assert answer.headers["content-type"] == "application/pdf"
        assert (await client.get(f"{base}/{surface}/content")).content == pictures.stl(12)
        items = {item["kind"]: item for item in (await client.get(base)).json()["items"]}
        assert items["directory"]["missing"] == ["IMAGES/IM0001"]
        assert items["surface"]["triangles"] == 12
        directory = items["directory"]["id"]
    desk.freeze(case)
    desk.set_state(case, State.IN_REVIEW, assignee="radiologist", image_set=1)
    async with desk.client("radiologist") as client:
        kinds = {item["kind"] for item in (await client.get(base)).json()["items"]}
        assert kinds == {"dicom", "document", "surface"}
        assert (await client.get(f"{base}/{directory}/content")).status_code == 404
