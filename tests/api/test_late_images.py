"""Images that come after submission, over HTTP and on the pages, as everybody concerned meets them (DOMAIN, case lifecycle)."""

import re
import secrets
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
from sqlmodel import select

from schemas.tables.imaging import StoredFile
from tests.activities.imaging.files import dicom_file, pdf
from tests.api.live import PASSWORD, Live
from tests.api.mailbox import letters
from tests.api.stories import Story, case_in_review, put_file, released_case, soon, write_report
from tests.api.test_portal import browser, enter
from tests.ui.site import sign_in

FOREIGN: dict[str, Any] = {"PatientName": "Other^Person", "PatientBirthDate": "19510606", "PatientID": "B-7"}
JSON, DICOM = {"Accept": "application/dicom+json"}, {"Accept": "application/dicom"}


def late_image(study: str, number: int = 1, **attributes: Any) -> bytes:
    return dicom_file(study=study, series=f"{study}.{number}", SOPInstanceUID=f"{study}.{number}.1", **attributes)


def signed_in(live: Live, name: str) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    return sign_in(live.app, f"{name}@demo.test", PASSWORD)


def wait_reason(story: Story) -> str:
    return story.row.wait_reason


async def comes_to(story: Story, reason: str) -> None:
    await soon(lambda: wait_reason(story) == reason)


async def page_of(client: httpx.AsyncClient, story: Story, path: str = "") -> str:
    answer = await client.get(f"/cases/{story.case_id}{path}")
    assert answer.status_code == 200
    return answer.text


def pictures(page: str) -> set[str]:
    return set(re.findall(r'src="(/r/[^"]+/thumbnail)"', page))


async def post_step(client: httpx.AsyncClient, story: Story, page: str, step: str, **typed: str) -> httpx.Response:
    """Presses the button of a page: its form as it stands there, with what is typed."""
    form = re.search(rf'<form[^>]*action="([^"]*/actions/{step})".*?</form>', page, re.S)
    assert form is not None, f"no button for {step}"
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form[0]))
    return await client.post(form[1], data={**hidden, **typed})


async def test_the_patient_sees_the_signed_set_until_the_reader_has_signed_that_the_report_stands(live: Live) -> None:
    address = f"p{secrets.token_hex(6)}@example.test"
    story = await released_case(live, email=address)
    async with browser(live) as patient, signed_in(live, "dentist") as dentist, signed_in(live, story.reader) as reader:
        before = await enter(live, patient, story.link(), address)
        assert "Images were added" not in before.text
        assert "/actions/add_images" not in await page_of(dentist, story)

        put_file(live, story.case_id, late_image("1.2.9"), "late.dcm")
        page = await page_of(dentist, story)
        assert (await post_step(dentist, story, page, "add_images")).status_code == 200
        await comes_to(story, "late_images")
        assert (story.row.state, story.row.signed_set, story.row.verified_set) == ("released", 1, 2)

        async with live.client(story.reader) as program:
            told = (await program.get(f"/api/v1/cases/{story.case_id}")).json()
        assert (told["late_images"]["check"], told["verified_set"]) == ("offered", 2)

        during = await patient.get(story.link())
        assert "Images were added to your case after this report was signed" in during.text
        assert pictures(during.text) == pictures(before.text)
        link = story.link()
        late = f"{link}/dicomweb/studies/1.2.9/series/1.2.9.1/instances/1.2.9.1.1"
        assert (await patient.get(late, headers=DICOM)).status_code == 404
        await story.act("dentist", "release")
        newest = (await soon(lambda: [letter for letter in letters(live.world, address) if "/r/" in letter.text][1:]))[
            -1
        ]
        assert "Images were added after the report was signed" in newest.text

        assert "images were added after the signature" in await page_of(dentist, story)
        to_read = await page_of(reader, story, "/read")
        assert "The report stands" in to_read
        assert (await reader.get(late.replace(link, ""), headers=DICOM)).status_code == 200
        put_file(live, story.case_id, late_image("1.2.9", 2), "later.dcm")
        await story.act("staff", "add_images")
        await comes_to(story, "late_images")
        stale = await post_step(reader, story, to_read, "keep_report", password=PASSWORD)
        assert "Files were added since you opened this page" in stale.text
        assert story.row.version == 1
        fresh = await page_of(reader, story, "/read")
        assert "Added after the signature: " in fresh and "Look at what is new" in fresh
        assert (await post_step(reader, story, fresh, "keep_report", password=PASSWORD)).status_code == 200
        assert (story.row.version, story.row.signed_set) == (2, 3)

        after = await patient.get(link)
        assert "Images were added to your case after" not in after.text
        assert "2 files were added after version 1 was signed" in after.text
        assert len(pictures(after.text)) == len(pictures(before.text)) + 2
        assert (await patient.get(late, headers=DICOM)).status_code == 200
        assert (await soon_document(patient, link)).startswith(b"%PDF-")


