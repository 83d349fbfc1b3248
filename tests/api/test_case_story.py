"""A case over HTTP: what a script of a practice or a reading group relies on."""

import asyncio
from typing import Any

import httpx

from tests.api.live import PASSWORD, Live

FORM = {
    "referrer": "Dr. Laura Keller",
    "purpose": "implant",
    "clinical_question": "Is there enough bone for an implant at 36?",
    "teeth": ["36"],
    "consent": True,
    "pregnancy": "not_pregnant",
}
PATIENT = {"family_name": "Moreau", "given_name": "Anna", "birth_date": "1980-05-04", "sex": "female"}


async def new_case(live: Live, key: str, **changes: Any) -> dict[str, Any]:
    async with live.client("dentist") as client:
        patient = await client.post("/api/v1/patients?confirmed=true", json=PATIENT)
        assert patient.status_code == 201, patient.text
        body = {"patient_id": patient.json()["id"], "priority": "urgent", "form": FORM | changes}
        case = await client.post("/api/v1/cases", json=body, headers={"Idempotency-Key": key})
        assert case.status_code == 201, case.text
        return dict(case.json())


async def until(client: httpx.AsyncClient, case_id: str, *states: str) -> dict[str, Any]:
    for _ in range(200):
        case = (await client.get(f"/api/v1/cases/{case_id}")).json()
        if case["state"] in states:
            return dict(case)
        await asyncio.sleep(0.05)
    raise AssertionError(f"the case stands at {case['state']}")


async def test_opening_a_case_twice_with_one_key_opens_one(live: Live) -> None:
    async with live.client("dentist") as client:
        patient = (await client.post("/api/v1/patients?confirmed=true", json=PATIENT)).json()
        body = {"patient_id": patient["id"], "form": FORM}
        headers = {"Idempotency-Key": "open-once"}
        first = await client.post("/api/v1/cases", json=body, headers=headers)
        again = await client.post("/api/v1/cases", json=body, headers=headers)
        other = await client.post("/api/v1/cases", json=body | {"priority": "stat"}, headers=headers)
    assert first.json()["id"] == again.json()["id"]
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"


async def test_adding_a_patient_twice_with_one_key_adds_one(live: Live) -> None:
    """The answer to the first request was lost, and the script sends it again."""
    async with live.client("dentist") as client:
        headers = {"Idempotency-Key": "add-once"}
        first, again = [
            await client.post("/api/v1/patients?confirmed=true", json=PATIENT, headers=headers) for _ in range(2)
        ]
        other = await client.post("/api/v1/patients?confirmed=true", json=PATIENT, headers={"Idempotency-Key": "new"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"] != other.json()["id"]


async def test_a_submission_without_images_says_so_and_changes_nothing(live: Live) -> None:
    case = await new_case(live, "no-images")
    refused = await live.act("dentist", case["id"], "submit", key="s1")
    assert refused.status_code == 409
    assert refused.json()["code"] == "no_images"
    async with live.client("dentist") as client:
        assert (await client.get(f"/api/v1/cases/{case['id']}")).json()["seq"] == 0


async def test_a_reader_who_lost_the_case_by_declining_it_is_told_so_again(live: Live) -> None:
    """The answer to the first request was lost. Meanwhile the case was offered to another reader."""
    from tests.api.stories import submitted_case

    case_id = (await submitted_case(live)).case_id
    async with live.client("dentist") as dentist:
        offered = await until(dentist, case_id, "assigned")
        readers = {live.world.user_id(name): name for name in ("radiologist", "radiologist2")}
        reader = readers.pop(offered["assignee"]["id"])
        form = {"reason": "Away this week."}
        assert (await live.act(reader, case_id, "decline", key="away", form=form)).status_code == 200
        for _ in range(200):
            if ((await dentist.get(f"/api/v1/cases/{case_id}")).json()["assignee"] or {}).get("id") in readers:
                break
            await asyncio.sleep(0.05)
    again = await live.act(reader, case_id, "decline", key="away", form=form)
    assert (again.status_code, again.json()["outcome"]) == (200, "applied")
    otherwise = await live.act(reader, case_id, "decline", key="away", form={"reason": "Another one."})
    assert otherwise.json()["code"] == "idempotency_key_reused"
    for name, key in ((reader, "another key"), ("dentist2", "away")):
        assert (await live.act(name, case_id, "decline", key=key, form=form)).status_code == 404


async def test_another_practice_finds_nothing(live: Live) -> None:
    case = await new_case(live, "foreign")
    async with live.client("dentist2") as client:
        foreign = await client.get(f"/api/v1/cases/{case['id']}")
        missing = await client.get("/api/v1/cases/case_000000000000000000000000000000")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content


async def test_a_wrong_password_signs_nothing(live: Live) -> None:
    case = await new_case(live, "wrong-password")
    answer = await live.act("dentist", case["id"], "sign", key="x", form={"password": "wrong", "draft_hash": "0" * 64})
    assert answer.status_code == 403
    assert PASSWORD not in answer.text


async def test_health_and_readiness(live: Live) -> None:
    async with live.client() as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        ready = (await client.get("/readyz")).json()
    assert ready["database"]
    assert ready["temporal"]
