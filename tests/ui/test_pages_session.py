"""Signing in and out in a browser."""

import re

import httpx
import pytest
from sqlmodel import select

from infra.database import now
from schemas.tables.people import Session
from tests.ui.reading import read
from tests.ui.site import PASSWORD, Site, browser

COOKIE = "odontoflow_session"


async def sign_in(client: httpx.AsyncClient, **typed: str) -> httpx.Response:
    form = read(await client.get("/sign-in")).form("/sign-in")
    client.follow_redirects = False
    return await form.send(client, **{"email": "dentist@demo.test", "password": PASSWORD, **typed})


async def test_a_page_asks_a_stranger_to_sign_in_and_then_goes_on(practice: Site) -> None:
    async with browser(practice.app) as client:
        asked = await client.get("/patients?after=x")
        assert asked.url.path == "/sign-in"
        form = read(asked).form("/sign-in")
        assert form.fields["next"] == ["/patients?after=x"]
        client.follow_redirects = False
        answer = await form.send(client, email="dentist@demo.test", password=PASSWORD)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/patients?after=x"


async def test_a_region_is_told_apart_from_a_page(practice: Site) -> None:
    async with browser(practice.app) as client:
        for header in ("X-Live-Region", "HX-Request"):
            answer = await client.get("/?part=worklist", headers={header: "worklist"})
            assert answer.status_code == 401
            assert answer.headers["HX-Redirect"] == "/sign-in"
            assert "<html" not in answer.text


async def test_a_form_whose_session_has_ended_is_kept_and_sent_after_signing_in(practice: Site) -> None:
    typed = {
        "given_name": "Zoë",
        "family_name": '"><script>',
        "birth_date-day": "4",
        "birth_date-month": "5",
        "birth_date-year": "1980",
    }
    async with practice.as_("dentist") as client:
        form = read(await client.get("/patients")).form("/patients")
        client.cookies.clear()
        asked = await form.send(client, **typed)
        assert asked.status_code == 401
        assert "What you typed is kept" in read(asked).text
        assert "<script>" not in asked.text
        wrong = await read(asked).form("/sign-in").send(client, email="dentist@demo.test", password="wrong")
        again = await read(wrong).form("/sign-in").send(client, email="dentist@demo.test", password=PASSWORD)
        assert "It was not sent" in read(again).text
        waiting = read(again).form("/patients")
        assert waiting.fields["given_name"] == ["Zoë"]
        done = await waiting.send(client)
        twice = await waiting.send(client)
    assert 'Zoë "><script>' in read(done).text
    assert done.url == twice.url, "the same form, though it went through a sign-in"


async def test_what_one_person_typed_is_not_offered_to_the_next_who_signs_in(practice: Site) -> None:
    """At a reception desk several people use one browser."""
    async with practice.as_("dentist") as client:
        form = read(await client.get("/patients")).form("/patients")
        end_sessions(practice)
        asked = await form.send(client, given_name="Zoë")
        other = await read(asked).form("/sign-in").send(client, email="staff@demo.test", password=PASSWORD)
        assert other.status_code == 200 and "Zoë" not in other.text
        end_sessions(practice)
        asked = await form.send(client, given_name="Zoë")
        wrong = await read(asked).form("/sign-in").send(client, email="staff@demo.test", password="wrong")
        same = await read(wrong).form("/sign-in").send(client, email="staff@demo.test", password=PASSWORD)
        assert "Zoë" in same.text, "the last session was theirs"


def end_sessions(practice: Site) -> None:
    with practice.world.database.write() as session:
        for row in session.exec(select(Session)).all():
            row.revoked_at = now()


async def test_a_message_whose_session_had_ended_comes_back_to_its_case(practice: Site) -> None:
    row = practice.world.add_case()
    async with practice.as_("dentist") as client:
        form = read(await client.get(f"/cases/{row.id}")).form(f"/cases/{row.id}/messages")
        client.cookies.clear()
        asked = await form.send(client, text="Is it urgent?")
        again = await read(asked).form("/sign-in").send(client, email="dentist@demo.test", password=PASSWORD)
        client.headers["Referer"] = "http://127.0.0.1:8000/sign-in"
        done = await read(again).form(form.action).send(client)
    assert done.url.path == f"/cases/{row.id}"
    assert "Is it urgent?" in read(done).text


