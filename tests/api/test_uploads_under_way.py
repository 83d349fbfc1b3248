"""What becomes of a request that takes long: it is waited for, and it ends with the right of its sender, the upload or the line."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable

import pytest
from sqlmodel import select

from infra.database import now
from infra.uploads import SILENCE, count_under_way
from schemas.tables.people import Membership, Session
from tests.api.imaging_app import Desk
from tests.api.tus import begin, part


async def test_a_submission_waits_for_a_slow_request_that_is_still_under_way(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 MB over a poor line are one request of half an hour. Its case must not be submitted without it."""
    monkeypatch.setattr("api.rechecking.SECONDS", 0.0)
    late = [now()]
    monkeypatch.setattr("infra.uploads.desk.now", lambda: late[0])
    case = desk.open_case()
    counted = []

    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"12"
            await asyncio.sleep(0.01)
            with desk.world.database.read() as session:
                counted.append(count_under_way(session, case.id, late[0]))
            late[0] += SILENCE * 0.9

    async with desk.client() as client:
        location = await begin(client, case, 9)
        answer = await client.patch(location, headers=part(0), content=slowly())
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, "8")
    assert counted == [1] * 4


async def test_an_upload_that_is_given_up_ends_its_request_under_way(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.rechecking.SECONDS", 0.0)
    case = desk.open_case()
    async with desk.client() as client:
        location = await begin(client, case, 100)

        async def endless() -> AsyncIterator[bytes]:
            yield b"12"
            assert (await client.delete(location, headers=part(0))).status_code == 204
            for _ in range(98):
                yield b"1"

        answer = await client.patch(location, headers=part(0), content=endless())
        assert (answer.status_code, answer.json()["code"]) == (410, "upload_gone")
    assert not desk.files(case)
    assert not [path for path in (desk.app.state.services.settings.blob_folder).rglob("*") if path.is_file()]


def sign_out(desk: Desk) -> None:
    with desk.world.database.write() as session:
        for row in session.exec(select(Session).where(Session.user_id == desk.world.user_id("dentist"))).all():
            row.revoked_at = now()


def leave_practice(desk: Desk) -> None:
    """Who leaves stays signed in, for what they do elsewhere."""
    with desk.world.database.write() as session:
        user_id = desk.world.user_id("dentist")
        session.exec(select(Membership).where(Membership.user_id == user_id)).one().is_active = False


@pytest.mark.parametrize("checked", [False, True])
@pytest.mark.parametrize(("lose", "status"), [(sign_out, 401), (leave_practice, 404)])
async def test_who_loses_the_session_or_the_case_stops_an_upload_under_way(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, lose: Callable[[Desk], None], status: int, checked: bool
) -> None:
    monkeypatch.setattr("api.rechecking.SECONDS", 0.05)
    case = desk.open_case()

    async def endless() -> AsyncIterator[bytes]:
        for number in range(200):
            if number == 5:
                lose(desk)
            yield b"x" * 1000
            await asyncio.sleep(0.02)

    async with desk.client() as client:
        location = await begin(client, case, 200_000)
        digest = base64.b64encode(hashlib.sha256(b"x" * 200_000).digest()).decode()
        headers = part(0, Upload_Checksum=f"sha256 {digest}") if checked else part(0)
        answer = await client.patch(location, headers=headers, content=endless())
    assert answer.status_code == status
    assert not desk.files(case)


async def test_a_line_that_went_silent_does_not_lock_its_upload(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A telephone that lost its network says no goodbye, and soon comes back to go on."""
    monkeypatch.setattr("api.tus.receiving.SILENCE_SECONDS", 0.2)
    case = desk.open_case()

    async def broken() -> AsyncIterator[bytes]:
        yield b"123"
        await asyncio.sleep(3600)
        yield b""

    async with desk.client() as client, asyncio.timeout(10):
        location = await begin(client, case, 6)
        answer = await client.patch(location, headers=part(0), content=broken())
        assert answer.headers["upload-offset"] == "3"
        answer = await client.patch(location, headers=part(3), content=b"456")
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, "6")
