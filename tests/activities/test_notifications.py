"""Who is told, and what becomes of the mail: in the application everybody at once, by mail each person once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select
from temporalio.exceptions import ApplicationError

from activities.effects import EffectActivities, Performer
from activities.notifications import Notifier
from activities.people import people_of
from activities.post import Post
from activities.records.projection import project, state_of
from infra.database import now
from schemas.ids import new_id
from schemas.lifecycle import Action, State
from schemas.messages import EffectInput
from schemas.state import Audience, Effect, EffectKind
from schemas.tables.case import Case
from schemas.tables.people import User
from schemas.tables.release import ReleaseGrant
from schemas.tables.wires import EffectRow, Notification
from tests.servers.relay import Relay, relay
from tests.world import World, sqlite_world


@dataclass
class Office:
    """A case, whose effects are performed with a relay."""

    world: World
    relay: Relay
    case: Case

    def intend(self, effect: Effect) -> EffectInput:
        with self.world.database.write() as session:
            session.add(
                EffectRow(
                    key=effect.key,
                    case_id=self.case.id,
                    seq=effect.seq,
                    kind=effect.kind,
                    intent=effect.model_dump_json(),
                    created_at=now(),
                )
            )
        return EffectInput(case_id=self.case.id, key=effect.key)

    def notice(self, audience: Audience, notice: Action = Action.REMIND, seq: int = 1) -> EffectInput:
        key = f"{self.case.id}:notify-{audience}:{seq}"
        return self.intend(Effect(key=key, kind=EffectKind.NOTIFY, notice=notice, audience=audience, seq=seq))

    def link(self) -> EffectInput:
        grant_id, moment = new_id("grt"), now()
        with self.world.database.write() as session:
            session.add(
                ReleaseGrant(
                    id=grant_id,
                    case_id=self.case.id,
                    practice_id=self.case.practice_id,
                    patient_id=self.case.patient_id,
                    token_hash=grant_id,
                    state="live",
                    created_at=moment,
                    expires_at=moment + timedelta(days=14),
                )
            )
        key = f"{self.case.id}:link:{grant_id}"
        return self.intend(Effect(key=key, kind=EffectKind.MAIL_LINK, grant_id=grant_id, seq=1))

    def perform(self, wanted: EffectInput) -> None:
        world = self.world
        notifier = Notifier(world.database, Post(world.database, world.keys, self.relay.mailer(), "http://127.0.0.1"))
        performers: dict[EffectKind, Performer] = {
            EffectKind.NOTIFY: notifier.notify,
            EffectKind.MAIL_LINK: notifier.mail_link,
        }
        EffectActivities(world.database, performers).perform(wanted)

    def is_done(self, wanted: EffectInput) -> bool:
        with self.world.database.read() as session:
            return session.get_one(EffectRow, wanted.key).done_at is not None

    def told(self, notice: str) -> list[str]:
        """Addresses of those who have an unread notice of this kind."""
        with self.world.database.read() as session:
            statement = (
                select(User.email)
                .join(Notification)
                .where(Notification.notice == notice, col(Notification.read_at).is_(None))
            )
            return sorted(session.exec(statement).all())

    def disable(self, *names: str) -> None:
        with self.world.database.write() as session:
            for name in names:
                session.get_one(User, self.world.user_id(name)).is_active = False

    def stand(self, state: State, reader: str | None = None) -> None:
        with self.world.database.write() as session:
            case = session.get_one(Case, self.case.id)
            assignee = self.world.user_id(reader) if reader else None
            project(case, state_of(case).model_copy(update={"state": state, "assignee_id": assignee}), now())


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setattr("infra.mail._SMTP_TIMEOUT_S", 0.5)
    monkeypatch.setattr("infra.mail._PARTING_S", 0.1)
    with sqlite_world(tmp_path) as world, relay() as running:
        yield Office(world, running, world.add_case())


def address(name: str) -> str:
    return f"{name}@demo.test"


PRACTICE = sorted(map(address, ("dentist", "staff")))


def test_a_draft_is_the_practices_affair_and_later_the_groups_too(office: Office) -> None:
    world = office.world
    for state, expected in (
        (State.DRAFT, {"practice_scheduler"}),
        (State.UNASSIGNED, {"practice_scheduler", "scheduler"}),
    ):
        office.stand(state)
        with world.database.read() as session:
            told = people_of(session, session.get_one(Case, office.case.id), Audience.SCHEDULERS)
        assert {user.id for user in told} == {world.user_id(name) for name in expected}


@pytest.mark.parametrize("refused", ["dentist", "staff"])
def test_a_refused_address_costs_nobody_else_anything(office: Office, refused: str) -> None:
    """Whoever comes before or after it gets one mail, everybody has the notice, and the effect is over."""
    office.relay.answers[address(refused)] = 550
    wanted = office.notice(Audience.PRACTICE)
    office.perform(wanted)
    office.perform(wanted)
    assert office.is_done(wanted)
    assert office.told(Action.REMIND) == PRACTICE
    assert office.relay.recipients() == [each for each in PRACTICE if each != address(refused)]
    keeper = "dentist" if refused == "staff" else "admin"
    assert office.told("mail_undeliverable") == [address(keeper)], "somebody else than the one whose mail is refused"


def test_an_address_that_stays_refused_rings_one_bell_until_it_is_read_again(office: Office) -> None:
    office.relay.answers[address("staff")] = 550
    for seq in (1, 2):
        office.perform(office.notice(Audience.PRACTICE, seq=seq))
    assert office.told("mail_undeliverable") == [address("dentist")]
    with office.world.database.write() as session:
        for row in session.exec(select(Notification)).all():
            row.read_at = now()
    office.perform(office.notice(Audience.PRACTICE, seq=3))
    assert office.told("mail_undeliverable") == [address("dentist")]


def test_an_address_that_is_put_off_is_tried_again_and_no_other(office: Office) -> None:
    office.relay.answers[address("dentist")] = 451
    wanted = office.notice(Audience.PRACTICE)
    for _ in range(2):
        with pytest.raises(ApplicationError):
            office.perform(wanted)
    assert not office.is_done(wanted)
    assert office.told(Action.REMIND) == PRACTICE, "the application waits for no mail"
    assert office.relay.recipients() == [address("staff")]
    office.relay.answers.clear()
    office.perform(wanted)
    assert office.is_done(wanted)
    assert office.relay.recipients() == [address("staff"), address("dentist")]


@pytest.mark.parametrize("command", ["EHLO", "RCPT"])
def test_a_relay_that_hangs_and_comes_back_mails_everybody_once(office: Office, command: str) -> None:
    office.relay.hangs_at = command
    wanted = office.notice(Audience.PRACTICE)
    with pytest.raises(ApplicationError):
        office.perform(wanted)
    assert office.told(Action.REMIND) == PRACTICE
    office.relay.hangs_at = None
    office.perform(wanted)
    assert sorted(office.relay.recipients()) == PRACTICE
    assert office.told("mail_undeliverable") == []


def test_a_relay_that_hangs_after_it_took_a_mail_gets_it_once(office: Office) -> None:
    office.relay.hangs_at = "QUIT"
    wanted = office.notice(Audience.PRACTICE)
    office.perform(wanted)
    assert office.is_done(wanted)
    assert sorted(office.relay.recipients()) == PRACTICE


def test_a_relay_that_stays_away_is_given_up_after_days_and_the_practice_knows(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.relay.hangs_at = "EHLO"
    wanted = office.link()
    with pytest.raises(ApplicationError):
        office.perform(wanted)
    assert office.told("link_undeliverable") == []
    monkeypatch.setattr("activities.post.now", lambda: now() + timedelta(days=5))
    office.perform(wanted)
    assert office.is_done(wanted)
    assert office.told("link_undeliverable") == PRACTICE


def test_a_patients_refused_address_is_told_to_the_practice(office: Office) -> None:
    office.relay.answers["anna.moreau@example.test"] = 550
    wanted = office.link()
    office.perform(wanted)
    assert office.is_done(wanted)
    assert office.relay.recipients() == []
    assert office.told("link_undeliverable") == PRACTICE


def test_a_link_that_is_revoked_while_the_relay_is_away_is_not_mailed(office: Office) -> None:
    office.relay.hangs_at = "EHLO"
    wanted = office.link()
    with pytest.raises(ApplicationError):
        office.perform(wanted)
    with office.world.database.write() as session:
        session.exec(select(ReleaseGrant)).one().state = "revoked"
    office.relay.hangs_at = None
    office.perform(wanted)
    assert office.is_done(wanted)
    assert office.relay.recipients() == []
    assert office.told("link_undeliverable") == []


def test_a_reminder_for_somebody_who_is_gone_reaches_who_stands_in(office: Office) -> None:
    office.stand(State.IN_REVIEW, reader="radiologist")
    office.perform(office.notice(Audience.ASSIGNEE, seq=1))
    assert office.told(Action.REMIND) == [address("radiologist")]
    office.disable("radiologist")
    office.perform(office.notice(Audience.ASSIGNEE, seq=2))
    schedulers = [address("practice_scheduler"), address("scheduler")]
    assert office.told(Action.REMIND) == sorted([*schedulers, address("radiologist")])
    assert sorted(office.relay.recipients()) == sorted([*schedulers, address("radiologist")])


def test_a_draft_of_a_practice_without_people_is_the_administrators(office: Office) -> None:
    office.disable("dentist", "staff", "practice_scheduler")
    office.perform(office.notice(Audience.PRACTICE))
    assert office.told(Action.REMIND) == [address("admin")]


def test_nobody_is_told_twice_by_one_step(office: Office) -> None:
    """An escalation is for the schedulers anyway; they do not stand in for the lost reader, too."""
    office.stand(State.IN_REVIEW, reader="radiologist")
    office.disable("radiologist")
    for wanted in [office.notice(each, Action.ESCALATE) for each in (Audience.ASSIGNEE, Audience.SCHEDULERS)]:
        office.perform(wanted)
    assert office.relay.recipients().count(address("scheduler")) == 1


def test_what_was_the_lost_readers_alone_is_told_to_nobody_else(office: Office) -> None:
    office.stand(State.ASSIGNED, reader="radiologist")
    office.disable("radiologist")
    office.perform(office.notice(Audience.ASSIGNEE, Action.OFFER))
    assert office.told(Action.OFFER) == []
