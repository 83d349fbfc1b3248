"""A patient's link: what it shows to whom, and when it stops."""

import asyncio
import re
import secrets
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import JsonValue
from sqlmodel import col, select

from infra.database import now
from infra.sealing import column_aad, seal_json
from schemas.ids import new_id
from schemas.tables.arrangement import ArrangedItem, FileGroup
from schemas.tables.case import Case
from schemas.tables.imaging import StoredFile, Study
from schemas.tables.release import GrantCode, PortalSession, ReleaseGrant
from schemas.tables.wires import AuditRow, Notification
from tests.api.live import PASSWORD, Live
from tests.api.mailbox import letters
from tests.api.stories import BORN, Story, released_case, signed_case, soon, write_report
from tests.ui.site import sign_in

SAME_SITE = {"Sec-Fetch-Site": "same-origin"}
WRONG_DATE = {"birth_date-day": "1", "birth_date-month": "1", "birth_date-year": "1971"}
RIGHT_DATE = {
    "birth_date-day": str(BORN.day),
    "birth_date-month": str(BORN.month),
    "birth_date-year": str(BORN.year),
}
PHI = ("Muster", "Anna", "1980-02-14", "implant", "Bone at 36", "Keller")


@pytest.fixture
def address() -> str:
    return f"p{secrets.token_hex(6)}@example.test"


@pytest.fixture
async def story(live: Live, address: str) -> Story:
    return await released_case(live, email=address)


def browser(live: Live) -> httpx.AsyncClient:
    client = live.client()
    client.headers.update(SAME_SITE)
    client.follow_redirects = True
    return client


def codes(live: Live, address: str) -> list[str]:
    found = [re.search(r"code: (\d{6})", letter.text) for letter in letters(live.world, address)]
    return [match[1] for match in found if match]


async def code_for(live: Live, client: httpx.AsyncClient, link: str, address: str) -> str:
    known = len(codes(live, address))
    page = await client.post(link, data=RIGHT_DATE)
    assert page.status_code == 200
    assert 'name="code"' in page.text
    return str((await soon(lambda: codes(live, address)[known:]))[-1])


async def enter(live: Live, client: httpx.AsyncClient, link: str, address: str) -> httpx.Response:
    code = await code_for(live, client, link, address)
    return await client.post(link, data={"code": code})


def without_time(page: httpx.Response) -> str:
    return re.sub(r'data-now="[^"]*"', "", page.text)


def grant_of(story: Story) -> ReleaseGrant:
    return story.grants()[-1]


def change_grant(story: Story, **values: Any) -> None:
    with story.live.world.database.write() as session:
        row = session.get_one(ReleaseGrant, grant_of(story).id)
        for name, value in values.items():
            setattr(row, name, value)


async def test_date_and_code_open_the_report_its_images_and_its_document(
    live: Live, story: Story, address: str
) -> None:
    link = story.link()
    async with browser(live) as client:
        first = await client.get(link)
        assert first.status_code == 200
        report = await enter(live, client, link, address)
        assert "Anna Muster" in report.text
        assert "Bone at 36 is sufficient" in report.text
        assert "There is a finding in: " in report.text
        preview = re.search(rf'src="({link}/dicomweb/[^"]+/thumbnail)"', report.text)
        assert preview is not None
        picture = await client.get(preview[1])
        assert picture.headers["content-type"] == "image/jpeg"
        assert picture.headers["cache-control"] == "no-store"
        viewer = await client.get(re.search(rf'href="({link}/images/[0-9.]+)"', report.text)[1])  # type: ignore[index]
        assert f'data-root="{link}/dicomweb"' in viewer.text
        assert 'data-audience="patient"' in viewer.text
        document = await client.get(f"{link}/report.pdf")
        assert document.content.startswith(b"%PDF-")
        for answer in (first, report, viewer, document):
            assert answer.headers["cache-control"] == "no-store"
    assert grant_of(story).first_opened_at is not None
    with live.world.database.read() as session:
        acts = session.exec(select(AuditRow.act).where(AuditRow.subject_id == grant_of(story).id)).all()
    assert {"release.code_sent", "release.open", "release.download", "release.view_images"} <= set(acts)


