"""Steps of a case from its pages, over a real engine: once each, with the reason when not, and a calm answer when unknown."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select
from temporalio.testing import WorkflowEnvironment

from schemas.tables.case import CaseTransition
from schemas.tables.wires import Notification
from tests.activities.imaging.files import dicom_file
from tests.api.live import PASSWORD, Live, live_system
from tests.api.stories import case_in_review, put_file, signed_case, soon, submitted_case
from tests.ui.reading import PageReader, read
from tests.ui.site import sign_in


def as_(live: Live, name: str) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    return sign_in(live.app, f"{name}@demo.test", PASSWORD)


def steps(live: Live, case_id: str, action: str) -> int:
    with live.world.database.read() as session:
        found = session.exec(
            select(CaseTransition).where(CaseTransition.case_id == case_id, CaseTransition.action == action)
        ).all()
    return len(found)


async def until(client: httpx.AsyncClient, path: str, words: str) -> PageReader:
    for _ in range(200):
        page = read(await client.get(path))
        if words in page.text:
            return page
        await asyncio.sleep(0.05)
    raise AssertionError(f"{words!r} never appeared: {page.text[:600]}")


async def test_a_case_is_carried_from_the_form_to_the_reader_by_pages_alone(live: Live) -> None:
    patient = live.world.add_patient(
        family_name="Muster", given_name="Anna", birth_date="1980-02-14", patient_number="A-100"
    )
    async with as_(live, "dentist") as dentist:
        path = f"/patients/{patient.id}/new-case"
        typed: dict[str, Any] = {
            "purpose": "implant",
            "clinical_question": "Enough bone?",
            "teeth": "36",
            "referrer": "Dr K",
            "pregnancy": "not_pregnant",
            "consent": "yes",
        }
        opened = await read(await dentist.get(path)).form(path).send(dentist, **typed)
        case_path = opened.url.path
        case_id = case_path.rpartition("/")[2]
        assert "Still needed: at least one image." in read(opened).text
        put_file(live, case_id, dicom_file())
        submit = read(await dentist.get(case_path)).form(f"{case_path}/actions/submit")
        first, again = await asyncio.gather(submit.send(dentist), submit.send(dentist))
        assert first.url.path == again.url.path == case_path
        assert steps(live, case_id, "submit") == 1
        await until(dentist, case_path, "to accept the case")
    async with as_(live, "scheduler") as scheduler:
        board = read(await scheduler.get("/board"))
        assert case_path in board.links
        assert "Muster" not in board.text
        give = board.form(f"{case_path}/actions/reassign")
        other = next(
            live.world.user_id(name)
            for name in ("radiologist", "radiologist2")
            if live.world.user_id(name) != live.world.case(case_id).assignee_id
        )
        row = (await scheduler.get("/board")).text.partition(give.action)[2].partition("</form>")[0]
        assert other in row
        assert str(live.world.case(case_id).assignee_id) not in row, "whoever has the case is not offered it again"
        given = await give.send(scheduler, radiologist_id=other)
        assert given.url.path == "/board"
        assert "offered to another radiologist" in read(given).text
    name = next(name for name in ("radiologist", "radiologist2") if live.world.user_id(name) == other)
    async with as_(live, name) as reader:
        reading_list = await until(reader, "/", "Offered to you")
        accepted = await reading_list.form(f"{case_path}/actions/accept").send(reader)
        assert accepted.url.path == f"{case_path}/read"
        assert steps(live, case_id, "accept") == 1
        assert f"{case_path}/read" in read(await reader.get("/")).links


async def test_a_question_waits_in_words_and_its_answer_goes_back(live: Live) -> None:
    story = await case_in_review(live)
    path = f"/cases/{story.case_id}"
    hostile = "Please add <b>31</b> & 41."
    async with as_(live, story.reader) as reader:
        ask = read(await reader.get(path)).form(f"{path}/actions/request_modification")
        await ask.send(reader, text=hostile)
    async with as_(live, "dentist") as dentist:
        page = read(await dentist.get(path))
        assert "Waiting for you: the radiologist asked for something more." in page.text
        assert hostile in page.text
        answer = page.form(f"{path}/actions/answer_modification")
        empty = await answer.send(dentist, text="  ")
        assert empty.status_code == 422
        assert "Please fill this in." in read(empty).text
        assert steps(live, story.case_id, "answer_modification") == 0
        done = await read(empty).form(answer.action).send(dentist, text="They are at the lower left.")
        assert "Your answer was sent" in read(done).text
    assert story.row.state == "in_review"


async def test_a_step_that_the_case_has_outrun_brings_the_form_back_with_the_reason(live: Live) -> None:
    story = await case_in_review(live)
    path = f"/cases/{story.case_id}"
    async with as_(live, story.reader) as reader:
        ask = read(await reader.get(path)).form(f"{path}/actions/request_modification")
        await story.act(story.reader, "request_modification", text="First")
        refused = await ask.send(reader, text="Second")
    assert refused.status_code == 409
    page = read(refused)
    assert "This was not done" in page.text
    assert "Question to the practice" in page.text
    assert steps(live, story.case_id, "request_modification") == 1


async def test_a_wrong_password_withdraws_nothing_and_keeps_the_reason(live: Live) -> None:
    story = await signed_case(live)
    path = f"/cases/{story.case_id}"
    async with as_(live, story.reader) as reader:
        form = read(await reader.get(path)).form(f"{path}/actions/enter_in_error")
        refused = await form.send(reader, reason="Wrong patient", password="not-it")
        page = read(refused)
        assert refused.status_code == 403
        assert "The password is not right" in page.text
        again = page.form(form.action)
        assert again.fields["reason"] == ["Wrong patient"]
        assert "not-it" not in refused.text
        assert story.row.state == "signed"
        done = await again.send(reader, password=PASSWORD)
    assert done.status_code == 200
    assert story.row.state == "entered_in_error"


async def test_release_says_where_the_link_goes_and_revoking_ends_it(live: Live) -> None:
    story = await signed_case(live)
    path = f"/cases/{story.case_id}"
    async with as_(live, "dentist") as dentist:
        page = read(await dentist.get(path))
        assert "anna.muster@example.test" in page.text
        released = read(await page.form(f"{path}/actions/release").send(dentist))
        assert "The report was released to the patient." in released.text
        revoke = released.form(f"{path}/actions/revoke_release")
        grant = story.grants()[0]
        assert revoke.fields["grant_id"] == [grant.id]
        assert f"one-time code, until {grant.expires_at:%-d %b %Y}." in page.text
        after = read(await revoke.send(dentist))
    assert story.grants()[0].state == "revoked"
    assert after.text.count("no link is active now") == 1
    async with as_(live, "staff") as staff:
        assert all("/actions/release" not in form.action for form in read(await staff.get(path)).forms)


async def test_a_notice_rings_and_falls_silent_when_the_case_is_seen(live: Live) -> None:
    story = await case_in_review(live)
    await story.act(story.reader, "request_modification", text="More, please")

    def unread() -> list[Notification]:
        with live.world.database.read() as session:
            mine = Notification.user_id == live.world.user_id("staff")
            rows = session.exec(select(Notification).where(mine, Notification.case_id == story.case_id)).all()
        return [row for row in rows if row.read_at is None]

    await soon(unread)
    async with as_(live, "staff") as staff:
        page = await staff.get("/notices")
        assert "The radiologist asks you for something more" in read(page).text
        assert "Muster" not in read(page).text
        assert 'class="count count--due"' in (await staff.get("/notices?part=bell")).text
        await staff.get(f"/cases/{story.case_id}")
    assert unread() == []


async def test_regions_answer_alone(live: Live) -> None:
    story = await submitted_case(live, family_name="Regions")
    async with as_(live, "dentist") as dentist:
        for part in ("head", "actions", "files", "messages", "timeline", "report"):
            answer = await dentist.get(f"/cases/{story.case_id}?part={part}", headers={"X-Live-Region": part})
            assert answer.status_code == 200
            assert "<html" not in answer.text
        assert (await dentist.get(f"/cases/{story.case_id}?part=other")).status_code == 422
    async with as_(live, "admin") as admin:
        page = read(await admin.get(f"/cases/{story.case_id}"))
    assert "Regions" not in page.text
    assert "Enough" not in page.text


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.gateway._ANSWER_SECONDS", 0.3)


@pytest.mark.usefixtures("impatient")
async def test_an_unknown_outcome_is_looked_at_again_until_it_is_known(
    tmp_path: Path, temporal_dev: WorkflowEnvironment
) -> None:
    async with live_system(tmp_path, temporal_dev, with_worker=False) as quiet:
        row = quiet.world.add_case()
        path = f"/cases/{row.id}"
        async with as_(quiet, "dentist") as dentist:
            form = read(await dentist.get(path)).form(f"{path}/actions/cancel")
            waiting = await form.send(dentist, reason="Not needed")
            again = await form.send(dentist, reason="Not needed")
            assert waiting.status_code == 202
            assert waiting.headers["refresh"] == "3"
            assert "Your step was received" in read(waiting).text
            assert waiting.url.path == again.url.path
            async with as_(quiet, "staff") as staff:
                assert (await staff.get(waiting.url.path)).status_code == 404
            with quiet.world.database.write() as session:
                from schemas.tables.case import CaseCommand

                command = session.get_one(CaseCommand, waiting.url.path.rpartition("/")[2])
                command.outcome, command.refusal_code, command.refusal_status = "lapsed", "lapsed", 409
                command.refusal_detail = "The case did not take this step in time."
            settled = await dentist.get(waiting.url.path)
    assert settled.status_code == 409
    assert "The case did not take this step in time." in read(settled).text
    assert "refresh" not in settled.headers
