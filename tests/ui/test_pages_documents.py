"""Treatment documents on the patient's page: who sees them, what is said of them, and that nothing is removed unasked."""

from sqlmodel import select

from schemas.tables.documents import PatientDocument
from schemas.tables.people import Patient
from tests.api.stories import photograph, put_document
from tests.ui.reading import read
from tests.ui.site import Site

PDF = b"%PDF-1.7\n%%EOF\n"


def put(site: Site, patient: Patient, content: bytes = PDF, name: str = "Consent.pdf") -> str:
    return put_document(site.app, patient, site.world.user_id("staff"), content, name)


def state(site: Site, document_id: str) -> str:
    with site.world.database.read() as session:
        return session.exec(select(PatientDocument.state).where(PatientDocument.id == document_id)).one()


async def test_documents_are_listed_with_who_added_them_and_where_more_are_added(practice: Site) -> None:
    patient = practice.world.add_patient()
    async with practice.as_("dentist") as client:
        empty = await client.get(f"/patients/{patient.id}")
        assert "No documents yet" in read(empty).text
        assert f'data-island="uploader" data-patient-id="{patient.id}"' in empty.text
        assert "up to 50 MB each" in read(empty).text
        letter, photo = put(practice, patient), put(practice, patient, photograph(), "smile.jpg")
        broken = put(practice, patient, b"Notes", "notes.txt")
        for path in (f"/patients/{patient.id}", f"/patients/{patient.id}/documents"):
            answer = await client.get(path)
            page = read(answer)
            assert f"/api/v1/patients/{patient.id}/documents/{letter}/content" in page.links
            assert f"/api/v1/patients/{patient.id}/documents/{photo}/thumbnail" in answer.text
            assert f"/documents/{broken}/content" not in answer.text
            assert "Please add a PDF or a photograph" in page.text
            assert "added by" in page.text


async def test_a_name_is_changed_and_a_wrong_one_comes_back(practice: Site) -> None:
    patient = practice.world.add_patient()
    document_id = put(practice, patient)
    path = f"/patients/{patient.id}/documents/{document_id}"
    async with practice.as_("staff") as client:
        assert path in read(await client.get(f"/patients/{patient.id}")).links
        form = read(await client.get(path)).form(path)
        assert form.fields["name"] == ["Consent.pdf"]
        refused = await form.send(client, name=" ")
        assert refused.status_code == 422
        assert "Write a name of one line" in read(refused).text
        answer = await read(refused).form(path).send(client, name="<b>Consent</b>, signed")
        assert "The document has its new name." in read(answer).text
        assert "<b>Consent" not in answer.text
        assert "<b>Consent</b>, signed.pdf" in read(answer).text
        assert answer.url.path == f"/patients/{patient.id}"


async def test_a_document_is_removed_once_it_was_asked_for(practice: Site) -> None:
    patient = practice.world.add_patient()
    document_id = put(practice, patient)
    async with practice.as_("dentist") as client:
        page = read(await client.get(f"/patients/{patient.id}"))
        assert "Remove this document?" in page.text
        form = page.form(f"/patients/{patient.id}/documents/{document_id}/remove")
        answer = await form.send(client)
        assert "The document was removed." in read(answer).text
        assert "Consent.pdf" not in read(answer).text
        assert (await form.send(client)).status_code == 200, "a second click"
    assert state(practice, document_id) == "removed"


async def test_a_scheduler_of_the_practice_edits_the_record_and_sees_no_documents(practice: Site) -> None:
    patient = practice.world.add_patient()
    put(practice, patient)
    async with practice.as_("practice_scheduler") as client:
        answer = await client.get(f"/patients/{patient.id}")
        assert answer.status_code == 200
        assert "Consent.pdf" not in answer.text
        assert "Treatment documents" not in answer.text
        assert (await client.get(f"/patients/{patient.id}/documents")).status_code == 403


