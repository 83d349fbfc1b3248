"""Mails that no effect sends are owed with their cause, and the worker's sweep sends them: once, and not in vain."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.message import Message
from pathlib import Path

import pytest
from sqlmodel import select

from activities.post import Post
from api.invitations import Invitations
from api.realms import Realm
from api.users import disable, invite, invite_again, user_view
from infra.database import Database, now
from infra.keys import MasterKeys
from infra.keystore import KeyStore
from infra.passwords import Passwords
from infra.settings import Settings
from schemas.lifecycle import Role
from schemas.mail import MailOutcome
from schemas.people_forms import NewUser
from schemas.tables.mail import OutgoingMail
from schemas.tables.people import User
from tests.infra.databases import database, mariadb_engine, sqlite_engine
from tests.servers.relay import Relay, relay
from tests.world import World, populate

__all__ = ["database", "mariadb_engine", "sqlite_engine"]

ADDRESS = "chidi.obi@example.test"


class House:
    """An administrator who invites, a relay, and the worker's sweep."""

    def __init__(self, world: World, running: Relay, home: Path) -> None:
        self.world = world
        self.relay = running
        passwords = Passwords(Settings(home=home, argon2_memory_kib=8, argon2_time_cost=1))
        self.invitations = Invitations(world.database, world.keys, passwords)
        self.realm = Realm(world.person("admin"))
        self.post = Post(world.database, world.keys, running.mailer(), "http://127.0.0.1")

    def invite(self) -> str:
        organization = self.world.organizations["practice"]
        new = NewUser(name="Chidi Obi", email=ADDRESS, organization_id=organization, role=Role.STAFF)
        with self.world.database.write() as session:
            return invite(session, self.realm, self.invitations, new)

    def outcomes(self) -> list[str | None]:
        with self.world.database.read() as session:
            return sorted(session.exec(select(OutgoingMail.outcome)).all(), key=str)

    def accept_from(self, mail: Message) -> str:
        link = next(line for line in words_of(mail).splitlines() if "/welcome/" in line)
        return self.invitations.accept(link.rpartition("/")[2], "a-long-password-of-theirs")


def words_of(mail: Message) -> str:
    content = mail.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode()


@pytest.fixture
def house(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr("infra.mail._SMTP_TIMEOUT_S", 0.5)
    monkeypatch.setattr("activities.relay_gate.REST_S", 0.0)
    world = populate(database, KeyStore(database, MasterKeys.generate()))
    with relay() as running:
        yield House(world, running, tmp_path)


def later(monkeypatch: pytest.MonkeyPatch, **passed: int) -> None:
    moment = now() + timedelta(**passed)
    monkeypatch.setattr("activities.post.now", lambda: moment)


def test_an_invitation_survives_its_process_and_a_relay_that_is_away(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.relay.hangs_at = "EHLO"
    house.invite()
    assert house.post.sweep() == 0
    house.relay.hangs_at = None
    assert house.post.sweep() == 0, "it is not its time yet"
    later(monkeypatch, minutes=1)
    assert house.post.sweep() == 1
    assert house.post.sweep() == 0
    ((recipient, mail),) = house.relay.taken
    assert recipient == ADDRESS
    assert "Practice has opened an account for you" in words_of(mail)
    assert house.accept_from(mail) == ADDRESS


def test_a_failed_transaction_owes_nothing(house: House) -> None:
    with pytest.raises(RuntimeError), house.world.database.write() as session:
        user = session.get_one(User, house.world.user_id("staff"))
        house.invitations.owe(session, user)
        raise RuntimeError
    assert house.post.sweep() == 0
    assert house.outcomes() == []


def test_two_workers_that_sweep_at_once_send_it_once(house: House) -> None:
    house.invite()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: house.post.sweep(), range(8)))
    assert house.relay.recipients() == [ADDRESS]


def test_an_invitation_that_was_replaced_before_it_was_sent_is_not_sent(house: House) -> None:
    user_id = house.invite()
    with house.world.database.write() as session:
        invite_again(session, house.realm, house.invitations, user_id)
    house.post.sweep()
    assert house.outcomes() == [MailOutcome.DROPPED, MailOutcome.SENT]
    ((_, mail),) = house.relay.taken
    assert house.accept_from(mail) == ADDRESS


def test_somebody_who_was_disabled_meanwhile_is_not_invited(house: House) -> None:
    user_id = house.invite()
    with house.world.database.write() as session:
        disable(session, house.realm, user_id)
    house.post.sweep()
    assert house.relay.taken == []


def test_whoever_invited_sees_that_the_address_does_not_work(house: House) -> None:
    house.relay.answers[ADDRESS] = 550
    user_id = house.invite()
    house.post.sweep()
    house.post.sweep()
    assert house.outcomes() == [MailOutcome.UNDELIVERABLE]
    with house.world.database.read() as session:
        assert user_view(session, house.realm, user_id).mail_fails
    house.relay.answers.clear()
    with house.world.database.write() as session:
        invite_again(session, house.realm, house.invitations, user_id)
    house.post.sweep()
    with house.world.database.read() as session:
        assert not user_view(session, house.realm, user_id).mail_fails


def test_one_bad_address_holds_up_no_other_invitation(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.relay.answers[ADDRESS] = 451
    house.invite()
    with house.world.database.write() as session:
        house.invitations.owe(session, session.get_one(User, house.world.user_id("staff")))
    house.post.sweep()
    assert house.relay.recipients() == ["staff@demo.test"]
    house.relay.answers.clear()
    later(monkeypatch, minutes=1)
    house.post.sweep()
    assert house.relay.recipients() == ["staff@demo.test", ADDRESS]


def test_an_invitation_whose_link_is_over_is_not_sent_any_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.invite()
    later(monkeypatch, days=3, minutes=1)
    house.post.sweep()
    assert house.relay.taken == []
    assert house.outcomes() == [MailOutcome.UNDELIVERABLE]
