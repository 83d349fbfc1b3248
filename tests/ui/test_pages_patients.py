"""Patients in a browser: nothing is added twice, nothing typed is lost, nobody's edit is overwritten unseen."""

from typing import Any

import httpx
from sqlmodel import select

from activities.records.opening import demographics_of
from schemas.tables.people import Patient
from tests.checked_images import add_checked_image, put_through
from tests.ui.reading import read
from tests.ui.site import Site

ANNA = {
    "given_name": "Anna",
    "family_name": "Moreau",
    "birth_date-day": "4",
    "birth_date-month": "5",
    "birth_date-year": "1980",
    "sex": "female",
    "patient_number": "10442",
    "email": "anna@example.test",
}


async def add(client: httpx.AsyncClient, **typed: str) -> httpx.Response:
    form = read(await client.get("/patients")).form("/patients")
    return await form.send(client, **{**ANNA, **typed})


def on_record(site: Site) -> list[Patient]:
    with site.world.database.read() as session:
        return list(session.exec(select(Patient)).all())


async def test_a_patient_is_added_and_shown(practice: Site) -> None:
    async with practice.as_("staff") as client:
        answer = await add(client)
        assert answer.url.path == f"/patients/{on_record(practice)[0].id}"
        text = read(answer).text
        assert "Anna Moreau" in text
        assert "The patient was added." in text
        assert "The patient was added." not in read(await client.get(answer.url.path)).text
        assert "Anna" not in str(answer.url)


async def test_one_form_sent_twice_adds_one_patient(practice: Site) -> None:
    async with practice.as_("dentist") as client:
        form = read(await client.get("/patients")).form("/patients")
        first = await form.send(client, **ANNA)
        again = await form.send(client, **ANNA)
    assert first.url == again.url
    assert len(on_record(practice)) == 1


async def test_a_possible_double_is_shown_before_it_is_made(practice: Site) -> None:
    async with practice.as_("dentist") as client:
        first = await add(client)
        asked = await add(client, given_name="ANNA", phone="1")
        assert asked.status_code == 409
        page = read(asked)
        assert first.url.path in page.links
        form = page.form("/patients")
        assert form.fields["given_name"] == ["ANNA"]
        assert len(on_record(practice)) == 1
        confirmed = await form.send(client, confirmed="yes")
        twice = await form.send(client, confirmed="yes")
    assert confirmed.status_code == 200
    assert confirmed.url == twice.url
    assert len(on_record(practice)) == 2


async def test_a_wrong_date_loses_nothing(practice: Site) -> None:
    async with practice.as_("dentist") as client:
        answer = await add(client, **{"birth_date-day": "31", "birth_date-month": "2"})
        future = await add(client, **{"birth_date-year": "2999"})
    assert answer.status_code == future.status_code == 422
    page = read(answer)
    assert "Write the date of birth with day, month and year." in page.text
    kept = page.form("/patients").fields
    assert kept["given_name"] == ["Anna"]
    assert kept["birth_date-day"] == ["31"]
    assert kept["sex"] == ["female"]
    assert on_record(practice) == []


async def test_a_wrong_address_is_said_at_its_field(practice: Site) -> None:
    async with practice.as_("dentist") as client:
        page = read(await add(client, email="anna@nowhere"))
    assert "Write an email address" in page.text
    assert page.form("/patients").fields["email"] == ["anna@nowhere"]


async def test_hostile_names_stay_text_everywhere(practice: Site) -> None:
    hostile = "<script>alert(1)</script>\"'{{7*7}}"
    async with practice.as_("dentist") as client:
        record = await add(client, family_name=hostile)
        pages = [record, await client.get("/patients"), await client.get(f"{record.url.path}/new-case")]
        pages.append(await add(client, family_name=hostile))
    for page in pages:
        assert "<script>alert(1)" not in page.text
        assert hostile in read(page).text
        assert "49" not in read(page).text


async def test_search_finds_by_name_date_and_number_without_telling_the_address(practice: Site) -> None:
    async with practice.as_("dentist") as client:
        await add(client)
        await add(client, given_name="Zoë", family_name="Brandt", patient_number="77", **{"birth_date-day": "9"})
        search = read(await client.get("/patients")).form("/patients/search")
        for typed, wanted, unwanted in (
            ("moreau", "Anna Moreau", "Zoë"),
            ("zoe", "Zoë Brandt", "Anna"),
            ("09.05.1980", "Zoë Brandt", "Anna"),
            ("1980-5-4", "Anna Moreau", "Zoë"),
            ("10442", "Anna Moreau", "Zoë"),
        ):
            answer = await search.send(client, q=typed)
            assert answer.url.path == "/patients/search"
            assert not answer.url.query
            assert wanted in read(answer).text, typed
            assert unwanted not in read(answer).text, typed
        nobody = await search.send(client, q="nobody")
        assert "No patient was found" in read(nobody).text
        assert (await client.get("/patients/search")).url.path == "/patients"


