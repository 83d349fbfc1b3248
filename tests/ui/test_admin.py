"""Users, audit trail and trace: who may, what it does at once, and what it leaves behind."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlmodel import select

from activities.post import Post
from infra.audit import AuditSealer
from schemas.tables.people import Membership, Registration, User
from schemas.tables.wires import AuditRow
from tests.api.mailbox import Letter, letters
from tests.ui.site import PASSWORD, Site, browser, sign_in, site

NEW = {
    "name": "Chidi Obi",
    "email": "chidi.obi@example.test",
    "role": "staff",
    "nonce": "n",
}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path, temporal_address="") as made:
        yield made


def user(office: Site, email: str) -> User:
    with office.world.database.read() as session:
        return session.exec(select(User).where(User.email == email)).one()


def acts(office: Site, act: str) -> list[AuditRow]:
    with office.world.database.read() as session:
        return list(session.exec(select(AuditRow).where(AuditRow.act == act)).all())


async def invite(office: Site, by: str = "dentist", url: str = "/practice/users", **changes: str) -> str:
    """Invites and returns the path of the link in the mail."""
    async with office.as_(by) as client:
        answer = await client.post(url, data=NEW | changes)
        assert answer.status_code == 200, answer.text
    email = (NEW | changes)["email"]
    (letter,) = await sent(office, email)
    return str(re.search(r"http://[^/]+(/welcome/\S+)", letter.text)[1])  # type: ignore[index]


async def sent(office: Site, email: str) -> list[Letter]:
    """What lies in somebody's mailbox when the worker's sweep has gone round."""
    services = office.app.state.services
    post = Post(services.database, services.keys, services.mailer, office.settings.base_url)
    await asyncio.to_thread(post.sweep)
    return letters(office.world, email)


async def choose_password(office: Site, link: str, password: str = PASSWORD) -> httpx.Response:
    async with browser(office.app) as client:
        return await client.post(link, data={"password": password, "again": password})


async def test_only_administrators_and_owners_come_in(office: Site) -> None:
    for name, admin, practice in (
        ("admin", 200, 403),
        ("dentist", 403, 200),
        ("staff", 403, 403),
        ("radiologist", 403, 403),
        ("scheduler", 403, 403),
    ):
        async with office.as_(name) as client:
            for url in ("/admin/users", "/admin/audit", "/api/v1/admin/users", "/api/v1/admin/audit"):
                assert (await client.get(url)).status_code == admin, (name, url)
            for url in ("/practice/users", "/api/v1/practice/users"):
                assert (await client.get(url)).status_code == practice, (name, url)


async def test_an_invited_person_chooses_a_password_once_and_signs_in(office: Site) -> None:
    link = await invite(office)
    async with browser(office.app) as client:
        for _ in range(3):
            assert "chidi.obi@example.test" in (await client.get(link)).text
        short = await client.post(link, data={"password": "short", "again": "short"})
        assert short.status_code == 422
        other = await client.post(link, data={"password": PASSWORD, "again": PASSWORD + "x"})
        assert other.status_code == 422
    await choose_password(office, link)
    again = await choose_password(office, link, "another-long-password")
    assert again.status_code == 410
    async with sign_in(office.app, "chidi.obi@example.test") as client:
        assert (await client.get("/")).status_code == 200
    assert acts(office, "user.invite")
    assert acts(office, "user.choose_password")


async def test_an_invitation_sent_again_ends_the_earlier_one_and_a_changed_one_opens_nothing(office: Site) -> None:
    first = await invite(office)
    person = user(office, "chidi.obi@example.test")
    async with office.as_("dentist") as client:
        await client.post(f"/practice/users/{person.id}/invitation")
    second = (await sent(office, person.email))[1]
    async with browser(office.app) as client:
        assert (await client.get(first)).status_code == 410
        assert (await client.get(first[:-1] + ("0" if first[-1] != "0" else "1"))).status_code == 410
        assert (await client.get(re.search(r"(/welcome/\S+)", second.text)[1])).status_code == 200  # type: ignore[index]


async def test_an_owner_sees_and_changes_their_own_practice_alone(office: Site) -> None:
    foreign = office.world.user_id("dentist2")
    async with office.as_("dentist") as client:
        page = await client.get("/practice/users")
        assert "staff@demo.test" in page.text
        assert "dentist2@demo.test" not in page.text
        assert (await client.get(f"/practice/users/{foreign}")).status_code == 404
        assert (await client.post(f"/practice/users/{foreign}/disable")).status_code == 404
        body = {
            "name": "X",
            "email": "x@example.test",
            "role": "dentist",
            "organization_id": office.world.organizations["practice2"],
        }
        assert (await client.post("/api/v1/practice/users", json=body)).status_code == 404
        own = body | {"organization_id": office.world.organizations["practice"], "role": "radiologist"}
        assert (await client.post("/api/v1/practice/users", json=own)).json()["code"] == "role_not_there"
        taken = own | {"role": "staff", "email": "dentist2@demo.test"}
        assert (await client.post("/api/v1/practice/users", json=taken)).json()["code"] == "user_exists"


async def test_disabling_signs_out_everywhere_at_once(office: Site) -> None:
    staff = office.world.user_id("staff")
    async with office.as_("staff") as victim, office.as_("admin") as admin:
        assert (await victim.get("/")).status_code == 200
        await admin.post(f"/admin/users/{staff}/disable")
        victim.follow_redirects = False
        assert (await victim.get("/")).headers["location"].startswith("/sign-in")
        refused = await victim.post("/sign-in", data={"email": "staff@demo.test", "password": PASSWORD, "nonce": "n"})
        assert refused.status_code == 401
        await admin.post(f"/admin/users/{staff}/enable")
        again = await victim.post("/sign-in", data={"email": "staff@demo.test", "password": PASSWORD, "nonce": "n"})
        assert again.status_code == 303
    (row,) = acts(office, "user.disable")
    assert row.subject_id == staff


async def test_a_practices_owner_ends_a_membership_at_once(office: Site) -> None:
    case = office.world.add_case()
    async with office.as_("staff") as victim, office.as_("dentist") as owner:
        assert (await victim.get(f"/api/v1/cases/{case.id}")).status_code == 200
        await owner.post(f"/practice/users/{office.world.user_id('staff')}/disable")
        assert (await victim.get(f"/api/v1/cases/{case.id}", headers={"Accept": "*/*"})).status_code == 401
    async with office.as_("staff") as victim:
        assert (await victim.get(f"/api/v1/cases/{case.id}")).status_code == 404


async def test_nobody_changes_their_own_account_or_role(office: Site) -> None:
    for name, base in (("admin", "/api/v1/admin/users"), ("dentist", "/api/v1/practice/users")):
        own = office.world.user_id(name)
        organization = office.world.organizations["platform" if name == "admin" else "practice"]
        async with office.as_(name) as client:
            role = {"role": "admin" if name == "admin" else "staff"}
            for answer in (
                await client.post(f"{base}/{own}/disable"),
                await client.put(f"{base}/{own}/memberships/{organization}", json=role),
            ):
                assert answer.status_code == 403
                assert answer.json()["code"] == "not_yourself"
            page = await client.get(f"{base.removeprefix('/api/v1')}/{own}")
            assert "/disable" not in page.text
            assert "Save role" not in page.text


async def test_roles_and_flags_are_changed_by_form_and_fit_their_organization(office: Site) -> None:
    practice, staff = office.world.organizations["practice"], office.world.user_id("staff")
    url = f"/admin/users/{staff}/roles/{practice}"
    async with office.as_("admin") as client:
        wrong = await client.post(url, data={"role": "staff", "owner": "yes", "nonce": "n"})
        assert wrong.status_code == 422
        assert "can be its owners" in wrong.text
        await client.post(url, data={"role": "dentist", "owner": "yes", "nonce": "n"})
        assert (await client.get("/admin/users")).text.count("Dentist, owner") == 3
    with office.world.database.read() as session:
        row = session.exec(select(Membership).where(Membership.user_id == staff)).one()
    assert (row.role, row.is_owner) == ("dentist", True)
    assert acts(office, "user.change_role")


async def test_an_administrator_invites_a_radiologist_with_a_registration(office: Site) -> None:
    await invite(
        office,
        "admin",
        "/admin/users",
        role="radiologist",
        organization_id=office.world.organizations["group"],
        registration_number="CH-77",
        jurisdiction="ch",
    )
    with office.world.database.read() as session:
        row = session.exec(select(Registration).where(Registration.user_id == user(office, NEW["email"]).id)).one()
    assert (row.number, row.jurisdiction) == ("CH-77", "CH")
    async with office.as_("admin") as client:
        twice = await client.post("/admin/users", data=NEW | {"organization_id": ""})
        assert twice.status_code == 422
        assert "Choose the organization" in twice.text
        assert 'value="Chidi Obi"' in twice.text
        found = await client.post("/admin/users/search", data={"q": "chidi"})
        assert "chidi.obi@example.test" in found.text
        assert "staff@demo.test" not in found.text


async def test_an_invitation_names_a_place_by_its_code_and_overwrites_no_registration(office: Site) -> None:
    reader = {"role": "radiologist", "organization_id": office.world.organizations["group"]}
    async with office.as_("admin") as client:
        number = {"registration_number": "CH-77", "jurisdiction": "Switzerland"}
        unreadable = await client.post("/admin/users", data=NEW | reader | number)
        assert unreadable.status_code == 422
        assert "such as CH or US-CA" in unreadable.text
        other = {"email": "scheduler@demo.test", "registration_number": "CH-78", "jurisdiction": "CH"}
        assert (await client.post("/admin/users", data=NEW | reader | other)).status_code == 200
        with office.world.database.write() as session:
            for row in session.exec(select(Membership).where(Membership.role == "radiologist")).all():
                if row.user_id == user(office, "scheduler@demo.test").id:
                    session.delete(row)
        refused = await client.post("/admin/users", data=NEW | reader | other | {"registration_number": "CH-79"})
        assert refused.status_code == 422
        assert "has another registration" in refused.text
    with office.world.database.read() as session:
        kept = session.exec(
            select(Registration.number).where(Registration.user_id == user(office, "scheduler@demo.test").id)
        ).all()
    assert list(kept) == ["CH-78"]


ADDED = {
    "jurisdiction": "us-ca",
    "number": "OMR 40312",
    "valid_until-day": "31",
    "valid_until-month": "12",
    "valid_until-year": "2027",
}


async def test_registrations_are_managed_on_the_radiologists_page(office: Site) -> None:
    page = f"/admin/users/{office.world.user_id('radiologist')}"
    async with office.as_("admin") as client:
        before = (await client.get(page)).text
        assert "Open cases are not taken away" in before
        for _ in range(2):
            added = await client.post(f"{page}/registrations", data=ADDED)
            assert added.status_code == 200, added.text
            assert "The registration was added." in added.text
            assert added.text.count("OMR 40312</dd>") == 1
        assert "31 Dec 2027" in added.text
        (one,) = set(re.findall(r'action="([^"]+)/remove"', added.text)) - set(
            re.findall(r'action="([^"]+)/remove"', before)
        )
        seen = {"was_number": "OMR 40312", "was_valid_until": "2027-12-31"}
        assert f'value="{seen["was_valid_until"]}"' in added.text
        for _ in range(2):
            changed = await client.post(one, data={"number": "OMR 5", "valid_until-year": "", **seen})
            assert "The registration was saved." in changed.text
            assert "OMR 5</dd>" in changed.text
        for _ in range(2):
            removed = await client.post(f"{one}/remove", data={"was_number": "OMR 5", "was_valid_until": ""})
            assert "The registration was removed." in removed.text
            assert "OMR 5" not in removed.text
        gone = await client.post(one, data={"number": "OMR 6", "was_number": "OMR 5", "was_valid_until": ""})
        assert gone.status_code == 409
        assert "removed this registration meanwhile" in gone.text
        assert "Added a registration" in (await client.get("/admin/audit")).text
    assert [len(acts(office, f"user.registration.{act}")) for act in ("add", "change", "remove")] == [1, 1, 1]


async def test_a_registration_that_somebody_else_changed_is_not_overwritten_unseen(office: Site) -> None:
    reader = office.world.user_id("radiologist")
    page = f"/admin/users/{reader}"
    with office.world.database.read() as session:
        row = session.exec(select(Registration).where(Registration.user_id == reader)).one()
    url, seen = f"{page}/registrations/{row.id}", {"was_number": row.number, "was_valid_until": ""}
    async with office.as_("admin") as client:
        await client.post(url, data={"number": "CH 2", **seen})
        for path, typed in ((url, {"number": "CH 3"}), (f"{url}/remove", {})):
            late = await client.post(path, data=typed | seen)
            assert late.status_code == 409
            assert "Somebody else changed this registration meanwhile" in late.text
            assert "CH 2</dd>" in late.text
            assert 'name="was_number" value="CH 2"' in late.text
            assert f'value="{typed.get("number", "CH 2")}"' in late.text
        assert (await client.post(f"{url}/remove", data={})).status_code == 422
        await client.post(url, data={"number": "CH 3", "was_number": "CH 2", "was_valid_until": ""})
    with office.world.database.read() as session:
        assert session.get_one(Registration, row.id).number == "CH 3"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"jurisdiction": "California"}, "Write the code of the country or state"),
        ({"jurisdiction": "ch"}, "has another registration in that country or state"),
        ({"number": " "}, "Write the registration&#39;s number"),
        ({"number": "9" * 61}, "Write the registration&#39;s number"),
        ({"valid_until-day": "31", "valid_until-month": "2"}, "Write the last day with day, month and year"),
        ({"valid_until-day": ""}, "Write the last day with day, month and year"),
        ({"valid_until-year": "27"}, "Write the last day with day, month and year"),
    ],
    ids=str,
)
async def test_what_is_wrong_with_a_registration_is_said_at_its_field(
    office: Site, changes: dict[str, str], sentence: str
) -> None:
    page = f"/admin/users/{office.world.user_id('radiologist')}"
    async with office.as_("admin") as client:
        wrong = await client.post(f"{page}/registrations", data=ADDED | changes)
        assert wrong.status_code == 422
        assert sentence in wrong.text
        typed = (ADDED | changes)["number"].strip()
        assert f'value="{typed}"' in wrong.text
    assert acts(office, "user.registration.add") == []


async def test_the_page_of_somebody_else_has_no_registrations(office: Site) -> None:
    async with office.as_("admin") as client:
        assert "Registrations" not in (await client.get(f"/admin/users/{office.world.user_id('staff')}")).text
    async with office.as_("dentist") as client:
        assert "Registrations" not in (await client.get(f"/practice/users/{office.world.user_id('staff')}")).text
        url = f"/admin/users/{office.world.user_id('radiologist')}/registrations"
        assert (await client.post(url, data=ADDED)).status_code == 403


async def test_reading_the_trail_is_recorded_and_it_is_narrowed_and_paged(office: Site) -> None:
    case = office.world.add_case()
    async with office.as_("admin") as client:
        page = await client.post("/admin/audit/search", data={"q": case.number})
        assert case.number in page.text
        assert "Acts on case" in page.text
        assert (await client.get("/admin/audit?case_id=%27--")).status_code == 404
        items: list[dict[str, object]] = []
        before = ""
        while True:
            url = f"/api/v1/admin/audit?act=auth.&limit=2{before}"
            answer = (await client.get(url)).json()
            items += answer["items"]
            if answer["next"] is None:
                break
            before = f"&before={answer['next']}"
        assert {item["act"] for item in items} == {"auth.sign_in"}
        assert len({item["id"] for item in items}) == len(items)
    rows = acts(office, "audit.read")
    assert any(row.scope == case.id for row in rows)
    assert {row.actor_id for row in rows} == {office.world.user_id("admin")}


async def test_a_changed_act_is_found_by_the_page(office: Site) -> None:
    office.world.add_case()
    AuditSealer(office.world.database, office.settings.anchor_file).seal()
    async with office.as_("admin") as client:
        assert "Chain whole" in (await client.post("/admin/audit/verify")).text
        with office.world.database.write() as session:
            row = session.exec(select(AuditRow).where(AuditRow.act == "case.create")).first()
            assert row is not None
            row.actor_id = "usr_somebodyelse"
        broken = await client.post("/admin/audit/verify")
        assert "Chain broken" in broken.text
        assert "its content was changed" in broken.text


async def test_a_practice_reads_the_trail_of_its_own_cases(office: Site) -> None:
    case = office.world.add_case()
    for name, status in (("dentist", 200), ("dentist2", 404), ("scheduler", 404), ("admin", 200)):
        async with office.as_(name) as client:
            answer = await client.get(f"/api/v1/cases/{case.id}/audit")
            assert answer.status_code == status, name
            if status == 200:
                assert "case.create" in {item["act"] for item in answer.json()["items"]}


async def test_the_trace_has_no_clinical_content_and_leads_to_temporal_with_an_audit_row(office: Site) -> None:
    case = office.world.add_case()
    async with office.as_("admin") as client:
        page = await client.get(f"/admin/cases/{case.id}/trace")
        data = await client.get(f"/api/v1/admin/cases/{case.id}/trace")
        for text in (page.text, data.text):
            assert case.id.replace("case_", "case-") in text
            for phi in ("Moreau", "Anna", "1980", "Keller", "implant", "bone"):
                assert phi not in text
        assert [fact["kind"] for fact in data.json()["facts"]] == ["start_case"]
        client.follow_redirects = False
        away = await client.get(f"/admin/cases/{case.id}/trace/temporal")
        assert away.headers["location"].startswith("http://127.0.0.1:8233/namespaces/default/workflows/case-")
    assert acts(office, "trace.open")[0].scope == case.id
    async with office.as_("dentist") as client:
        assert (await client.get(f"/admin/cases/{case.id}/trace")).status_code == 403


async def test_temporals_page_alone_may_ask_for_decoding_across_origins(office: Site) -> None:
    ui = "http://127.0.0.1:8233"
    async with office.as_("admin") as client:
        client.headers["Sec-Fetch-Site"] = "same-site"
        for origin, allowed in ((ui, True), ("http://127.0.0.1:9999", False), ("http://localhost:8233", False)):
            preflight = await client.options(
                "/codec/decode", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
            )
            assert (preflight.headers.get("access-control-allow-origin") == origin) is allowed
            answer = await client.post("/codec/decode", json={"payloads": []}, headers={"Origin": origin})
            assert answer.status_code == (200 if allowed else 403)
            assert ("access-control-allow-credentials" in answer.headers) is allowed
        elsewhere = await client.post("/api/v1/admin/users/search", json={}, headers={"Origin": ui})
        assert elsewhere.status_code == 403
    async with browser(office.app) as nobody:
        nobody.headers["Sec-Fetch-Site"] = "same-site"
        assert (await nobody.post("/codec/decode", json={"payloads": []}, headers={"Origin": ui})).status_code == 401
    async with office.as_("dentist") as client:
        client.headers["Sec-Fetch-Site"] = "same-site"
        assert (await client.post("/codec/decode", json={"payloads": []}, headers={"Origin": ui})).status_code == 403
