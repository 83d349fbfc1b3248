"""Images that name somebody else, on the pages of the two people who decide on them and of the one who reads."""

import re

from schemas.lifecycle import State
from tests.activities.imaging.files import dicom_file, pdf
from tests.api.live import Live
from tests.api.stories import PATIENT, Story, case_in_review, put_file, soon
from tests.api.test_late_images import FOREIGN, is_checked, page_of, post_step, signed_in


async def held_case(live: Live) -> Story:
    """In review, asked for more, and answered with another patient's image."""
    story = await case_in_review(live)
    await story.act(story.reader, "request_modification", text="A second view, please.")
    put_file(live, story.case_id, dicom_file(**FOREIGN), "other.dcm")
    await story.act("dentist", "answer_modification", text="Here it is.")
    await soon(lambda: story.row.state == State.ATTENTION)
    return story


def look_of(page: str, step: str) -> str:
    """The class of the step's button."""
    found = re.search(rf'(?:id="action-{step}".*?<summary|/actions/{step}".*?<button) class="([^"]*)"', page, re.S)
    assert found is not None, f"no button for {step}"
    return found[1]


async def test_vouching_for_a_stranger_is_not_what_is_offered_first(live: Live) -> None:
    story = await held_case(live)
    async with signed_in(live, "dentist") as dentist:
        page = await page_of(dentist, story)
        assert "button--primary" not in look_of(page, "confirm_identity")
        assert "button--primary" not in look_of(page, "resubmit")
        assert "Remove the images that name another patient first" in page
        assert "Please remove them if they are not this patient" in page
        assert "data-viewable" in page and "Open viewer" in page
        assert "A radiologist reads your reason and must agree." in page
        removal = re.search(r'action="(/cases/[^"]*/studies/[^"]*/remove)"', page)
        assert removal is not None
        await dentist.post(removal[1], data={"nonce": "n1"})
        page = await page_of(dentist, story)
        assert "button--primary" in look_of(page, "resubmit")
        assert "Remove the images that name another patient first" not in page


async def test_the_second_person_is_told_whose_case_it_is_and_why_the_first_vouches(live: Live) -> None:
    story = await held_case(live)
    await story.act("dentist", "confirm_identity", reason="Her name at birth.")
    async with signed_in(live, story.reader) as reader:
        page = await page_of(reader, story)
        assert "Person Other" in page
        assert f"This case is of {PATIENT['given_name']} {PATIENT['family_name']}, born " in page
        assert "Her name at birth." in page
        assert (await post_step(reader, story, page, "agree_identity")).status_code == 200
        await soon(lambda: story.row.state == State.IN_REVIEW)
        assert "Some images name another patient." in await page_of(reader, story, "/read")


async def test_a_reader_is_told_that_files_came_while_the_page_was_open(live: Live) -> None:
    story = await case_in_review(live)
    async with signed_in(live, story.reader) as reader:
        page = await page_of(reader, story, "/read")
        note = re.search(r'id="reading-note"[^>]*data-live-url="([^"]+)"', page)
        assert note is not None
        address = note[1].replace("&amp;", "&")
        assert "added files" not in (await reader.get(address)).text
        put_file(live, story.case_id, pdf(), "referral.pdf")
        async with live.client("dentist") as dentist:
            await dentist.post(f"/api/v1/cases/{story.case_id}/files/settled")
        await live.app.state.services.gateway.announce(story.case_id)  # as the worker's sweep does
        await soon(lambda: is_checked(live, story))
        await story.act("dentist", "add_images")
        assert "The practice added files since you opened this page." in (await reader.get(address)).text
