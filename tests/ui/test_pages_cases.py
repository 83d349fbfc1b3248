"""Cases in a browser without scripts, while the engine is away: drafts, forms, chat, files, lists."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import col, select

from activities.records.opening import form_of
from api.messages import unread_counts
from infra import keystore
from schemas.tables.case import Case, Message
from schemas.tables.imaging import StoredFile
from schemas.tables.wires import DataKey
from tests.ui.reading import PageReader, read
from tests.ui.site import Site

FORM: dict[str, Any] = {
    "purpose": "implant",
    "clinical_question": "Is there enough bone at 36?",
    "teeth": ["36", "37"],
    "referrer": "Dr. Laura Keller",
    "priority": "urgent",
    "pregnancy": "not_pregnant",
    "copies_to": "Dr. A\r\n\r\nDr. B",
    "field_of_view_mm": "80,5",
}


def cases(site: Site) -> list[Case]:
    with site.world.database.read() as session:
        return list(session.exec(select(Case)).all())


asked_here: ContextVar[list[str] | None] = ContextVar("asked_here", default=None)


@contextmanager
def counting() -> Iterator[list[str]]:
    """The queries of the requests within, in whichever thread; not those of the feed, which looks out for news meanwhile."""
    seen: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.startswith("SELECT") and asked_here.get() is seen:
            seen.append(statement)

    # Keys are looked up beside the requests' own engine.
    event.listen(Engine, "before_cursor_execute", note)
    before = asked_here.set(seen)
    yield seen
    asked_here.reset(before)
    event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture
def lasting_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that a busy machine takes seconds for asks for no key twice."""
    monkeypatch.setattr(keystore, "CACHE_SECONDS", 3600)


def forget_keys(site: Site) -> None:
    with site.world.database.read() as session:
        for key_id in session.exec(select(DataKey.id)).all():
            site.app.state.services.keys.forget(key_id)


async def test_a_draft_is_opened_without_scripts(practice: Site) -> None:
    patient = practice.world.add_patient()
    async with practice.as_("dentist") as client:
        record = read(await client.get(f"/patients/{patient.id}"))
        assert f"/patients/{patient.id}/new-case" in record.links
        form = read(await client.get(f"/patients/{patient.id}/new-case")).form(f"/patients/{patient.id}/new-case")
        first = await form.send(client, **FORM)
        again = await form.send(client, **FORM)
    assert first.status_code == 200
    assert first.url == again.url
    (row,) = cases(practice)
    assert first.url.path == f"/cases/{row.id}"
    saved = form_of(practice.world.keys, row)
    assert saved.teeth == ["36", "37"]
    assert saved.copies_to == ["Dr. A", "Dr. B"]
    assert saved.field_of_view_mm == 80.5
    assert row.priority == "urgent"
    page = read(first)
    assert "Still needed: consent of the patient, at least one image." in page.text
    assert "Is there enough bone at 36?" in page.text
    assert all(form.action != f"/cases/{row.id}/actions/submit" for form in page.forms)


async def test_a_wrong_number_in_the_clinical_form_loses_nothing(practice: Site) -> None:
    patient = practice.world.add_patient()
    path = f"/patients/{patient.id}/new-case"
    async with practice.as_("dentist") as client:
        form = read(await client.get(path)).form(path)
        answer = await form.send(client, **{**FORM, "field_of_view_mm": "big", "history": "<b>none</b>"})
        assert answer.status_code == 422
        page = read(answer)
        assert "Write the size in millimetres" in page.text
        kept = page.form(path).fields
        assert kept["teeth"] == ["36", "37"]
        assert kept["purpose"] == ["implant"]
        assert kept["history"] == ["<b>none</b>"]
        assert kept["field_of_view_mm"] == ["big"]
        assert cases(practice) == []
        await page.form(path).send(client, field_of_view_mm="80")
    assert len(cases(practice)) == 1


async def test_the_clinical_form_is_edited_and_not_overwritten_unseen(practice: Site) -> None:
    row = practice.world.add_case()
    path = f"/cases/{row.id}/form"
    async with practice.as_("dentist") as mine, practice.as_("staff") as theirs:
        my_form = read(await mine.get(path)).form(path)
        their_form = read(await theirs.get(path)).form(path)
        assert my_form.fields["clinical_question"] == ["Is there enough bone for an implant at 36?"]
        await their_form.send(theirs, history="Theirs")
        refused = await my_form.send(mine, history="Mine")
        assert refused.status_code == 412
        again = read(refused).form(path)
        assert again.fields["history"] == ["Mine"]
        assert form_of(practice.world.keys, practice.world.case(row.id)).history == "Theirs"
        saved = await again.send(mine)
    assert saved.url.path == f"/cases/{row.id}"
    assert form_of(practice.world.keys, practice.world.case(row.id)).history == "Mine"


async def test_a_step_while_the_engine_is_away_says_that_nothing_was_done(practice: Site) -> None:
    row = practice.world.add_case()
    async with practice.as_("dentist") as client:
        form = read(await client.get(f"/cases/{row.id}")).form(f"/cases/{row.id}/actions/cancel")
        answer = await form.send(client, reason="Typed by mistake")
    assert answer.status_code == 503
    page = read(answer)
    assert "Nothing was done and nothing is lost" in page.text
    again = page.form(f"/cases/{row.id}/actions/cancel")
    assert again.fields["reason"] == ["Typed by mistake"]
    assert again.fields["nonce"] != form.fields["nonce"]
    assert practice.world.case(row.id).seq == 0


