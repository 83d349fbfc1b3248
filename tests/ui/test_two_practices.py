"""People who work in two practices reach the patients of both, in a browser and over the API, and nobody else's."""

import httpx
import pytest

from infra.database import now
from schemas.ids import new_id
from schemas.lifecycle import Role
from schemas.tables.case import Case
from schemas.tables.people import Membership, Patient
from tests.ui.reading import read
from tests.ui.site import Site
from tests.ui.test_pages_patients import ANNA, on_record


@pytest.fixture
def both(practice: Site) -> Site:
    """The assistant works in the second practice, too."""
    world = practice.world
    with world.database.write() as session:
        session.add(
            Membership(
                id=new_id("mem"),
                user_id=world.user_id("staff"),
                organization_id=world.organizations["practice2"],
                role=Role.STAFF,
                created_at=now(),
            )
        )
    return practice


def new_case(patient: Patient) -> dict[str, object]:
    return {"patient_id": patient.id, "priority": "routine", "form": {}}


async def test_a_patient_of_the_second_practice_is_found_and_gets_a_case_there(both: Site) -> None:
    patient = both.world.add_patient("practice2")
    second = both.world.organizations["practice2"]
    async with both.as_("staff") as staff:
        assert (await staff.get(f"/patients/{patient.id}")).status_code == 200
        assert (await staff.get(f"/patients/{patient.id}/new-case")).status_code == 200
        assert (await staff.get(f"/api/v1/patients/{patient.id}")).json()["id"] == patient.id
        opened = await staff.post("/api/v1/cases", json=new_case(patient), headers={"Idempotency-Key": "k"})
        assert opened.status_code == 201, opened.text
    with both.world.database.read() as session:
        assert session.get_one(Case, opened.json()["id"]).practice_id == second
    async with both.as_("dentist") as dentist:
        for path in (f"/patients/{patient.id}", f"/api/v1/patients/{patient.id}"):
            assert (await dentist.get(path)).status_code == 404
        refused = await dentist.post("/api/v1/cases", json=new_case(patient), headers={"Idempotency-Key": "k"})
        assert refused.status_code == 404


async def test_lists_are_of_one_practice_at_a_time_and_a_new_patient_goes_where_it_is_said(both: Site) -> None:
    both.world.add_patient("practice", family_name="Erste")
    both.world.add_patient("practice2", family_name="Zweite")
    first, second = both.world.organizations["practice"], both.world.organizations["practice2"]
    async with both.as_("staff") as staff:
        page = read(await staff.get("/patients"))
        assert "Erste" in page.text
        assert "Zweite" not in page.text
        assert f"/patients?practice={second}" in page.links
        other = read(await staff.get(f"/patients?practice={second}"))
        assert "Zweite" in other.text
        assert "Erste" not in other.text
        form = other.form("/patients")
        assert form.fields["practice"] == [second]
        await form.send(staff, **ANNA)
        assert [patient.practice_id for patient in on_record(both)].count(second) == 2
        found = await other.form(f"/patients/search?practice={second}").send(staff, q="Moreau")
        assert "Anna Moreau" in read(found).text
        assert (
            "Anna Moreau"
            not in read(await page.form(f"/patients/search?practice={first}").send(staff, q="Moreau")).text
        )
        listed = await staff.get("/api/v1/patients", params={"practice": second})
        assert len(listed.json()["items"]) == 2
        assert len((await staff.get("/api/v1/patients")).json()["items"]) == 1
    async with both.as_("dentist") as dentist:
        assert f"/patients?practice={first}" not in read(await dentist.get("/patients")).links
        assert (await dentist.get(f"/api/v1/patients?practice={second}")).status_code == 404
        form = read(await dentist.get("/patients")).form("/patients")
        assert (await form.send(dentist, **{**ANNA, "practice": second})).status_code == 404


async def test_every_patient_is_on_some_page_of_the_api(practice: Site) -> None:
    body = {"family_name": "Moreau", "given_name": "Anna", "birth_date": "1980-05-04", "sex": "female"}

    async def pages(client: httpx.AsyncClient, name: str) -> list[str]:
        seen: list[str] = []
        cursor: str | None = None
        while True:
            if name:
                wanted = {"name": name, "limit": 3, "cursor": cursor}
                answer = await client.post("/api/v1/patients/search", json=wanted)
            else:
                asked = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
                answer = await client.get("/api/v1/patients", params=asked)
            seen += [item["id"] for item in answer.json()["items"]]
            cursor = answer.json()["next"]
            if cursor is None:
                return seen

    async with practice.as_("dentist") as dentist:
        added = [await dentist.post("/api/v1/patients?confirmed=true", json=body) for _ in range(7)]
        known = {answer.json()["id"] for answer in added}
        for name in ("", "Moreau"):
            seen = await pages(dentist, name)
            assert len(seen) == len(known) == 7
            assert set(seen) == known
