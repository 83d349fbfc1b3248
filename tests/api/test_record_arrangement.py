"""Putting a record's treatment documents in order: the rules of a case's, for those who may edit documents."""

import json
from typing import Any

from sqlmodel import select

from schemas.tables.arrangement import ArrangedItem, FileGroup
from schemas.tables.people import Patient
from schemas.tables.wires import AuditRow, FeedEvent
from tests.activities.imaging import files
from tests.api.imaging_app import Desk
from tests.api.stories import put_document

PDF = b"%PDF-1.7\n%%EOF\n"


def with_three(desk: Desk) -> tuple[Patient, list[str]]:
    """A record with three letters; their ids, the newest first."""
    patient = desk.world.add_patient()
    return patient, [put(desk, patient, f"Letter{number}.pdf") for number in range(3)][::-1]


def put(desk: Desk, patient: Patient, name: str) -> str:
    return put_document(desk.app, patient, desk.world.user_id("staff"), PDF, name)


async def asked(desk: Desk, method: str, url: str, body: Any = None, *, person: str = "dentist") -> tuple[int, Any]:
    async with desk.client(person) as client:
        answer = await client.request(method, url, json=body)
        return answer.status_code, answer.json() if answer.content else None


def base(patient: Patient) -> str:
    return f"/api/v1/patients/{patient.id}/arrangement"


async def order_of(desk: Desk, patient: Patient, person: str = "dentist") -> list[list[str]]:
    status, arrangement = await asked(desk, "GET", base(patient), person=person)
    assert status == 200
    return [[item["id"] for item in group["items"]] for group in arrangement["groups"]]


async def test_documents_are_moved_and_what_comes_later_stands_first(desk: Desk) -> None:
    patient, (third, second, first) = with_three(desk)
    assert await order_of(desk, patient) == [[third, second, first]]
    status, group = await asked(desk, "POST", f"{base(patient)}/groups", {"name": "Consent"}, person="staff")
    assert status == 201
    await asked(desk, "POST", f"{base(patient)}/items/{first}/move", {"before": second})
    await asked(desk, "POST", f"{base(patient)}/items/{third}/move", {"group_id": group["id"]})
    assert await order_of(desk, patient) == [[first, second], [third]]
    fourth = put(desk, patient, "Letter4.pdf")
    assert await order_of(desk, patient) == [[fourth, first, second], [third]], "in sight, above what has its place"
    assert (await asked(desk, "PUT", f"{base(patient)}/groups/{group['id']}", {"name": "Consents"}))[0] == 200
    assert (await asked(desk, "DELETE", f"{base(patient)}/groups/{group['id']}"))[0] == 204
    assert await order_of(desk, patient) == [[fourth, first, second, third]]


async def test_words_are_sealed_under_the_patients_key_and_audited_without_them(desk: Desk) -> None:
    patient, (third, _, _) = with_three(desk)
    notes = {"description": "Signed by her mother", "teeth": ["16", "15"]}
    status, shown = await asked(desk, "PUT", f"{base(patient)}/items/{third}/labels", notes)
    assert status == 200
    assert shown["groups"][0]["items"][0]["labels"] == notes | {"title": ""}
    await asked(desk, "POST", f"{base(patient)}/groups", {"name": "Of her mother"})
    with desk.world.database.read() as session:
        sealed = [*session.exec(select(ArrangedItem.labels)).all(), *session.exec(select(FileGroup.name)).all()]
        acts = [row for row in session.exec(select(AuditRow)).all() if row.act.startswith("document.")]
        told = [event.kind for event in session.exec(select(FeedEvent)).all() if event.kind.startswith("document.")]
    assert all(each is not None and b"mother" not in each for each in sealed)
    assert [row.act for row in acts][-2:] == ["document.describe", "document.group"]
    assert all(json.loads(row.detail) == {"patient": patient.id} for row in acts)
    assert told[-2:] == ["document.describe", "document.group"]


async def test_a_document_has_one_name_which_is_changed_at_the_document(desk: Desk) -> None:
    patient, (third, _, _) = with_three(desk)
    assert (await asked(desk, "PUT", f"{base(patient)}/items/{third}/labels", {"title": "Consent"}))[0] == 422


async def test_what_is_removed_takes_its_words_with_it(desk: Desk) -> None:
    patient, (third, second, _) = with_three(desk)
    for document_id in (third, second):
        await asked(desk, "PUT", f"{base(patient)}/items/{document_id}/labels", {"description": "x"})
    assert (await asked(desk, "DELETE", f"/api/v1/patients/{patient.id}/documents/{third}"))[0] == 204
    with desk.world.database.read() as session:
        assert session.exec(select(ArrangedItem.id)).all() == [second]
    assert (await asked(desk, "PUT", f"{base(patient)}/items/{third}/labels", {}))[0] == 404


async def test_only_those_who_edit_documents_arrange_them_and_only_their_own_patients(desk: Desk) -> None:
    patient, (third, _, _) = with_three(desk)
    other, _ = with_three(desk)
    _, group = await asked(desk, "POST", f"{base(patient)}/groups", {"name": "Consent"})
    case = desk.open_case()
    await desk.upload(case, files.pdf(), "letter.pdf")
    desk.imaging.ingest(case.id)
    _, of_case = await asked(desk, "GET", f"/api/v1/cases/{case.id}/arrangement")
    (letter,) = [item["id"] for item in of_case["groups"][0]["items"]]
    for method, path, body in (
        ("POST", f"items/{third}/move", {}),
        ("PUT", f"items/{third}/labels", {"description": "x"}),
        ("POST", "groups", {"name": "Mine"}),
        ("PUT", f"groups/{group['id']}", {"name": "Mine"}),
        ("DELETE", f"groups/{group['id']}", None),
    ):
        assert (await asked(desk, method, f"{base(patient)}/{path}", body, person="practice_scheduler"))[0] == 403
        for stranger in ("dentist2", "radiologist"):
            assert (await asked(desk, method, f"{base(patient)}/{path}", body, person=stranger))[0] in {403, 404}
        if path != "groups":
            assert (await asked(desk, method, f"{base(other)}/{path}", body))[0] == 404, "of another record"
    to = {"group_id": group["id"]}
    assert (await asked(desk, "POST", f"{base(patient)}/items/{letter}/move", to))[0] == 404, "a case's file"
    assert (await asked(desk, "POST", f"/api/v1/cases/{case.id}/arrangement/items/{letter}/move", to))[0] == 404
    assert (await order_of(desk, patient))[0][0] == third
