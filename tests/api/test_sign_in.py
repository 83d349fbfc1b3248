"""Signing in under attack: guesses from many addresses, bursts, and accounts that change while a password is checked."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlmodel import func, select

import api.hashing
from infra.sessions import TOKEN, Sessions, TooManyTries, WrongCredentials, forget_tries
from schemas.tables.people import Session, SignInAttempt, User
from schemas.tables.wires import AuditRow
from tests.ui.site import BASE, PASSWORD, Site, site


@pytest_asyncio.fixture
async def quiet(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as made:
        yield made


def sessions_of(place: Site) -> Sessions:
    services = place.app.state.services
    return Sessions(services.database, services.passwords, services.settings)


def nobody(place: Site) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(place.app, raise_app_exceptions=False), base_url=BASE)


@pytest.mark.parametrize("email", ["dentist@demo.test", "nobody@demo.test"])
async def test_many_addresses_together_have_no_more_guesses(quiet: Site, email: str) -> None:
    sessions = sessions_of(quiet)
    for number in range(100):
        with pytest.raises(WrongCredentials):
            sessions.sign_in(email, "wrong", TOKEN, f"10.0.0.{number}")
    with pytest.raises(TooManyTries):
        sessions.sign_in(email, PASSWORD, TOKEN, "10.0.1.1")


async def test_a_right_password_forgets_the_wrong_ones(quiet: Site) -> None:
    sessions = sessions_of(quiet)
    with pytest.raises(WrongCredentials):
        sessions.sign_in("dentist@demo.test", "wrong", TOKEN, "10.0.0.1")
    sessions.sign_in("dentist@demo.test", PASSWORD, TOKEN, "10.0.0.1")
    with quiet.world.database.read() as session:
        assert session.exec(select(func.count()).select_from(SignInAttempt)).one() == 0


async def test_counts_are_forgotten_when_their_window_is_over_and_not_before(quiet: Site) -> None:
    sessions, database = sessions_of(quiet), quiet.world.database
    for address in ("10.0.0.1", "10.0.0.2"):
        with pytest.raises(WrongCredentials):
            sessions.sign_in("nobody@demo.test", "wrong", TOKEN, address)
    assert forget_tries(database) == 0
    with database.write() as session:
        for row in session.exec(select(SignInAttempt).limit(2)).all():
            row.window_started_at -= timedelta(minutes=16)
    assert forget_tries(database) == 2
    with database.read() as session:
        assert session.exec(select(func.count()).select_from(SignInAttempt)).one() == 1


async def test_a_wrong_password_for_a_step_is_in_the_audit_trail(quiet: Site) -> None:
    person = quiet.world.person("radiologist")
    assert not sessions_of(quiet).prove(person, "wrong")
    assert sessions_of(quiet).prove(person, PASSWORD)
    with quiet.world.database.read() as session:
        rows = session.exec(select(AuditRow).where(AuditRow.act == "auth.prove")).all()
    assert [(row.actor_id, row.session_id, row.outcome) for row in rows] == [
        (person.user_id, person.session_id, "denied")
    ]


@pytest.mark.parametrize("change", ["disabled", "new password"])
async def test_an_account_that_changes_while_its_password_is_checked_is_not_opened(
    quiet: Site, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = quiet.app.state.services.passwords
    verify = passwords.verify

    def slowly(password: str, stored: str | None) -> bool:
        right = bool(verify(password, stored))
        with quiet.world.database.write() as session:
            user = session.exec(select(User).where(User.email == "staff@demo.test")).one()
            user.is_active = change != "disabled"
            user.password_hash = user.password_hash if change == "disabled" else passwords.hash("another-password")
        return right

    monkeypatch.setattr(passwords, "verify", slowly)
    with pytest.raises(WrongCredentials):
        sessions_of(quiet).sign_in("staff@demo.test", PASSWORD, TOKEN, "10.0.0.1")
    with quiet.world.database.read() as session:
        assert session.exec(select(func.count()).select_from(Session)).one() == 0


async def test_a_burst_of_sign_ins_keeps_no_page_waiting(quiet: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """While every place for hashing is taken, and more stand in line than the server has threads."""
    monkeypatch.setattr(api.hashing, "MOST_WAITING", 30)
    gate = quiet.app.state.services.passwords._gate
    for _ in range(2):
        gate.acquire()
    async with nobody(quiet) as client:

        async def guess(number: int) -> int:
            body = {"email": f"somebody{number}@demo.test", "password": "wrong"}
            return (await client.post("/api/v1/auth/token", json=body)).status_code

        guesses = [asyncio.create_task(guess(number)) for number in range(40)]
        try:
            turned_away = asyncio.as_completed(guesses, timeout=30)
            assert [await next(turned_away) for _ in range(8)] == [503] * 8
            async with asyncio.timeout(30):
                assert (await client.get("/sign-in")).status_code == 200
        finally:
            for _ in range(2):
                gate.release()
        assert sorted(await asyncio.gather(*guesses)) == [401] * 32 + [503] * 8
