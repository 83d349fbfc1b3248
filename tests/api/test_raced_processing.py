"""Requests that race the checking of a file: before its verdict nothing of it goes out, and of an unreadable one never."""

import asyncio

import numpy as np

from schemas.lifecycle import State
from schemas.tables.case import Case
from tests.activities.imaging import files
from tests.api.imaging_app import Desk

STUDY, SERIES, INSTANCE = "1.2", "1.3", "1.4"
BROKEN = files.dicom_file(study=STUDY, series=SERIES, SOPInstanceUID="1.5", number=2)[:-100]


def addresses(case: Case, file_id: str, instance: str) -> tuple[str, ...]:
    study = f"/dicomweb/studies/{STUDY}"
    one = f"{study}/series/{SERIES}/instances/{instance}"
    of_file = f"/api/v1/cases/{case.id}/files/{file_id}"
    return f"{of_file}/content", f"{of_file}/thumbnail", one, f"{one}/metadata", f"{one}/frames/1"


async def test_no_request_gets_a_file_before_its_verdict(desk: Desk) -> None:
    case = desk.open_case()
    good = await desk.upload(case, files.dicom_file(study=STUDY, series=SERIES, SOPInstanceUID=INSTANCE))
    bad = await desk.upload(case, BROKEN)
    early: list[str] = []
    counts = {"before": 0, "after": 0}
    begun, over = asyncio.Event(), asyncio.Event()

    def states() -> dict[str, str]:
        return {file.id: file.state for file in desk.files(case)}

    async def keep_asking(file_id: str, url: str) -> None:
        async with desk.client() as client:
            last = False
            while not last:
                last = over.is_set()
                status = (await client.get(url)).status_code
                # Looked at after the answer: a file that has no verdict now had none when it was asked for.
                state = (await asyncio.to_thread(states))[file_id]
                counts["before" if state == "stored" else "after"] += 1
                if counts["before"] >= 10:  # each address once
                    begun.set()
                if status != 404 and (state == "stored" or file_id == bad):
                    early.append(f"{url}: {status} of a file that is {state}")
            assert (status == 200) == (file_id == good), url

    asking = [
        asyncio.create_task(keep_asking(file_id, url))
        for file_id, instance in ((good, INSTANCE), (bad, "1.5"))
        for url in addresses(case, file_id, instance)
    ]
    await begun.wait()
    await asyncio.to_thread(desk.imaging.ingest, case.id)
    over.set()
    await asyncio.gather(*asking)
    assert early == []
    assert states() == {good: "ready", bad: "unreadable"}
    assert counts["after"] >= len(asking)


async def test_quarantined_images_are_seen_by_the_practice_alone(desk: Desk) -> None:
    """Held for attention, or added later and not let pass: not even a reader of the patient's other case sees them."""
    patient_of = desk.open_case()
    held = desk.open_case(beside=patient_of)
    ids = {}
    for number, instance in ((1, "1.4"), (2, "1.5")):
        content = files.dicom_file(study=STUDY, series=SERIES, SOPInstanceUID=instance, number=number)
        ids[instance] = await desk.upload(held, content)
        desk.imaging.ingest(held.id)
        desk.freeze(held, number, verified=False)
    desk.set_state(patient_of, State.IN_REVIEW, assignee="radiologist")

    async def seen(name: str) -> dict[str, set[int]]:
        async with desk.client(name) as client:
            return {
                instance: {(await client.get(url)).status_code for url in addresses(held, file_id, instance)}
                for instance, file_id in ids.items()
            }

    async def found(name: str) -> list[str]:
        async with desk.client(name) as client:
            return [each["0020000D"]["Value"][0] for each in (await client.get("/dicomweb/studies")).json()]

    desk.set_state(held, State.ATTENTION)
    assert await seen("dentist") == {"1.4": {200}, "1.5": {200}}
    assert await seen("radiologist") == {"1.4": {404}, "1.5": {404}}
    assert await found("radiologist") == [], "nor whose study it is"
    desk.set_state(held, State.RELEASED, assignee="radiologist2", image_set=1)
    desk.freeze(held, 2, verified=False)
    for name in ("radiologist", "radiologist2"):
        assert await seen(name) == {"1.4": {200}, "1.5": {404}}, name
    desk.freeze(held, 2)
    for name in ("radiologist", "radiologist2"):
        assert await seen(name) == {"1.4": {200}, "1.5": {200}}, name


async def test_no_picture_of_a_series_shows_an_image_that_its_reader_may_not_see(desk: Desk) -> None:
    def image(number: int) -> bytes:
        pixels = np.zeros((16, 16), np.uint16)
        pixels[:, : 3 * number] = 1000
        return files.dicom_file(
            study=STUDY, series=SERIES, number=number, SOPInstanceUID=f"1.4.{number}", PixelData=pixels.tobytes()
        )

    case = desk.open_case()
    await desk.upload(case, image(1))
    desk.imaging.ingest(case.id)
    desk.freeze(case)
    desk.set_state(case, State.DRAFT, assignee="radiologist", image_set=1)
    late = [await desk.upload(case, image(number)) for number in (2, 3, 4)]
    desk.imaging.ingest(case.id)
    study = f"/dicomweb/studies/{STUDY}"
    async with desk.client() as practice, desk.client("radiologist") as reader:
        # What shows one of the removed images goes; what is drawn anew then is of an image that nobody has checked.
        assert (await practice.delete(f"/api/v1/cases/{case.id}/files/{late[2]}")).status_code == 204
        desk.imaging.ingest(case.id)
        desk.set_state(case, State.IN_REVIEW)
        own = (await reader.get(f"{study}/series/{SERIES}/instances/1.4.1/thumbnail")).content
        for url in (f"{study}/thumbnail", f"{study}/series/{SERIES}/thumbnail"):
            others = (await practice.get(url)).content
            assert (await reader.get(url)).content == own != others, url