async def test_photographs_are_shown_without_the_names_of_their_files(live: Live, story: Story, address: str) -> None:
    link = story.link()
    async with browser(live) as client:
        report = await enter(live, client, link, address)
        found = re.search(rf'href="({link}/photographs/[^"]+)"', report.text)
        assert found is not None
        assert "smiles" not in report.text
        for url in (found[1], f"{found[1]}/thumbnail"):
            picture = await client.get(url)
            assert picture.headers["content-type"] == "image/jpeg"
            assert picture.headers["cache-control"] == "no-store"
        (listed,) = (await client.get(f"{link}/photographs")).json()["items"]
        assert (listed["url"], listed["download_url"]) == (found[1], None)
        viewer = await client.get(re.search(rf'href="({link}/images/[0-9.]+)"', report.text)[1])  # type: ignore[index]
        assert f'data-files="{link}/photographs"' in viewer.text
        with live.world.database.read() as session:
            image = session.exec(
                select(StoredFile.id).where(StoredFile.case_id == story.case_id, StoredFile.kind == "dicom")
            ).one()
        assert (await client.get(f"{link}/photographs/{image}")).status_code == 404
        assert (await client.get(f"{link}/photographs/fil_unknown")).status_code == 404
    async with browser(live) as stranger:
        for url in (f"{link}/photographs", found[1], f"{found[1]}/thumbnail"):
            assert (await stranger.get(url)).headers["content-type"] != "image/jpeg"
            assert "fil_" not in (await stranger.get(url)).text


async def test_nothing_about_the_patient_before_the_second_factor_nor_in_any_mail(
    live: Live, story: Story, address: str
) -> None:
    link = story.link()
    async with browser(live) as client:
        pages = [await client.get(link), await client.post(link, data=RIGHT_DATE), await client.get(link)]
        pages += [await client.get(f"{link}/report.pdf"), await client.get(f"{link}/dicomweb/studies")]
        pages.append(await client.post(link, data={"code": "000000"}))
        for page in pages:
            assert not [word for word in PHI if word in page.text], page.url
    await soon(lambda: codes(live, address))
    for letter in letters(live.world):
        assert not [word for word in PHI if word in letter.subject + letter.text]


async def test_a_wrong_date_is_answered_alike_and_mails_nothing(live: Live, story: Story, address: str) -> None:
    link = story.link()
    async with browser(live) as client:
        wrong = await client.post(link, data=WRONG_DATE)
        await asyncio.sleep(0.3)
        assert not codes(live, address)
    async with browser(live) as client:
        right = await client.post(link, data=RIGHT_DATE)
    assert wrong.status_code == right.status_code
    assert without_time(wrong) == without_time(right)
    lengths = [len(answer.history[0].headers["set-cookie"]) for answer in (wrong, right)]
    assert lengths[0] == lengths[1]
    assert abs(wrong.history[0].elapsed - right.history[0].elapsed) < timedelta(seconds=0.25)


async def test_a_wrong_date_makes_every_code_wrong(live: Live, story: Story, address: str) -> None:
    link = story.link()
    async with browser(live) as other:
        code = await code_for(live, other, link, address)
    async with browser(live) as client:
        await client.post(link, data=WRONG_DATE)
        refused = await client.post(link, data={"code": code})
        assert refused.status_code == 403
        assert "Anna" not in refused.text


async def test_looking_consumes_nothing(live: Live, story: Story, address: str) -> None:
    link = story.link()
    before = grant_of(story)
    async with browser(live) as scanner:
        for _ in range(20):
            assert (await scanner.get(link)).status_code == 200
            assert (await scanner.head(link)).status_code == 200
    assert grant_of(story) == before
    assert not codes(live, address)
    async with browser(live) as client:
        assert "Anna Muster" in (await enter(live, client, link, address)).text