async def test_an_edit_keeps_what_the_form_does_not_show(practice: Site) -> None:
    async with practice.as_("dentist") as client:
        record = await add(client)
        form = read(record).form(record.url.path)
        saved = await form.send(client, phone="+41 44 000")
    assert "details were saved" in read(saved).text
    person = demographics_of(practice.world.keys, on_record(practice)[0])
    assert person.phone == "+41 44 000"
    assert person.patient_number == "10442"
    assert person.family_name == "Moreau"


async def test_an_edit_that_somebody_else_overtook_is_shown_beside_theirs(practice: Site) -> None:
    async with practice.as_("dentist") as mine, practice.as_("staff") as theirs:
        record = await add(mine)
        my_form = read(record).form(record.url.path)
        their_form = read(await theirs.get(record.url.path)).form(record.url.path)
        await their_form.send(theirs, phone="111")
        refused = await my_form.send(mine, phone="222")
        assert refused.status_code == 412
        page = read(refused)
        assert "now 111, here 222" in page.text
        assert page.form(record.url.path).fields["phone"] == ["222"]
        assert demographics_of(practice.world.keys, on_record(practice)[0]).phone == "111"
        await page.form(record.url.path).send(mine)
    assert demographics_of(practice.world.keys, on_record(practice)[0]).phone == "222"


async def test_a_long_list_goes_on_from_page_to_page(practice: Site) -> None:
    for number in range(53):
        practice.world.add_patient(family_name=f"Kin{number:02}")
    async with practice.as_("dentist") as client:
        first = read(await client.get("/patients"))
        more = next(link for link in first.links if "after=" in link)
        second = read(await client.get(more))
    named = [{word for word in page.text.split() if word.startswith("Kin")} for page in (first, second)]
    assert [len(each) for each in named] == [50, 3]
    assert not named[0] & named[1]
    assert "Kin" not in more


async def test_patients_belong_to_their_practice(practice: Site) -> None:
    theirs = practice.world.add_patient("practice2").id
    missing = "pat_" + "0" * 30
    async with practice.as_("dentist") as client:
        for path in ("/patients/{}", "/patients/{}/new-case"):
            foreign, nothing = [await client.get(path.format(each)) for each in (theirs, missing)]
            assert foreign.status_code == 404
            assert foreign.content == nothing.content
        posts: list[Any] = []
        for each in (theirs, missing):
            posts.append(await client.post(f"/patients/{each}", data={**ANNA, "nonce": "n", "revision": "1"}))
        assert [post.status_code for post in posts] == [404, 404]
    async with practice.as_("radiologist") as client:
        assert (await client.get("/patients")).status_code == 403


async def test_details_that_the_images_of_a_case_contradict_are_not_saved(practice: Site) -> None:
    """Else one person writes a stranger into the record, submits, and writes the patient back (invariant 12)."""
    case = practice.world.add_case()
    add_checked_image(practice.world, case)
    put_through(practice.world, case)
    path = f"/patients/{case.patient_id}"
    async with practice.as_("dentist") as client:
        form = read(await client.get(path)).form(path)
        refused = await form.send(client, family_name="Brandt", phone="+41 44 000", **{"birth_date-day": "9"})
        assert refused.status_code == 409
        page = read(refused)
        assert f"The images of case {case.number} say otherwise, so nothing was saved." in page.text
        assert "cancel that case" in page.text
        kept = page.form(path)
        assert kept.fields["family_name"] == ["Brandt"]
        assert kept.fields["phone"] == ["+41 44 000"]
        assert kept.fields["birth_date-day"] == ["9"]
        person = demographics_of(practice.world.keys, on_record(practice)[0])
        assert (person.family_name, person.phone) == ("Moreau", "")
        body = person.model_copy(update={"family_name": "Brandt"}).model_dump(mode="json")
        answer = await client.put(f"/api/v1{path}", json=body, headers={"If-Match": '"1"'})
        assert (answer.status_code, answer.json()["case_ids"], answer.json()["fields"]) == (
            409,
            [case.id],
            ["family_name"],
        )
        saved = await kept.send(client, family_name="Moreau", **{"birth_date-day": "4"})
    assert "details were saved" in read(saved).text
    assert demographics_of(practice.world.keys, on_record(practice)[0]).phone == "+41 44 000"
