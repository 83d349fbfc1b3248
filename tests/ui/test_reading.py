"""The reading page: what the form keeps, who may what, and how a report gets to its signature."""

import re
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime

import httpx
import pytest
from sqlmodel import select

from schemas.clinical import Purpose
from schemas.report import ReportContent
from schemas.report_parts import (
    AreaOfInterest,
    Communication,
    CommunicationMethod,
    Criticality,
    Finding,
    FollowUp,
    KeyImage,
    Modality,
    Recommendation,
)
from schemas.sla import DEFAULT_POLICY
from schemas.tables.people import Contract
from tests.api.live import PASSWORD, Live
from tests.api.stories import Story, case_in_review, signed_case, write_report
from tests.ui.form_fields import fields_of
from tests.ui.site import sign_in
from ui.assemble.report_form import draft_of_form
from ui.pages.reading import LABELS
from ui.pages.samples import base
from ui.pages.samples.people import READING
from ui.templating import Reader, render
from ui.views.reading import KeyImageChoice
from worker.demo.reports import demo_report

ZONE = "Europe/Zurich"


def whole_report() -> ReportContent:
    """Every part of a report, filled in."""
    content = demo_report(
        Purpose.IMPLANT, modality=Modality.CBCT, acquired=date(2026, 11, 2), question="Is there\nenough <bone>?"
    )
    return content.model_copy(
        update={
            "examination": content.examination.model_copy(
                update={"field_of_view_height_mm": 82.5, "comparison": "Panoramic of 2024."}
            ),
            "findings": (
                Finding(id="f1", teeth=("36",), text="First.", criticality=Criticality.CATEGORY_2),
                Finding(id="f7", site="Left sinus", text="Second & last."),
            ),
            "areas_of_interest": (
                AreaOfInterest(teeth=("36", "37"), site="ridge", text="Wide."),
                AreaOfInterest(text="x"),
            ),
            "key_images": (KeyImage(image_id="ann_1", caption="The “canal”"),),
            "recommendations": (
                Recommendation(text="Plan with a guide."),
                Recommendation(
                    text="Look again.", follow_up=FollowUp(due_on=date(2027, 5, 1), site="36", owner="Dr Keller")
                ),
                Recommendation(text="And again.", follow_up=FollowUp(due_months=6, site="26", owner="Dr Keller")),
            ),
            "communications": (
                Communication(
                    recipient="Dr Keller",
                    at=datetime(2026, 11, 2, 13, 5, tzinfo=UTC),
                    method=CommunicationMethod.TELEPHONE,
                    read_back=True,
                    finding_id="f1",
                    note="At once.",
                ),
            ),
        }
    )


def form_html(content: ReportContent, **changes: object) -> str:
    choices = (
        KeyImageChoice(id="ann_1", caption="The “canal”", thumbnail="/x", chosen=True),
        KeyImageChoice(id="ann_2", caption="Not in the report", thumbnail="/y", chosen=False),
    )
    view = replace(READING, report=content, key_images=choices, **changes)  # type: ignore[arg-type]
    page = replace(base.page("Reading", "radiologist"), reader=Reader(zone=ZONE))
    return render("pages/reading_form.html", page.reader, page=page, view=view, labels=LABELS)


def test_the_form_gives_back_the_whole_report() -> None:
    content = whole_report()
    read = draft_of_form(fields_of(form_html(content), "report-form"), ZONE)
    assert read.content == content


def test_a_blank_report_comes_back_blank() -> None:
    content = READING.report.model_copy(update={"key_images": (), "areas_of_interest": ()})
    fields = fields_of(form_html(content), "report-form")
    del fields["key_images.0.image_id"]
    assert draft_of_form(fields, ZONE).content == content


def test_while_an_addendum_is_written_the_signed_text_cannot_be_changed() -> None:
    content = whole_report()
    html = form_html(content, content_json=content.model_dump_json(), addendum="More.")
    fields = fields_of(html, "report-form")
    read = draft_of_form({**fields, "addendum": "More words.", "impression": "Another one"}, ZONE)
    assert (read.content, read.addendum) == (content, "More words.")
    assert html.count("readonly") > 10


@asynccontextmanager
async def at(live: Live, name: str) -> AsyncIterator[httpx.AsyncClient]:
    async with sign_in(live.app, f"{name}@demo.test", PASSWORD) as client:
        yield client


async def page_of(client: httpx.AsyncClient, story: Story) -> str:
    answer = await client.get(f"/cases/{story.case_id}/read")
    assert answer.status_code == 200, answer.text
    return answer.text


def sign_fields(html: str, action: str, **values: str) -> dict[str, str]:
    """Nonce and draft hash of the form of an action."""
    form = re.search(rf'action="[^"]*/read/actions/{action}"(.*?)</form>', html, re.S)
    assert form is not None, action
    hidden = dict(re.findall(r'name="(nonce|draft_hash)" value="([^"]+)"', form[1]))
    return {**hidden, **values}