async def test_five_wrong_tries_over_both_factors_lock_the_link_and_tell_the_practice(
    live: Live, story: Story, address: str
) -> None:
    link = story.link()
    async with browser(live) as client:
        await client.post(link, data=WRONG_DATE)
        code = await code_for(live, client, link, address)
        wrong = f"{(int(code) + 1) % 1_000_000:06d}"
        for _ in range(3):
            assert (await client.post(link, data={"code": wrong})).status_code == 403
        locked = await client.post(link, data={"code": wrong})
        assert locked.status_code == 423
        assert (await client.post(link, data={"code": code})).status_code == 423
        assert (await client.get(link)).status_code == 423
    assert grant_of(story).state == "locked"
    with live.world.database.read() as session:
        told = session.exec(
            select(Notification.user_id).where(
                Notification.case_id == story.case_id, Notification.notice == "grant_locked"
            )
        ).all()
    assert live.world.user_id("dentist") in told
    await soon(lambda: [each for each in letters(live.world, "dentist@demo.test") if "locked" in each.subject])
    # What a worker's sweep of the outbox does each second.
    await live.app.state.services.gateway.dispatcher.dispatch(story.case_id)
    await soon(lambda: story.row.wait_reason == "link_locked")
    async with sign_in(live.app, "dentist@demo.test", PASSWORD) as dentist:
        assert "link is locked after too many wrong tries" in (await dentist.get("/notices")).text
        page = (await dentist.get(f"/cases/{story.case_id}")).text
    assert "link is locked after too many wrong tries" in page
    assert "The patient can open the report" not in page
    assert f"/cases/{story.case_id}/actions/release" in page
    await story.act("dentist", "release")
    assert story.row.wait_reason == "with_patient"


async def test_a_hundred_submits_of_one_code_open_one_visit(live: Live, story: Story, address: str) -> None:
    link = story.link()
    async with browser(live) as client:
        code = await code_for(live, client, link, address)
        client.follow_redirects = False
        answers = await asyncio.gather(*(client.post(link, data={"code": code}) for _ in range(100)))
    assert sorted({answer.status_code for answer in answers}) == [303, 409]
    assert [answer.status_code for answer in answers].count(303) == 1
    with live.world.database.read() as session:
        visits = session.exec(select(PortalSession).where(PortalSession.grant_id == grant_of(story).id)).all()
    assert len(visits) == 1
    assert grant_of(story).state == "live"


async def test_a_hundred_wrong_submits_are_five_tries(live: Live, story: Story, address: str) -> None:
    link = story.link()
    async with browser(live) as client:
        code = await code_for(live, client, link, address)
        client.follow_redirects = False
        guesses = [f"{(int(code) + step) % 1_000_000:06d}" for step in range(1, 101)]
        answers = await asyncio.gather(*(client.post(link, data={"code": guess}) for guess in guesses))
    assert [answer.status_code for answer in answers].count(403) == 4
    assert {answer.status_code for answer in answers} == {403, 423}
    assert grant_of(story).failures == 5


