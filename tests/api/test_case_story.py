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


async def test_a_submission_without_images_says_so_and_changes_nothing(live: Live) -> None:
    case = await new_case(live, "no-images")
    refused = await live.act("dentist", case["id"], "submit", key="s1")
    assert refused.status_code == 409
    assert refused.json()["code"] == "no_images"
    async with live.client("dentist") as client:
        assert (await client.get(f"/api/v1/cases/{case['id']}")).json()["seq"] == 0


async def test_another_practice_finds_nothing(live: Live) -> None:
    case = await new_case(live, "foreign")
    async with live.client("dentist2") as client:
        foreign = await client.get(f"/api/v1/cases/{case['id']}")
        missing = await client.get("/api/v1/cases/case_000000000000000000000000000000")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content


async def test_a_wrong_password_signs_nothing(live: Live) -> None:
    case = await new_case(live, "wrong-password")
    answer = await live.act("dentist", case["id"], "sign", key="x", form={"password": "wrong"})
    assert answer.status_code == 403
    assert PASSWORD not in answer.text


async def test_health_and_readiness(live: Live) -> None:
    async with live.client() as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        ready = (await client.get("/readyz")).json()
    assert ready["database"]
    assert ready["temporal"]