async def soon_document(patient: httpx.AsyncClient, link: str) -> bytes:
    for _ in range(200):
        answer = await patient.get(f"{link}/report.pdf")
        if answer.status_code == 200:
            return answer.content
    raise AssertionError("the new version has no document")


async def test_foreign_late_images_are_named_to_those_who_decide_and_taken_out(live: Live) -> None:
    story = await released_case(live)
    async with signed_in(live, "dentist") as dentist, signed_in(live, story.reader) as reader:
        put_file(live, story.case_id, late_image("1.2.8", **FOREIGN), "other.dcm")
        await story.act("staff", "add_images")
        await comes_to(story, "identity_mismatch")
        page = await page_of(dentist, story)
        assert "Other" in page
        assert "The report stands" not in await page_of(reader, story, "/read")
        assert (await reader.get("/dicomweb/studies/1.2.8/series", headers=JSON)).status_code == 404
        await story.act("staff", "confirm_identity", reason="A maiden name.")
        assert wait_reason(story) == "identity_second_person"
        await story.act(story.reader, "refuse_identity", reason="It is not her.")
        page = await page_of(dentist, story)
        assert "It is not her." in page
        assert (await post_step(dentist, story, page, "remove_late_images")).status_code == 200
        assert (story.row.wait_reason, story.row.version) == ("with_patient", 1)
        assert "Other" not in await page_of(dentist, story)


async def test_a_letter_during_the_reading_stops_nobody_and_images_come_back_to_the_reader(live: Live) -> None:
    story = await case_in_review(live)
    async with (
        signed_in(live, story.reader) as reader,
        signed_in(live, "staff") as practice,
        live.client("dentist") as dentist,
    ):
        put_file(live, story.case_id, pdf(), "referral.pdf")
        assert (await dentist.post(f"/api/v1/cases/{story.case_id}/files/settled")).status_code == 202
        await live.app.state.services.gateway.announce(story.case_id)  # as the worker's sweep does
        await soon(lambda: is_checked(live, story))
        assert "New, not added yet" in await page_of(practice, story)
        await story.act("dentist", "add_images")
        assert "New, not added yet" not in await page_of(practice, story)
        assert (story.row.state, story.row.verified_set) == ("in_review", 2)
        assert "referral.pdf" in await page_of(reader, story)
        draft = await write_report(story)
        old = await story.live.act(
            story.reader,
            story.case_id,
            "sign",
            key=secrets.token_hex(8),
            form={"password": PASSWORD, "draft_hash": draft, "image_set": 1},
        )
        assert (old.status_code, old.json()["code"]) == (409, "images_added")
        put_file(live, story.case_id, late_image("1.2.9"), "late.dcm")
        await story.act("dentist", "add_images")
        await soon(lambda: story.row.state == "in_review")
        assert (story.row.verified_set, story.row.assignee_id) == (3, live.world.user_id(story.reader))


def is_checked(live: Live, story: Story) -> bool:
    with live.world.database.read() as session:
        rows = session.exec(
            select(StoredFile).where(StoredFile.case_id == story.case_id, StoredFile.kind == "document")
        ).all()
        return [row.state for row in rows] == ["ready"]