async def test_a_long_list_goes_on_from_page_to_page(practice: Site) -> None:
    patient = practice.world.add_patient()
    for number in range(52):
        put(practice, patient, name=f"Letter{number:02}.pdf")
    async with practice.as_("dentist") as client:
        first = read(await client.get(f"/patients/{patient.id}"))
        more = next(link for link in first.links if "documents=" in link)
        second = read(await client.get(more.partition("#")[0]))
    named = [{word for word in page.text.split() if word.startswith("Letter")} for page in (first, second)]
    assert [len(each) for each in named] == [50, 2]
    assert not named[0] & named[1]
    assert any(link.startswith(f"/patients/{patient.id}#") for link in second.links)


async def order_of(site: Site, patient: Patient, query: str = "") -> list[str]:
    """Ids of the documents that may be moved, from top to bottom."""
    async with site.as_("staff") as client:
        page = read(await client.get(f"/patients/{patient.id}{query}"))
    return [form.action.split("/")[-2] for form in page.forms if form.action.endswith("/move")]


async def test_documents_are_put_in_order_without_a_script(practice: Site) -> None:
    patient = practice.world.add_patient()
    first, second, third = (put(practice, patient, name=f"Letter{number}.pdf") for number in range(3))
    assert await order_of(practice, patient) == [third, second, first], "the newest first, as long as nobody moved one"
    async with practice.as_("staff") as client:
        for document_id, direction, expected in (
            (first, "up", [third, first, second]),
            (third, "down", [first, third, second]),
            (second, "down", [first, third, second]),
        ):
            path = f"/patients/{patient.id}/arrangement/{document_id}/move"
            answer = await client.post(path, data={"direction": direction})
            assert answer.url.path == f"/patients/{patient.id}"
            assert await order_of(practice, patient) == expected
        shown = (await client.get(f"/patients/{patient.id}")).text
        assert f'data-arrange="/api/v1/patients/{patient.id}/arrangement"' in shown
        assert shown.count("data-item=") == 3


async def test_words_teeth_and_a_heading_are_given_to_a_document(practice: Site) -> None:
    patient = practice.world.add_patient()
    document_id = put(practice, patient)
    url = f"/patients/{patient.id}"
    path = f"{url}/documents/{document_id}"
    async with practice.as_("dentist") as client:
        form = read(await client.get(path)).form(path)
        saved = read(
            await form.send(client, description="For the extraction", teeth=["38"], new_group="Before treatment")
        )
        assert "It is saved." in saved.text
        for shown in ("For the extraction", "38", "Before treatment"):
            assert shown in saved.text
        again = read(await client.get(path)).form(path)
        (group_id,) = again.fields["group"]
        assert (again.fields["name"], again.fields["description"]) == (["Consent.pdf"], ["For the extraction"])
        heading = read(await client.get(f"{url}/groups/{group_id}")).form(f"{url}/groups/{group_id}")
        renamed = read(await heading.send(client, name="At the first visit"))
        assert "At the first visit" in renamed.text
        removed = read(await client.post(f"{url}/groups/{group_id}/remove"))
        assert "At the first visit" not in removed.text
        assert "For the extraction" in removed.text
        wrong = await again.send(client, name="x", description="y" * 1001)
        assert wrong.status_code == 422
    async with practice.as_("practice_scheduler") as client:
        assert (await client.get(path)).status_code == 403


async def test_a_heading_is_met_on_each_page_that_it_reaches(practice: Site) -> None:
    patient = practice.world.add_patient()
    ids = [put(practice, patient, name=f"Letter{number:02}.pdf") for number in range(53)]
    async with practice.as_("staff") as client:
        group = {"group": "", "new_group": "Letters"}
        for each in ids[:4]:
            path = f"/patients/{patient.id}/documents/{each}"
            form = read(await client.get(path)).form(path)
            await form.send(client, **group)
            again = read(await client.get(path)).form(path)
            group = {"group": again.fields["group"][0], "new_group": ""}
        first = await client.get(f"/patients/{patient.id}")
        more = next(link for link in read(first).links if "documents=" in link)
        second = await client.get(more.partition("#")[0])
    assert first.text.count("data-item=") == 50
    assert f'data-next="{ids[1]}"' in first.text, "what is dropped at its end comes before the next page's"
    assert "Letters" in read(second).text
    assert f'data-previous="{ids[0]}"' in second.text
    assert await order_of(practice, patient, "?" + more.partition("#")[0].partition("?")[2]) == ids[1:4]
