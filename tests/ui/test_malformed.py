"""What no browser sends by itself is refused in plain words, never with a crash."""

import base64
import json

import pytest

from tests.ui.site import Site

HUGE = "9" * 30
MOMENT = "2026-01-01T00:00:00+00:00"


def position(*parts: object) -> str:
    """As a list's cursor is written, whoever writes it."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


@pytest.mark.parametrize(
    "parts",
    [
        (MOMENT, "\ud800"),
        ("0001-01-01T00:00:00+23:59", "x"),
        ("9999-12-31T23:59:59-23:59", "x"),
        ("2026-01-01T00:00:00", "x"),
        (MOMENT,),
        (MOMENT, 1),
    ],
    ids=["half a character", "before the calendar", "after the calendar", "no zone", "too short", "no id"],
)
async def test_a_place_in_a_list_that_somebody_made_up(practice: Site, parts: tuple[object, ...]) -> None:
    place = position(*parts)
    async with practice.as_("dentist") as browser:
        for path in ("/api/v1/cases", "/api/v1/patients"):
            assert (await browser.get(path, params={"cursor": place})).status_code == 422
            searched = await browser.post(f"{path}/search", json={"name": "a", "cursor": place})
            assert searched.status_code == 422
        assert (await browser.get("/patients", params={"after": place})).status_code == 422


@pytest.mark.parametrize(
    "parts",
    [
        (None, 10**30, MOMENT, "x"),
        (None, -1, MOMENT, "x"),
        (None, 1, MOMENT, "\ud800"),
        ("0001-01-01T00:00:00+23:59", 1, MOMENT, "x"),
    ],
    ids=["a rank beyond numbers", "a rank below all", "half a character", "before the calendar"],
)
async def test_a_place_by_urgency_that_somebody_made_up(practice: Site, parts: tuple[object, ...]) -> None:
    place = {"band": "risk", "after": position(*parts)}
    async with practice.as_("scheduler") as browser:
        assert (await browser.get("/board", params=place)).status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        "/admin/audit?before=" + HUGE,
        "/admin/audit?before=" + "9" * 5000,
        "/api/v1/admin/audit?before=" + HUGE,
        "/api/v1/admin/users?cursor=" + "z" * 101,
        "/api/v1/cases/{case}/audit?before=" + HUGE,
    ],
)
async def test_a_position_that_cannot_be(practice: Site, path: str) -> None:
    case = practice.world.add_case()
    async with practice.as_("admin") as browser:
        assert (await browser.get(path.format(case=case.id))).status_code in {404, 422}


async def test_an_invitation_that_ends_after_the_calendar(practice: Site) -> None:
    async with practice.as_("dentist") as browser:
        link = f"/welcome/{practice.world.user_id('staff')}.999999999999.0"
        assert (await browser.get(link)).status_code == 410
        chosen = {"password": "a-long-password", "again": "a-long-password"}
        assert (await browser.post(link, data=chosen)).status_code == 410


@pytest.mark.parametrize("year", [HUGE, "-" + HUGE, "9" * 5000, "99999"])
async def test_a_year_that_is_none(practice: Site, year: str) -> None:
    born = {"birth_date-day": "1", "birth_date-month": "2", "birth_date-year": year}
    async with practice.as_("dentist") as browser:
        person = {"given_name": "Anna", "family_name": "Moreau", "nonce": "n", **born}
        assert (await browser.post("/patients", data=person)).status_code == 422


async def test_a_revision_that_is_none(practice: Site) -> None:
    patient = practice.world.add_patient()
    case = practice.world.add_case(patient)
    fields = {"revision": "9" * 5000, "nonce": "n"}
    born = {"birth_date-day": "4", "birth_date-month": "5", "birth_date-year": "1980"}
    async with practice.as_("dentist") as browser:
        assert (await browser.post(f"/patients/{patient.id}", data=fields | born)).status_code == 412
        assert (await browser.post(f"/cases/{case.id}/form", data=fields)).status_code == 412


async def test_half_characters(practice: Site) -> None:
    parts = "".join(
        f'--X\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("email", "\\ud800@demo.test"), ("password", "\\ud800"))
    )
    kind = "multipart/form-data; boundary=X; charset=unicode_escape"
    async with practice.as_("dentist") as browser:
        answer = await browser.post("/sign-in", content=f"{parts}--X--\r\n".encode(), headers={"Content-Type": kind})
        assert answer.status_code == 401


async def test_a_new_password_is_not_kept_when_the_session_had_ended(practice: Site) -> None:
    async with practice.as_("dentist") as browser:
        await browser.post("/sign-out")
        fields = {"password": "old-secret-words", "new_password": "new-secret-words", "again": "new-secret-words"}
        answer = await browser.post("/account/password", data=fields)
    assert "secret-words" not in answer.text
