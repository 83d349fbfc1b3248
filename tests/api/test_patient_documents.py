"""Treatment documents of a patient's record: sent like a case's files, served once they were checked, and nobody else's."""

import base64
import json

import httpx
import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from activities.treatment_documents import LEFT_AFTER, DocumentChecker
from infra.blobs.store import StorageFailed
from infra.database import now
from infra.sealing import column_aad, open_json
from schemas.tables.documents import PatientDocument
from schemas.tables.imaging import StoredFile, Upload
from schemas.tables.people import Patient
from schemas.tables.wires import AuditRow, BlobRemoval, FeedEvent
from tests.activities.imaging.files import dicom_file
from tests.api.imaging_app import Desk
from tests.api.stories import photograph

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
PART = "application/offset+octet-stream"


@pytest.fixture
def patient(desk: Desk) -> Patient:
    return desk.world.add_patient()


def creation(length: int, name: str = "Letter of Anna.pdf", **metadata: str) -> dict[str, str]:
    values = {"filename": name, **metadata}
    pairs = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())
    return {"Tus-Resumable": "1.0.0", "Upload-Length": str(length), "Upload-Metadata": pairs, "Content-Type": PART}


def part(offset: int) -> dict[str, str]:
    return {"Tus-Resumable": "1.0.0", "Upload-Offset": str(offset), "Content-Type": PART}


async def send(client: httpx.AsyncClient, patient: Patient, content: bytes, name: str = "Letter of Anna.pdf") -> None:
    headers = creation(len(content), name, patient_id=patient.id)
    answer = await client.post("/api/v1/uploads", headers=headers, content=content)
    assert answer.status_code == 201, answer.text


async def listed(client: httpx.AsyncClient, patient: Patient) -> list[dict[str, object]]:
    answer = await client.get(f"/api/v1/patients/{patient.id}/documents")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def rows(desk: Desk) -> list[PatientDocument]:
    with desk.world.database.read() as session:
        return list(session.exec(select(PatientDocument).order_by(PatientDocument.created_at)).all())  # type: ignore[arg-type]


def acts(desk: Desk) -> list[tuple[str, str, str]]:
    with desk.world.database.read() as session:
        found = [row for row in session.exec(select(AuditRow)).all() if row.act.startswith("document.")]
        return [(row.act, row.scope, json.loads(row.detail)["patient"]) for row in found]


def checker(desk: Desk) -> DocumentChecker:
    services = desk.app.state.services
    return DocumentChecker(services.database, services.blobs, services.keys, desk.app.state.parsers)