async def test_a_button_whose_session_has_ended_leads_back_to_its_page(practice: Site) -> None:
    async with browser(practice.app) as client:
        headers = {"Referer": "http://127.0.0.1:8000/patients"}
        asked = await client.post("/sign-out", headers=headers)
    assert asked.url.path == "/sign-in"
    assert read(asked).form("/sign-in").fields["next"] == ["/patients"]


async def test_a_password_is_not_kept_with_the_form(practice: Site) -> None:
    async with browser(practice.app) as client:
        asked = await client.post("/cases/case_1/actions/sign", data={"password": "secret-words", "nonce": "n"})
    assert asked.status_code == 401
    assert "secret-words" not in asked.text


async def test_what_was_kept_is_never_sent_to_another_site(practice: Site) -> None:
    async with browser(practice.app) as client:
        data = {"email": "dentist@demo.test", "password": PASSWORD, "resume": "//evil.example/", "kept.a": "b"}
        client.follow_redirects = False
        answer = await client.post("/sign-in", data=data)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)", "evil"],
)
async def test_signing_in_never_leads_to_another_site(practice: Site, elsewhere: str) -> None:
    async with browser(practice.app) as client:
        answer = await sign_in(client, next=elsewhere)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"


async def test_the_cookie_is_for_this_site_and_out_of_reach_of_scripts(practice: Site) -> None:
    async with browser(practice.app) as client:
        cookie = (await sign_in(client)).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert "secure" not in cookie, "plain http on loopback"


async def test_over_https_the_cookie_is_secure(practice: Site) -> None:
    services = practice.app.state.services
    services.settings = services.settings.model_copy(update={"public_url": "https://flow.example"})
    async with browser(practice.app) as client:
        assert "secure" in (await sign_in(client)).headers["set-cookie"].lower()


async def test_each_sign_in_has_a_session_of_its_own_and_ends_the_former(practice: Site) -> None:
    async with browser(practice.app) as client:
        first = (await sign_in(client)).cookies[COOKIE]
        second = (await sign_in(client)).cookies[COOKIE]
        assert first != second
        client.cookies.clear()
        old = await client.get("/notices", headers={"Cookie": f"{COOKIE}={first}"})
        new = await client.get("/notices", headers={"Cookie": f"{COOKIE}={second}"})
    assert old.status_code == 303
    assert new.status_code == 200


async def test_signing_out_ends_the_session_and_clears_the_browser(practice: Site) -> None:
    async with practice.as_("dentist") as client:
        token = client.cookies[COOKIE]
        client.follow_redirects = False
        answer = await client.post("/sign-out")
        assert answer.headers["clear-site-data"] == '"cache", "storage"'
        assert 'odontoflow_session=""' in answer.headers["set-cookie"]
        client.cookies.clear()
        after = await client.get("/", headers={"Cookie": f"{COOKIE}={token}"})
    assert after.status_code == 303
    assert after.headers["location"].startswith("/sign-in")


async def test_a_wrong_password_keeps_the_address_and_tells_nothing_apart(practice: Site) -> None:
    async with browser(practice.app) as client:
        known = await sign_in(client, password="wrong-password")
        unknown = await sign_in(client, email="nobody@demo.test", password="wrong-password")
    assert known.status_code == unknown.status_code == 401
    page = read(known)
    assert page.form("/sign-in").fields["email"] == ["dentist@demo.test"]
    assert page.form("/sign-in").fields["password"] == [""]
    assert "wrong-password" not in known.text

    def bare(answer: httpx.Response) -> str:
        own = r'name="nonce" value="[^"]*"|data-now="[^"]*"|(?:dentist|nobody)@demo.test'
        return re.sub(own, "", answer.text)

    assert bare(known) == bare(unknown)


async def test_what_is_missing_is_said_at_its_field(practice: Site) -> None:
    async with browser(practice.app) as client:
        answer = await sign_in(client, email="", password="")
    assert answer.status_code == 422
    assert "Write your email address." in read(answer).text
    assert "Write your password." in read(answer).text