async def test_who_reads_who_looks_and_who_finds_nothing(live: Live) -> None:
    story = await case_in_review(live)
    other = "radiologist" if story.reader == "radiologist2" else "radiologist2"
    for name, status, path in (
        (story.reader, 200, "/read"),
        ("dentist", 200, "/images"),
        ("dentist2", 404, "/read"),
        (other, 404, "/read"),
        ("scheduler", 403, "/read"),
        ("admin", 403, "/read"),
    ):
        async with at(live, name) as client:
            answer = await client.get(f"/cases/{story.case_id}/read")
            assert answer.status_code == status, name
            assert answer.url.path.endswith(path), name
            if status == 200:
                assert f'data-root="/cases/{story.case_id}/dicomweb"' in answer.text, "of this case and no other"
            if name == "dentist":
                assert "data-readonly" in answer.text
                assert "report-form" not in answer.text
                assert (await client.post(f"/cases/{story.case_id}/report/draft", data={})).status_code == 403


async def test_a_report_is_written_without_scripts_and_a_conflict_keeps_what_was_typed(live: Live) -> None:
    story = await case_in_review(live)
    async with at(live, story.reader) as client:
        html = await page_of(client, story)
        assert "What is missing before you can sign" in html
        fields = fields_of(html, "report-form")
        first = await client.post(f"/cases/{story.case_id}/report/draft", data={**fields, "impression": "First."})
        assert ">First.</textarea>" in first.text
        assert "The draft is saved" in first.text
        clash = await client.post(f"/cases/{story.case_id}/report/draft", data={**fields, "impression": "Mine."})
        assert clash.status_code == 412
        assert ">Mine.</textarea>" in clash.text
        assert "changed in another window" in clash.text
        again = fields_of(clash.text, "report-form")
        kept = await client.post(f"/cases/{story.case_id}/report/draft", data=again)
        assert ">Mine.</textarea>" in kept.text
        wrong = await client.post(
            f"/cases/{story.case_id}/report/draft",
            data={**fields_of(kept.text, "report-form"), "examination.voxel_mm": "wide"},
        )
        assert wrong.status_code == 422
        assert "examination.voxel_mm" in wrong.text


async def test_the_api_answers_a_conflict_with_theirs(live: Live) -> None:
    story = await case_in_review(live)
    url = f"/api/v1/cases/{story.case_id}/report/draft"
    async with live.client(story.reader) as client:
        draft = (await client.get(url)).json()
        draft["content"]["impression"] = "Theirs."
        saved = await client.put(url, json=draft, headers={"If-Match": '"0"'})
        assert "Rate the quality of the images." in {item["sentence"] for item in saved.json()["missing"]}
        draft["content"]["impression"] = "Mine."
        clash = await client.put(url, json=draft, headers={"If-Match": '"0"'})
    assert clash.status_code == 412
    assert clash.json()["current"]["content"]["impression"] == "Theirs."
    assert clash.headers["etag"] == saved.headers["etag"]


async def test_a_report_is_signed_from_the_page_and_a_wrong_password_comes_back_to_it(live: Live) -> None:
    story = await case_in_review(live)
    await write_report(story)
    sign = f"/cases/{story.case_id}/read/actions/sign"
    async with at(live, story.reader) as client:
        html = await page_of(client, story)
        fields = sign_fields(html, "sign")
        wrong = await client.post(sign, data={**fields, "password": "not it"})
        assert wrong.status_code == 403
        assert "The password is not right" in wrong.text
        assert 'id="report-form"' in wrong.text
        await write_report(story, impression="Changed elsewhere.")
        stale = await client.post(sign, data={**fields, "password": PASSWORD, "nonce": secrets.token_hex(8)})
        assert stale.status_code == 409
        assert "has changed since you read it" in stale.text
        fresh = sign_fields(stale.text, "sign", password=PASSWORD)
        signed = await client.post(sign, data=fresh)
        assert signed.url.path == f"/cases/{story.case_id}"
        assert "The report is signed" in signed.text
        assert PASSWORD not in signed.text
    assert story.row.state == "signed"


async def test_an_open_question_stands_between_the_report_and_its_signature(live: Live) -> None:
    story = await case_in_review(live)
    await write_report(story)
    missing = f"/api/v1/cases/{story.case_id}/report/missing"
    async with at(live, story.reader) as client:
        await client.post(
            f"/cases/{story.case_id}/messages", data={"text": "Which side?", "asks": "yes", "nonce": "q1"}
        )
        assert "A question to the practice is still open" in await page_of(client, story)
        (item,) = (await client.get(missing)).json()["items"]
        assert item["field"] == "messages"
        async with live.client("dentist") as dentist:
            url = f"/api/v1/cases/{story.case_id}/messages"
            message = (await dentist.get(url)).json()["items"][0]
            await dentist.post(f"{url}/{message['id']}/answered")
        assert (await client.get(missing)).json()["items"] == []
        assert "A question to the practice is still open" not in await page_of(client, story)