async def test_a_document_is_added_listed_served_renamed_and_removed(desk: Desk, patient: Patient) -> None:
    base = f"/api/v1/patients/{patient.id}/documents"
    async with desk.client("staff") as client:
        await send(client, patient, PDF)
        await send(client, patient, photograph(), "consent.JPG")
        photo, letter = await listed(client, patient)
        assert (letter["name"], letter["kind"], letter["state"], letter["size"]) == (
            "Letter of Anna.pdf",
            "document",
            "ready",
            len(PDF),
        )
        assert letter["added_by"] and letter["thumbnail_url"] is None
        content = await client.get(str(letter["download_url"]))
        assert content.content == PDF
        assert content.headers["content-type"] == "application/pdf"
        assert content.headers["content-disposition"] == "attachment; filename*=UTF-8''Letter%20of%20Anna.pdf"
        assert content.headers["x-content-type-options"] == "nosniff"
        picture = await client.get(str(photo["thumbnail_url"]))
        assert (picture.headers["content-type"], picture.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")
        renamed = await client.patch(f"{base}/{photo['id']}", json={"name": "  Consent, signed "})
        assert renamed.json()["name"] == "Consent, signed.JPG", "its ending says what it is"
        assert (await client.patch(f"{base}/{photo['id']}", json={"name": " "})).status_code == 422
        assert (await client.patch(f"{base}/{photo['id']}", json={"name": "a\nb"})).status_code == 422
        for _ in range(2):
            assert (await client.delete(f"{base}/{letter['id']}")).status_code == 204
        assert (await client.get(str(letter["download_url"]))).status_code == 404
        assert [item["id"] for item in await listed(client, patient)] == [photo["id"]]
    practice = desk.world.organizations["practice"]
    added = [("document.add", practice, patient.id)] * 2
    assert acts(desk) == [*added, ("document.rename", practice, patient.id), ("document.remove", practice, patient.id)]
    with desk.world.database.read() as session:
        assert session.exec(select(BlobRemoval)).all() == []
        assert not desk.app.state.services.blobs.exists(str(letter["id"]))
        assert session.exec(select(StoredFile.id).where(StoredFile.id == letter["id"])).all() == []
        kinds = [event.kind for event in session.exec(select(FeedEvent)).all() if event.kind.startswith("document")]
    assert kinds.count("document.checked") == 2


async def test_names_and_contents_lie_under_the_patients_own_key(desk: Desk, patient: Patient) -> None:
    async with desk.client() as client:
        await send(client, patient, PDF)
    (row,) = rows(desk)
    key = desk.world.keys.data_key(patient.key_id)
    assert open_json(key, row.name, column_aad("patient_document", row.id, "name"))["name"] == "Letter of Anna.pdf"  # type: ignore[index,call-overload]
    assert row.practice_id == patient.practice_id
    with desk.app.state.services.blobs.reader(row.id, key.secret) as reader:
        assert b"".join(reader.stream()) == PDF
    blobs = b"".join(path.read_bytes() for path in desk.app.state.services.settings.blob_folder.rglob("*.blob"))
    assert b"%PDF" not in blobs


async def test_what_is_no_document_says_what_can_be_added(desk: Desk, patient: Patient) -> None:
    image = dicom_file()
    async with desk.client() as client:
        headers = creation(len(image), "slice.dcm", patient_id=patient.id)
        refused = await client.post("/api/v1/uploads", headers=headers, content=image)
        assert (refused.status_code, refused.json()["code"]) == (415, "belongs_to_a_case")
        await send(client, patient, image, "slice")
        await send(client, patient, b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", "letter.docx")
        await send(client, patient, PDF[:20], "cut.pdf")
        cut, letter, dicom = await listed(client, patient)
        assert {item["state"] for item in (cut, letter, dicom)} == {"unreadable"}
        assert dicom["problem_code"] == "belongs_to_a_case" and "belong to a case" in str(dicom["problem"])
        assert letter["problem_code"] == "not_a_document" and "PDF or a photograph" in str(letter["problem"])
        assert cut["problem_code"] == "truncated"
        for item in (cut, letter, dicom):
            assert item["download_url"] is None
            url = f"/api/v1/patients/{patient.id}/documents/{item['id']}"
            assert (await client.get(f"{url}/content")).status_code == 404
            assert (await client.delete(url)).status_code == 204


async def test_the_size_has_a_limit_of_its_own(desk: Desk, patient: Patient) -> None:
    async with desk.client() as client:
        answer = await client.post("/api/v1/uploads", headers=creation(50_000_001, patient_id=patient.id))
    assert (answer.status_code, answer.json()["code"]) == (413, "document_too_large")
    assert "50 MB" in answer.json()["detail"]


async def test_an_upload_belongs_to_a_case_or_to_a_patient(desk: Desk, patient: Patient) -> None:
    case = desk.open_case()
    async with desk.client() as client:
        for metadata in ({}, {"case_id": case.id, "patient_id": patient.id}):
            answer = await client.post("/api/v1/uploads", headers=creation(1, **metadata), content=b"1")
            assert (answer.status_code, answer.json()["code"]) == (400, "destination_unclear")
        await send(client, patient, PDF)
    for changes in ({"case_id": case.id}, {"patient_id": None}):
        with pytest.raises(IntegrityError), desk.world.database.write() as session:
            session.exec(select(Upload)).one().sqlmodel_update(changes)


async def test_nobody_else_adds_or_sees_and_nothing_of_theirs_is_read(desk: Desk, patient: Patient) -> None:
    async with desk.client() as owner:
        begun = await owner.post("/api/v1/uploads", headers=_bare(creation(len(PDF), patient_id=patient.id)))
    location = begun.headers["location"]
    refusals = {None: 401, "dentist2": 404, "radiologist": 403, "practice_scheduler": 403, "scheduler": 403}
    for name, status in refusals.items():
        async with desk.client(name) as client:
            headers = creation(len(PDF), patient_id=patient.id)
            assert (await client.post("/api/v1/uploads", headers=headers, content=PDF)).status_code == status, name
            assert (await client.patch(location, headers=part(0), content=PDF)).status_code == status, name
            assert (await client.get(f"/api/v1/patients/{patient.id}/documents")).status_code == status, name
    assert rows(desk) == []


def _bare(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "Content-Type"}


async def test_a_person_who_has_left_completes_nothing(desk: Desk, patient: Patient) -> None:
    async with desk.client("staff") as client:
        begun = await client.post("/api/v1/uploads", headers=creation(len(PDF), patient_id=patient.id), content=PDF[:9])
        location = begun.headers["location"]
        with desk.world.database.write() as session:
            row = session.get_one(Patient, patient.id)
            row.practice_id = desk.world.organizations["practice2"]
        answer = await client.patch(location, headers=part(9), content=PDF[9:])
        assert answer.status_code == 404
    assert rows(desk) == []


async def test_a_creation_whose_answer_was_lost_is_not_doubled(desk: Desk, patient: Patient) -> None:
    headers = creation(len(PDF), patient_id=patient.id) | {"Idempotency-Key": "once"}
    async with desk.client() as client:
        first = await client.post("/api/v1/uploads", headers=headers, content=PDF)
        again = await client.post("/api/v1/uploads", headers=headers, content=PDF)
    assert first.headers["location"] == again.headers["location"]
    assert len(rows(desk)) == 1


async def test_a_crash_between_the_last_byte_and_the_row_is_mended(desk: Desk, patient: Patient) -> None:
    services = desk.app.state.services
    async with desk.client() as client:
        begun = await client.post("/api/v1/uploads", headers=_bare(creation(len(PDF), patient_id=patient.id)))
        location = begun.headers["location"]
        with desk.world.database.read() as session:
            upload = session.get_one(Upload, location.rsplit("/", 1)[1])
        with services.blobs.writer(upload.file_id, services.keys.data_key(patient.key_id).secret) as writer:
            writer.append(PDF)
            writer.finish()
        answer = await client.head(location, headers={"Tus-Resumable": "1.0.0"})
        assert answer.headers["upload-offset"] == str(len(PDF))
        (item,) = await listed(client, patient)
    assert item["state"] == "ready"


async def test_a_crash_between_the_row_and_the_check_is_mended_by_the_worker(
    desk: Desk, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_self: DocumentChecker, _document_id: str) -> None:
        raise StorageFailed()

    async with desk.client() as client:
        with monkeypatch.context() as crash:
            crash.setattr(DocumentChecker, "check", away)
            await send(client, patient, PDF)
        (item,) = await listed(client, patient)
        assert (item["state"], item["download_url"]) == ("stored", None)
        url = f"/api/v1/patients/{patient.id}/documents/{item['id']}/content"
        assert (await client.get(url)).status_code == 404, "not before it was checked"
        assert checker(desk).sweep() == 0, "whoever received it may still be at it"
        with desk.world.database.write() as session:
            session.get_one(PatientDocument, item["id"]).created_at = now() - LEFT_AFTER
        assert checker(desk).sweep() == 1
        assert checker(desk).sweep() == 0
        assert (await client.get(url)).content == PDF


async def test_a_document_that_is_lost_is_unreadable_and_holds_up_no_other(desk: Desk, patient: Patient) -> None:
    async with desk.client() as client:
        await send(client, patient, PDF)
        await send(client, patient, PDF)
    with desk.world.database.write() as session:
        for row in session.exec(select(PatientDocument)).all():
            row.state, row.created_at = "stored", now() - LEFT_AFTER
    first = rows(desk)[0].id
    desk.app.state.services.blobs.delete(first)
    assert checker(desk).sweep() == 2
    assert {row.id: row.state for row in rows(desk)}[first] == "unreadable"
    assert sorted(row.state for row in rows(desk)) == ["ready", "unreadable"]


async def test_a_long_list_goes_on(desk: Desk, patient: Patient) -> None:
    async with desk.client() as client:
        for number in range(3):
            await send(client, patient, PDF, f"{number}.pdf")
        first = (await client.get(f"/api/v1/patients/{patient.id}/documents?limit=2")).json()
        cursor = {"cursor": first["next"]}
        rest = (await client.get(f"/api/v1/patients/{patient.id}/documents", params=cursor)).json()
    assert [item["name"] for item in first["items"] + rest["items"]] == ["2.pdf", "1.pdf", "0.pdf"]
    assert rest["next"] is None