async def test_another_site_cannot_sign_anybody_in(practice: Site) -> None:
    async with browser(practice.app) as client:
        headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
        data = {"email": "dentist@demo.test", "password": PASSWORD}
        answer = await client.post("/sign-in", data=data, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_the_appearance_is_kept_with_the_person(practice: Site) -> None:
    async with practice.as_("dentist") as client:
        assert "data-theme" not in (await client.get("/")).text
        answer = await client.post("/account/theme", data={"theme": "dark"})
        assert answer.status_code == 200
    async with practice.as_("dentist") as client:
        assert 'data-theme="dark"' in (await client.get("/")).text


async def test_pages_of_people_stay_out_of_every_cache(practice: Site) -> None:
    async with practice.as_("dentist") as client:
        for path in ("/", "/patients", "/notices", "/cases/case_0", "/nowhere"):
            assert (await client.get(path)).headers["cache-control"] == "no-store", path


async def test_production_has_no_demo_accounts(practice: Site) -> None:
    services = practice.app.state.services
    services.settings = services.settings.model_copy(update={"mode": "production"})
    async with browser(practice.app) as client:
        assert "demo.test" not in (await client.get("/sign-in")).text
        answer = await client.post("/sign-in/demo", data={"email": "dentist@demo.test"})
    assert answer.status_code == 404


async def test_a_new_password_needs_the_old_one_and_ends_other_sign_ins(practice: Site) -> None:
    chosen = "four calm words here"
    async with practice.as_("staff") as other, practice.as_("staff") as client:
        form = read(await client.get("/account")).form("/account/password")
        for typed in (
            {"password": "wrong", "new_password": chosen, "again": chosen},
            {"password": PASSWORD, "new_password": "short", "again": "short"},
            {"password": PASSWORD, "new_password": chosen, "again": "another one here"},
        ):
            refused = await form.send(client, **typed)
            assert refused.status_code in {403, 422}
            assert chosen not in refused.text
        done = await form.send(client, password=PASSWORD, new_password=chosen, again=chosen)
        assert "Your password was changed" in read(done).text
        assert (await client.get("/notices")).url.path == "/notices"
        assert (await other.get("/notices")).url.path == "/sign-in"
    async with browser(practice.app) as client:
        assert (await sign_in(client, email="staff@demo.test", password=PASSWORD)).status_code == 401
        assert (await sign_in(client, email="staff@demo.test", password=chosen)).status_code == 303


async def test_a_sign_in_elsewhere_can_be_ended_and_only_ones_own(practice: Site) -> None:
    async with practice.as_("staff") as phone, practice.as_("staff") as client, practice.as_("dentist") as stranger:
        ends = [form for form in read(await client.get("/account")).forms if form.action.endswith("/end")]
        assert len(ends) == 1
        assert (await ends[0].send(stranger)).status_code == 404
        assert (await phone.get("/notices")).url.path == "/notices"
        await ends[0].send(client)
        assert (await phone.get("/notices")).url.path == "/sign-in"


async def test_an_access_token_is_made_shown_once_and_revoked_on_the_account_page(practice: Site) -> None:
    async with practice.as_("staff") as client:
        form = read(await client.get("/account")).form("/account/tokens")
        wrong = await form.send(client, label="Archive", scopes=["images:read"], days="7", password="wrong")
        assert wrong.status_code == 422
        assert 'value="Archive"' in wrong.text and "The password is not right" in wrong.text
        for label, scopes in (("", ["uploads"]), ("Archive", [])):
            lacking = await form.send(client, label=label, scopes=scopes, days="7", password=PASSWORD)
            assert lacking.status_code == 422
        made = await form.send(client, label="Archive", scopes=["images:read", "uploads"], days="7", password=PASSWORD)
        assert made.status_code == 201
        (token,) = re.findall(r'id="made" value="([^"]+)"', made.text)
        page = await client.get("/account")
        assert token not in page.text
        assert "Archive" in page.text and "Read images, Upload files" in page.text
        async with browser(practice.app) as program:
            program.headers.update({"Authorization": f"Bearer {token}", "Accept": "*/*"})
            assert (await program.get("/dicomweb/studies")).status_code == 200
            assert (await program.get("/api/v1/cases")).status_code == 403
            (revoke,) = [form for form in read(page).forms if form.action.endswith("/revoke")]
            assert "opens nothing any more" in (await revoke.send(client)).text
            assert (await program.get("/dicomweb/studies")).status_code == 401
