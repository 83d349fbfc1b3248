"""A radiologist's registrations: who may change them, what assignment makes of them, and what is left behind."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select

from activities.records.readers import choose_reader, eligible_readers
from infra.database import now
from schemas.lifecycle import State
from schemas.registration_forms import last_day_before, moment_after
from schemas.tables.case import Case
from schemas.tables.people import Registration
from schemas.tables.wires import AuditRow
from tests.ui.site import Site, site

NEW = {"jurisdiction": "fr", "number": " OMR 7 ", "valid_until": "2027-12-31"}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as made:
        yield made


def url(office: Site, who: str = "radiologist") -> str:
    return f"/api/v1/admin/users/{office.world.user_id(who)}/registrations"


def only(answer: httpx.Response, jurisdiction: str) -> dict[str, Any]:
    (found,) = [each for each in answer.json()["registrations"] if each["jurisdiction"] == jurisdiction]
    return dict(found)


def acts(office: Site) -> list[AuditRow]:
    with office.world.database.read() as session:
        rows = session.exec(select(AuditRow).where(AuditRow.act.like("user.registration.%"))).all()  # type: ignore[attr-defined]
    return sorted(rows, key=lambda row: row.scope_seq)


def readers(office: Site) -> set[str]:
    with office.world.database.read() as session:
        found = eligible_readers(session, office.world.organizations["practice"], now())
        return {reader.user.id for reader in found}


async def test_one_is_added_changed_and_removed_once_with_an_act_each(office: Site) -> None:
    async with office.as_("admin") as client:
        for _ in range(2):
            added = await client.post(url(office), json=NEW)
            assert added.status_code == 201, added.text
            assert only(added, "FR") | {"id": ""} == {
                "id": "",
                "jurisdiction": "FR",
                "number": "OMR 7",
                "valid_until": "2027-12-31",
                "lapsed": False,
            }
        one = f"{url(office)}/{only(added, 'FR')['id']}"
        was = {"number": "OMR 7", "valid_until": "2027-12-31"}
        for _ in range(2):
            changed = await client.put(one, json={"number": "OMR 8", "was": was})
            assert changed.status_code == 200, changed.text
            assert (only(changed, "FR")["number"], only(changed, "FR")["valid_until"]) == ("OMR 8", None)
        for _ in range(2):
            removed = await client.delete(one)
            assert [each["jurisdiction"] for each in removed.json()["registrations"]] == ["CH"]
        assert (await client.put(one, json={"number": "OMR 8", "was": was})).status_code == 404
    rows = acts(office)
    assert [row.act.rpartition(".")[2] for row in rows] == ["add", "change", "remove"]
    for row in rows:
        assert (row.subject_id, row.actor_id) == (office.world.user_id("radiologist"), office.world.user_id("admin"))
        assert json.loads(row.detail) == {"registration_id": one.rpartition("/")[2], "jurisdiction": "FR"}


async def test_two_administrators_do_not_overwrite_one_another(office: Site) -> None:
    async with office.as_("admin") as client:
        one = f"{url(office)}/{only(await client.post(url(office), json=NEW), 'FR')['id']}"
        was = {"number": "OMR 7", "valid_until": "2027-12-31"}
        await client.put(one, json=was | {"valid_until": "2029-12-31", "was": was})
        late = await client.put(one, json=was | {"number": "OMR 9", "was": was})
        assert (late.status_code, late.json()["code"]) == (409, "registration_changed")
        again = await client.post(url(office), json=NEW)
        assert (again.status_code, again.json()["code"]) == (409, "registration_exists")
        same = await client.get(url(office).removesuffix("/registrations").replace("/api/v1", ""))
    assert "OMR 7" in same.text
    assert "2029" in same.text
    assert len(acts(office)) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"jurisdiction": "Switzerland"},
        {"jurisdiction": ""},
        {"number": " "},
        {"number": "7" * 61},
        {"valid_until": "2027-02-30"},
        {"valid_until": "9999-12-31"},
        {"valid_until": "0027-12-31"},
    ],
    ids=str,
)
async def test_what_is_no_registration_is_refused(office: Site, changes: dict[str, str]) -> None:
    async with office.as_("admin") as client:
        assert (await client.post(url(office), json=NEW | changes)).status_code == 422
    assert acts(office) == []


async def test_only_radiologists_have_them_and_each_below_its_own_person(office: Site) -> None:
    async with office.as_("admin") as client:
        refused = await client.post(url(office, "staff"), json=NEW)
        assert (refused.status_code, refused.json()["code"]) == (422, "not_a_radiologist")
        registration = only(await client.post(url(office), json=NEW), "FR")
        elsewhere = f"{url(office, 'radiologist2')}/{registration['id']}"
        was = {"number": "OMR 7", "valid_until": "2027-12-31"}
        assert (await client.put(elsewhere, json={"number": "X", "was": was})).status_code == 404
        assert (await client.delete(elsewhere)).status_code == 200
        nobody = "/api/v1/admin/users/usr_0000000000/registrations"
        assert (await client.post(nobody, json=NEW)).status_code == 404
        assert (await client.delete(f"{nobody}/{registration['id']}")).status_code == 404
    with office.world.database.read() as session:
        row = session.get_one(Registration, registration["id"])
        assert (row.number, row.user_id) == ("OMR 7", office.world.user_id("radiologist"))


async def test_nobody_changes_their_own_and_nobody_but_an_administrator_another_s(office: Site) -> None:
    async with office.as_("admin") as client:
        own = await client.post(url(office, "admin"), json=NEW)
        assert (own.status_code, own.json()["code"]) == (403, "not_yourself")
    for name in ("dentist", "staff", "radiologist", "scheduler"):
        async with office.as_(name) as client:
            assert (await client.post(url(office), json=NEW)).status_code == 403, name
            assert (await client.delete(f"{url(office)}/mem_00000000")).status_code == 403, name
            practices = url(office).replace("/admin/", "/practice/")
            assert (await client.post(practices, json=NEW)).status_code in {404, 405}, name
    async with office.as_("dentist") as client:
        assert all(not each["registrations"] for each in (await client.get("/api/v1/practice/users")).json()["items"])
    assert acts(office) == []


async def test_a_lapsed_or_removed_one_means_no_new_case_at_once_and_open_ones_stay(office: Site) -> None:
    reader = office.world.user_id("radiologist")
    case = office.world.add_case()
    with office.world.database.write() as session:
        row = session.get_one(Case, case.id)
        row.state, row.assignee_id = State.IN_REVIEW, reader
    assert reader in readers(office)
    async with office.as_("admin") as client:
        listed = (await client.get("/api/v1/admin/users?limit=100")).json()["items"]
        (held,) = next(user["registrations"] for user in listed if user["id"] == reader)
        one = f"{url(office)}/{held['id']}"
        was = {"number": held["number"], "valid_until": held["valid_until"]}
        yesterday = str(datetime.now(UTC).date() - timedelta(days=1))
        lapsed = await client.put(one, json=was | {"valid_until": yesterday, "was": was})
        assert only(lapsed, "CH")["lapsed"] is True
        assert reader not in readers(office)
        with office.world.database.read() as session:
            assert choose_reader(session, case, [], now()) != reader
        today = str(datetime.now(UTC).date())
        await client.put(one, json=was | {"valid_until": today, "was": was | {"valid_until": yesterday}})
        assert reader in readers(office)
        await client.delete(one)
        assert reader not in readers(office)
    async with office.as_("radiologist") as client:
        assert (await client.get(f"/api/v1/cases/{case.id}")).status_code == 200


def test_the_last_day_counts_to_its_end() -> None:
    assert moment_after(date(2027, 12, 31)) == datetime(2028, 1, 1, tzinfo=UTC)
    assert last_day_before(datetime(2028, 1, 1, tzinfo=UTC)) == date(2027, 12, 31)
    assert last_day_before(datetime(2027, 12, 31, 12, tzinfo=UTC)) == date(2027, 12, 31)
    assert moment_after(None) is last_day_before(None) is None