async def test_a_message_is_sent_once_and_counts_as_unread_until_it_is_seen(practice: Site) -> None:
    row = practice.world.add_case()
    path = f"/cases/{row.id}/messages"
    hostile = "<img src=x onerror=alert(1)>"
    async with practice.as_("dentist") as client:
        form = read(await client.get(f"/cases/{row.id}")).form(path)
        sent = await form.send(client, text=hostile)
        await form.send(client, text=hostile)
    assert hostile in read(sent).text
    assert "<img src=x" not in sent.text
    staff = practice.world.user_id("staff")
    with practice.world.database.read() as session:
        assert len(session.exec(select(Message)).all()) == 1
        assert unread_counts(session, staff, [row.id]) == {row.id: 1}
    async with practice.as_("staff") as client:
        await client.get(f"/cases/{row.id}?part=messages")
        with practice.world.database.read() as session:
            assert unread_counts(session, staff, [row.id]) == {row.id: 1}, "a region that refreshes itself is not seen"
        await client.get(f"/cases/{row.id}")
    with practice.world.database.read() as session:
        assert unread_counts(session, staff, [row.id]) == {}


async def test_a_message_that_is_too_long_comes_back(practice: Site) -> None:
    row = practice.world.add_case()
    path = f"/cases/{row.id}/messages"
    async with practice.as_("dentist") as client:
        form = read(await client.get(f"/cases/{row.id}")).form(path)
        answer = await form.send(client, text="x" * 4001)
    assert answer.status_code == 422
    assert "4000 characters" in read(answer).text
    assert read(answer).form(path).fields["text"] == ["x" * 4001]


async def test_a_question_stays_open_until_it_is_marked_as_answered(practice: Site) -> None:
    row = practice.world.add_case()
    async with practice.as_("dentist") as client:
        form = read(await client.get(f"/cases/{row.id}")).form(f"/cases/{row.id}/messages")
        sent = await form.send(client, text="Which side?", asks="yes")
        answered = next(form for form in read(sent).forms if form.action.endswith("/answered"))
        page = read(await answered.send(client))
    assert "Question, answered" in page.text
    assert not [form for form in page.forms if form.action.endswith("/answered")]


async def test_the_page_says_how_many_of_the_new_files_are_checked(practice: Site) -> None:
    row = practice.world.add_case()
    earlier, done = practice.world.add_file(row), practice.world.add_file(row)
    with practice.world.database.write() as session:
        (first,) = session.exec(
            select(StoredFile).where(StoredFile.case_id == row.id, col(StoredFile.id).not_in([earlier.id, done.id]))
        )
        began = first.created_at
        for file_id, at in ((earlier.id, began - timedelta(minutes=1)), (done.id, began + timedelta(minutes=1))):
            file = session.get_one(StoredFile, file_id)
            file.kind, file.state, file.checked_at = "photo", "ready", at
    async with practice.as_("dentist") as client:
        page = await client.get(f"/cases/{row.id}")
    assert "1 of 2 checked" in read(page).text
    assert 'max="2" value="1"' in page.text


async def test_a_file_is_taken_out_of_a_draft(practice: Site) -> None:
    row = practice.world.add_case()
    file = practice.world.add_file(row)
    async with practice.as_("dentist") as client:
        answer = await client.post(f"/cases/{row.id}/files/{file.id}/remove")
        assert answer.url.path == f"/cases/{row.id}"
        other = practice.world.add_file(practice.world.add_case())
        foreign = await client.post(f"/cases/{row.id}/files/{other.id}/remove")
    assert foreign.status_code == 404


async def test_each_role_lands_where_its_work_is(practice: Site) -> None:
    practice.world.add_case()
    for name, path, heading in (
        ("dentist", "/", "Cases"),
        ("staff", "/", "Cases"),
        ("radiologist", "/", "Reading list"),
        ("scheduler", "/board", "Board"),
        ("practice_scheduler", "/board", "Board"),
    ):
        async with practice.as_(name) as client:
            landed = await client.get("/")
        assert landed.status_code == 200
        assert landed.url.path == path, name
        assert f"<h1>{heading}</h1>" in landed.text, name
    async with practice.as_("admin") as client:
        assert (await client.get("/")).url.path == "/admin/users"


@pytest.mark.usefixtures("lasting_keys")
@pytest.mark.parametrize("url", ["/", "/api/v1/cases"])
async def test_a_list_asks_no_more_for_thirty_cases_than_for_three(practice: Site, url: str) -> None:
    asked: list[list[str]] = []
    async with practice.as_("dentist") as client:
        for number in (3, 27):
            for _ in range(number):
                practice.world.add_case()
            forget_keys(practice)
            with counting() as seen:
                page = await client.get(url)
            asked.append(seen)
            shown = set(re.findall(r"case_[0-9a-z]{8,}", page.text))
            assert shown == {row.id for row in cases(practice)}
    assert asked[0]
    assert len(asked[1]) <= len(asked[0]), set(asked[1]) - set(asked[0])


async def test_cases_are_found_by_patient_number_and_tooth_without_telling_the_address(practice: Site) -> None:
    rows = [practice.world.add_case(), practice.world.add_case(practice.world.add_patient(family_name="Brandt"))]
    hidden = practice.world.add_case(practice.world.add_patient(family_name="Nowak"))
    async with practice.as_("dentist") as client:
        search = read(await client.get("/")).form("/cases/search")

        async def found(text: str) -> set[str]:
            answer = await search.send(client, q=text)
            assert not answer.url.query
            assert hidden.id not in answer.text
            return {row.id for row in rows if row.id in answer.text}

        assert await found("moreau") == {rows[0].id}
        assert await found("BRANDT") == {rows[1].id}
        assert await found(rows[0].number) == {rows[0].id}
        assert await found("nobody") == set()
    async with practice.as_("dentist2") as client:
        other: PageReader = read(await search.send(client, q="moreau"))
    assert "No case was found" in other.text