async def test_a_document_that_was_made_while_its_link_was_revoked_is_not_sent(
    live: Live, story: Story, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Laying a report out takes a second: enough for the practice to change its mind."""
    link = story.link()
    async with browser(live) as client:
        await enter(live, client, link, address)

        def made_meanwhile(case_id: str, version: int | None) -> bytes:
            change_grant(story, state="revoked", ended_at=now())
            return b"%PDF-1.7"

        monkeypatch.setattr(live.app.state.services.pdfs, "pdf", made_meanwhile)
        answer = await client.get(f"{link}/report.pdf")
    assert (answer.status_code, b"%PDF" in answer.content) == (404, False)


async def test_revocation_stops_an_open_visit_at_once(live: Live, story: Story, address: str) -> None:
    link = story.link()
    async with browser(live) as client:
        report = await enter(live, client, link, address)
        thumbnail = re.search(rf'src="({link}/dicomweb/[^"]+)"', report.text)[1]  # type: ignore[index]
        assert (await client.get(thumbnail)).status_code == 200
        await story.act("dentist", "revoke_release", grant_id=grant_of(story).id)
        for url in (link, f"{link}/report.pdf", thumbnail, f"{link}/dicomweb/studies"):
            answer = await client.get(url)
            assert answer.status_code == 404
            assert not [word for word in PHI if word in answer.text]
            assert b"%PDF" not in answer.content


async def test_a_revoked_link_and_one_that_never_was_answer_the_same_bytes(live: Live, story: Story) -> None:
    link = story.link()
    await story.act("dentist", "revoke_release", grant_id=grant_of(story).id)
    for method, form in (("GET", None), ("HEAD", None), ("POST", RIGHT_DATE), ("POST", {"code": "123456"})):
        async with browser(live) as client:
            revoked = await client.request(method, link, data=form)
            unknown = await client.request(method, f"/r/{secrets.token_urlsafe(24)}", data=form)
        assert revoked.status_code == unknown.status_code == 404
        assert revoked.content == unknown.content
        assert dict(revoked.headers) == dict(unknown.headers)


async def test_an_expired_link_and_an_old_code_open_nothing(live: Live, story: Story, address: str) -> None:
    link = story.link()
    async with browser(live) as client:
        code = await code_for(live, client, link, address)
        with live.world.database.write() as session:
            for row in session.exec(select(GrantCode).where(GrantCode.grant_id == grant_of(story).id)).all():
                row.expires_at = now() - timedelta(seconds=1)
        assert (await client.post(link, data={"code": code})).status_code == 403
        assert "Anna Muster" in (await enter(live, client, link, address)).text
        change_grant(story, expires_at=now() - timedelta(seconds=1))
        expired = await client.get(link)
        assert expired.status_code == 410
        assert "Practice" in expired.text
        assert (await client.get(f"{link}/report.pdf")).status_code == 410


async def test_a_visit_ends_when_it_is_closed_or_left_alone(live: Live, story: Story, address: str) -> None:
    link = story.link()
    async with browser(live) as client:
        await enter(live, client, link, address)
        with live.world.database.write() as session:
            for row in session.exec(select(PortalSession).where(PortalSession.grant_id == grant_of(story).id)).all():
                row.expires_at = now() - timedelta(seconds=1)
        assert "Anna" not in (await client.get(link)).text
        await enter(live, client, link, address)
        kept = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)
        closed = await client.post(f"{link}/close")
        assert "Anna" not in closed.text
    async with browser(live) as client:
        client.headers["Cookie"] = kept
        assert "Anna" not in (await client.get(link)).text


async def test_a_visit_of_one_link_opens_no_other(live: Live, story: Story, address: str) -> None:
    other = await released_case(live, email=address)
    async with browser(live) as client:
        await enter(live, client, story.link(), address)
        (cookie,) = [cookie.value for cookie in client.cookies.jar if cookie.name == "odontoflow_portal"]
    async with browser(live) as client:
        client.headers["Cookie"] = f"odontoflow_portal={cookie}"
        assert "Anna" not in (await client.get(other.link())).text
        assert (await client.get(f"{other.link()}/dicomweb/studies")).status_code == 401
        assert len((await client.get(f"{story.link()}/dicomweb/studies")).json()) == 1


async def test_the_practice_reads_a_code_out_to_a_patient_without_an_address(live: Live) -> None:
    story = await released_case(live, email=None)
    url = f"/api/v1/cases/{story.case_id}/grants/{grant_of(story).id}/code"
    for name, status in (("staff", 403), ("dentist2", 404), ("radiologist", 403), ("dentist", 201)):
        async with live.client(name) as client:
            handed = await client.post(url)
        if name == "radiologist" and story.reader != name:
            continue
        assert handed.status_code == status, name
    link = story.link()
    async with browser(live) as client:
        page = await client.post(link, data=RIGHT_DATE)
        assert 'name="code"' in page.text
        assert "Anna Muster" in (await client.post(link, data={"code": handed.json()["code"]})).text
    with live.world.database.read() as session:
        row = session.exec(
            select(AuditRow).where(AuditRow.scope == story.case_id, AuditRow.act == "release.hand_over_code")
        ).one()
    assert row.actor_id == live.world.user_id("dentist")


async def test_a_mail_that_comes_meanwhile_does_not_undo_a_code_that_was_read_out(
    live: Live, story: Story, address: str
) -> None:
    async with live.client("dentist") as dentist:
        url = f"/api/v1/cases/{story.case_id}/grants/{grant_of(story).id}/code"
        handed = (await dentist.post(url)).json()["code"]
    async with browser(live) as client:
        mailed = await code_for(live, client, story.link(), address)
        assert "Anna Muster" in (await client.post(story.link(), data={"code": handed})).text
    async with browser(live) as client:
        await code_for(live, client, story.link(), address)
        assert (await client.post(story.link(), data={"code": mailed})).status_code == 409


async def test_the_practices_page_shows_a_link_and_a_code_once(live: Live) -> None:
    story = await released_case(live, email=None)
    url = f"/cases/{story.case_id}/links"
    async with sign_in(live.app, "dentist@demo.test", PASSWORD) as dentist:
        assert url in (await dentist.get(f"/cases/{story.case_id}")).text
        assert story.link() not in (await dentist.get(url)).text
        handed = (await dentist.post(f"{url}/{grant_of(story).id}/code")).text
        code = re.search(r"handed-code\">(\d{6})<", handed)[1]  # type: ignore[index]
        assert story.link() in handed
        assert code not in (await dentist.get(url)).text
    async with browser(live) as client:
        await client.post(story.link(), data=RIGHT_DATE)
        assert "Anna Muster" in (await client.post(story.link(), data={"code": code})).text
    async with sign_in(live.app, "staff@demo.test", PASSWORD) as staff:
        assert (await staff.post(f"{url}/{grant_of(story).id}/code")).status_code == 403
        assert "Show link and a code" not in (await staff.get(url)).text


async def test_another_practices_link_cannot_be_read_or_opened_by_number(live: Live, story: Story) -> None:
    mine = await signed_case(live)
    foreign = f"/api/v1/cases/{mine.case_id}/grants/{grant_of(story).id}/code"
    async with live.client("dentist") as client:
        assert (await client.post(foreign)).status_code == 404
        grants = (await client.get(f"/api/v1/cases/{story.case_id}/grants")).json()["items"]
    assert [grant["state"] for grant in grants] == ["live"]
    assert "token" not in str(grants)


async def test_a_corrected_report_replaces_the_patients_copy(live: Live, story: Story, address: str) -> None:
    await story.act(story.reader, "amend", kind="corrected", reason="The side was wrong.")
    async with browser(live) as client:
        during = await enter(live, client, story.link(), address)
        assert "working on a change" in during.text
        read = await write_report(story, impression="Bone at 46 is sufficient.")
        await story.act(story.reader, "sign", password=PASSWORD, draft_hash=read)
        after = await client.get(story.link())
    assert "Bone at 46 is sufficient" in after.text
    assert "put right" in after.text


async def test_codes_are_kept_as_keyed_hashes_and_no_more_than_five_are_mailed(
    live: Live, story: Story, address: str
) -> None:
    link = story.link()
    async with browser(live) as client:
        code = await code_for(live, client, link, address)
        for _ in range(6):
            await client.post(f"{link}/code")
        await asyncio.sleep(0.3)
    assert len(codes(live, address)) == 5
    with live.world.database.read() as session:
        rows = session.exec(select(GrantCode).where(col(GrantCode.grant_id) == grant_of(story).id)).all()
    assert not [row for row in rows if code in row.code_hash]


async def test_the_patient_sees_the_practices_order_and_none_of_its_words(
    live: Live, story: Story, address: str
) -> None:
    world, group_id = live.world, new_id("grp")
    words: dict[str, JsonValue] = {"title": "Canary title", "description": "Canary description", "teeth": ["36"]}
    with world.database.write() as session:
        case = session.get_one(Case, story.case_id)
        key = world.keys.data_key(case.key_id)
        photo = session.exec(
            select(StoredFile.id).where(StoredFile.case_id == case.id, StoredFile.kind == "photo")
        ).one()
        study = session.exec(select(Study.id).where(Study.case_id == case.id)).one()
        name = seal_json(key, "Canary heading", column_aad("file_group", group_id, "name"))
        session.add(FileGroup(id=group_id, case_id=case.id, name=name, position=0, created_at=now()))
        session.flush()
        for item_id, group in ((study, group_id), (photo, None)):
            labels = seal_json(key, words, column_aad("arranged_item", item_id, "labels"))
            session.add(ArrangedItem(id=item_id, case_id=case.id, group_id=group, position=0, labels=labels))
    link = story.link()
    async with browser(live) as client:
        report = await enter(live, client, link, address)
        assert report.text.index(f"{link}/photographs/{photo}") < report.text.index(f"{link}/dicomweb")
        listed = await client.get(f"{link}/series")
        (group,) = listed.json()["groups"]
        assert [entry["kind"] for entry in group["entries"]] == ["file", "series"]
        viewer = await client.get(re.search(rf'href="({link}/images/[0-9.]+)"', report.text)[1])  # type: ignore[index]
        assert f'data-series="{link}/series"' in viewer.text
        for answer in (report, listed, viewer):
            assert "Canary" not in answer.text
            assert "smiles" not in answer.text
    async with browser(live) as stranger:
        assert "entries" not in (await stranger.get(f"{link}/series")).text
