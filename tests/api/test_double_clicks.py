"""The same request twice at one moment, on MariaDB, which lets both look before either writes."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session, func, select

from api.cases import open_new_case
from api.messages import mark_read, post_message
from api.patients import create_patient
from api.realms import Realm
from api.registrations import RegistrationChanged, add_registration, change_registration
from api.standing import CaseAccess, load_case
from infra.blobs.local import LocalBlobStore
from infra.database import Database
from infra.keys import MasterKeys
from infra.keystore import KeyStore
from infra.passwords import Passwords
from infra.sessions import TOKEN, Sessions, TooManyTries, WrongCredentials
from infra.settings import Settings
from infra.uploads import UploadDesk
from schemas.clinical import ClinicalForm, Sex
from schemas.forms import Demographics, NewCase, NewMessage
from schemas.messages import Actor
from schemas.registration_forms import NewRegistration, RegistrationFacts
from schemas.tables.case import Case, Message, MessageRead
from schemas.tables.people import Patient, Registration, SignInAttempt
from tests.infra.databases import emptied, mariadb_engine
from tests.world import World, populate

__all__ = ["mariadb_engine"]

CLICKS = 8
Result = TypeVar("Result")


@pytest.fixture
def world(mariadb_engine: Engine) -> World:
    database = Database(emptied(mariadb_engine))
    return populate(database, KeyStore(database, MasterKeys.generate()))


def at_once(click: Callable[[int], Result]) -> list[Result]:
    """What each of the clicks got. They begin together."""
    together = threading.Barrier(CLICKS)

    def wait_and_click(number: int) -> Result:
        together.wait(60)
        return click(number)

    with ThreadPoolExecutor(CLICKS) as threads:
        return list(threads.map(wait_and_click, range(CLICKS)))


class LookTogether:
    """A database in which every transaction of a round has looked before any of them writes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._together = threading.Barrier(CLICKS)

    def transact(self, work: Callable[[Session], Result]) -> Result:
        def meet_before_writing(session: Session) -> Result:
            event.listen(session, "before_flush", self._meet)
            return work(session)

        return self._database.transact(meet_before_writing)

    def _meet(self, *_: object) -> None:
        with suppress(threading.BrokenBarrierError):  # one that is run again writes when it likes
            self._together.wait(2)


def chat(world: World) -> CaseAccess:
    row = world.add_case()
    with world.database.read() as session:
        return load_case(session, world.keys, row.id, world.person("dentist"))


def test_a_message_that_is_sent_twice_is_there_once(world: World) -> None:
    access, new = chat(world), NewMessage(body="Please look at 36 as well.", asks=False)
    desk = LookTogether(world.database)
    sent = at_once(lambda _: desk.transact(lambda session: post_message(session, world.keys, access, new, "n")))
    assert len({message.id for message in sent}) == 1
    with world.database.read() as session:
        assert session.exec(select(func.count()).select_from(Message)).one() == 1


def test_a_chat_that_is_opened_twice_is_read_once(world: World) -> None:
    access = chat(world)

    def click(_: int) -> None:
        with world.database.write() as session:
            mark_read(session, access)

    at_once(click)
    with world.database.read() as session:
        first = session.exec(select(MessageRead)).one()
    click(0)
    with world.database.read() as session:
        assert session.exec(select(MessageRead)).one().read_at > first.read_at


def test_a_patient_who_is_added_twice_is_there_once(world: World) -> None:
    person = Demographics(family_name="Roth", given_name="Ida", birth_date=date(1990, 1, 2), sex=Sex.FEMALE)
    dentist = world.person("dentist")
    actor = Actor(user_id=dentist.user_id, role="dentist", relation="own", session_id=dentist.session_id)
    practice_id = world.organizations["practice"]
    desk = LookTogether(world.database)

    def work(session: Session) -> Patient:
        return create_patient(session, world.keys, practice_id, person, actor=actor, confirmed=False, key="n")

    assert len({patient.id for patient in at_once(lambda _: desk.transact(work))}) == 1


def test_first_tries_of_an_account_at_one_moment_are_all_counted(world: World) -> None:
    settings = Settings(argon2_memory_kib=8, argon2_time_cost=1)
    sessions = Sessions(world.database, Passwords(settings), settings)

    def click(_: int) -> type[Exception]:
        with pytest.raises((WrongCredentials, TooManyTries)) as caught:
            sessions.sign_in("dentist@demo.test", "wrong", TOKEN, "192.0.2.1")
        return caught.type

    assert at_once(click) == [WrongCredentials] * CLICKS
    with world.database.read() as session:
        failures = session.exec(select(SignInAttempt.failures)).all()
    assert failures == [CLICKS, CLICKS]  # of the account from this address, and of the account
    assert set(at_once(click)) == {WrongCredentials, TooManyTries}


def test_an_upload_that_is_begun_twice_is_one(world: World, tmp_path: Path) -> None:
    case, desk = world.add_case(), UploadDesk(world.database, LocalBlobStore(tmp_path), world.keys)
    user_id = world.user_id("dentist")
    begun = at_once(lambda _: desk.begin(case, user_id, 7, {"filename": "a.dcm"}, key="n"))
    assert len({each.upload.id for each in begun}) == 1
    assert [each.is_new for each in begun].count(True) == 1


def test_a_case_that_is_opened_twice_is_there_once(world: World) -> None:
    patient, practice_id = world.add_patient(), world.organizations["practice"]
    new = NewCase(patient_id=patient.id, form=ClinicalForm())

    def click(_: int) -> str:
        return open_new_case(
            world.database, world.keys, practice_id, world.person("dentist"), new=new, idempotency_key="n"
        )

    assert len(set(at_once(click))) == 1
    with world.database.read() as session:
        assert session.exec(select(func.count()).select_from(Case)).one() == 1


def test_a_registration_that_is_added_twice_is_there_once_and_of_changes_at_one_moment_one_is_made(
    world: World,
) -> None:
    realm, reader = Realm(world.person("admin")), world.user_id("radiologist")
    new = NewRegistration(jurisdiction="FR", number="OMR 7")

    def add(_: int) -> None:
        with world.database.write() as session:
            add_registration(session, realm, reader, new)

    at_once(add)
    with world.database.read() as session:
        registration_id = session.exec(select(Registration.id).where(Registration.jurisdiction == "FR")).one()

    def change(number: int) -> bool:
        facts = RegistrationFacts(number=f"OMR 7-{number}")
        try:
            with world.database.write() as session:
                change_registration(
                    session, realm, reader, registration_id, facts, was=RegistrationFacts(number="OMR 7")
                )
        except RegistrationChanged:
            return False
        return True

    made = at_once(change)
    assert made.count(True) == 1
    with world.database.read() as session:
        assert session.get_one(Registration, registration_id).number == f"OMR 7-{made.index(True)}"