async def test_asking_the_practice_makes_the_report_wait_read_only(live: Live) -> None:
    story = await case_in_review(live)
    url = f"/cases/{story.case_id}/read/actions/request_modification"
    async with at(live, story.reader) as client:
        html = await page_of(client, story)
        empty = await client.post(url, data=sign_fields(html, "request_modification"))
        assert empty.status_code == 422
        assert 'id="report-form"' in empty.text
        asked = await client.post(url, data=sign_fields(empty.text, "request_modification", text="A lateral view?"))
        assert asked.url.path.endswith("/read")
        assert "Read only" in asked.text
        assert "A lateral view?" in asked.text
        assert "data-autosave" not in asked.text
        await client.post(
            f"/cases/{story.case_id}/read/actions/withdraw_modification",
            data=sign_fields(asked.text, "withdraw_modification"),
        )
        assert "data-autosave" in await page_of(client, story)


async def test_an_addendum_is_written_and_signed_beside_the_signed_text(live: Live) -> None:
    story = await signed_case(live)
    async with at(live, story.reader) as client:
        html = await page_of(client, story)
        assert "Read only" in html
        amend = sign_fields(html, "amend", kind="appended", reason="A measurement was asked for.")
        opened = await client.post(f"/cases/{story.case_id}/read/actions/amend", data=amend)
        assert "You are writing an addendum" in opened.text
        assert "Write the addendum before you sign it" in opened.text
        fields = fields_of(opened.text, "report-form")
        saved = await client.post(f"/cases/{story.case_id}/report/draft", data={**fields, "addendum": "11.3 mm."})
        assert "Write the addendum before you sign it" not in saved.text
        sign = sign_fields(saved.text, "sign", password=PASSWORD)
        await client.post(f"/cases/{story.case_id}/read/actions/sign", data=sign)
    async with live.client("dentist") as client:
        versions = (await client.get(f"/api/v1/cases/{story.case_id}/report")).json()["items"]
    assert versions[-1]["addenda"][0]["text"] == "11.3 mm."
    assert versions[-1]["content"] == versions[0]["content"]


@pytest.fixture
def second_signature(live: Live) -> Iterator[None]:
    """Cases that are opened meanwhile need an approver: a case keeps the policy that it began with."""
    before = set_policy(live, DEFAULT_POLICY.model_copy(update={"requires_approval": True}).model_dump_json())
    yield
    set_policy(live, before)


def set_policy(live: Live, policy: str) -> str:
    """Of the first practice's contract; returns what it was."""
    with live.world.database.write() as session:
        wanted = select(Contract).where(Contract.practice_id == live.world.organizations["practice"])
        contract = session.exec(wanted).one()
        before, contract.policy = contract.policy, policy
    return before


@pytest.mark.usefixtures("second_signature")
async def test_the_second_reader_returns_and_approves(live: Live) -> None:
    story = await case_in_review(live)
    if story.reader == "radiologist2":
        await story.act("scheduler", "reassign", radiologist_id=live.world.user_id("radiologist"))
        story.reader = "radiologist"
        await story.act("radiologist", "accept")
    await write_report(story)
    approver = live.world.user_id("radiologist2")
    base_url = f"/cases/{story.case_id}/read/actions"
    async with at(live, "radiologist") as author, at(live, "radiologist2") as second:
        html = await page_of(author, story)
        assert f'value="{approver}"' in html
        send = sign_fields(html, "submit_for_approval", password=PASSWORD, approver_id=approver)
        await author.post(f"{base_url}/submit_for_approval", data=send)
        html = await page_of(second, story)
        assert "waits for the second signature" in html
        assert "data-autosave" not in html
        back = await second.post(
            f"{base_url}/return_to_author", data=sign_fields(html, "return_to_author", reason="Name the side.")
        )
        assert back.url.path == "/"
        html = await page_of(author, story)
        assert "Name the side." in html
        async with at(live, "dentist") as dentist:
            page = (await dentist.get(f"/cases/{story.case_id}")).text
            assert "Returned the report to its author" in page and "Name the side." not in page
        await author.post(
            f"{base_url}/submit_for_approval",
            data=sign_fields(html, "submit_for_approval", password=PASSWORD, approver_id=approver),
        )
        html = await page_of(second, story)
        await second.post(f"{base_url}/approve", data=sign_fields(html, "approve", password=PASSWORD))
    assert story.row.state == "signed"
