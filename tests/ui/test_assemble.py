"""Words of the pages: every step, wait and state of the lifecycle has its own."""

from datetime import UTC, date, datetime, timedelta

import pytest

from api.listing import worklist
from api.standing import standings_of
from api.waiting import count_waiting, waits_for
from infra.database import now
from schemas.access import owns_practice, takers
from schemas.lifecycle import PEOPLES_ACTIONS, STATES, Action, Role, State, WaitOwner, WaitReason, is_open
from schemas.report import ReportContent
from schemas.report_changes import section_texts
from schemas.report_parts import Modality
from schemas.sla import DEFAULT_POLICY, Cause, Priority
from schemas.state import opened
from schemas.tables.case import Case
from tests.ui.site import Site
from ui.assemble.case_actions import LOOKS
from ui.assemble.case_page import steps_of
from ui.assemble.clocks import clock_of
from ui.assemble.looker import Looker
from ui.assemble.report import local_dates
from ui.assemble.timelines import ACTS
from ui.assemble.toasts import DONE
from ui.assemble.waits import NAMED, YOURS
from ui.pages.answers import same_site
from ui.templating import TEMPLATES, Reader

MONDAY = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def looker(site: Site, name: str = "dentist", moment: datetime | None = None) -> Looker:
    return Looker(site.world.person(name), Reader(zone="Europe/Zurich", now=moment or now()), Role.DENTIST)


@pytest.mark.parametrize("action", [action for action in PEOPLES_ACTIONS if action is not Action.CREATE])
def test_every_step_has_a_word_a_form_and_a_sentence_when_it_is_done(action: Action) -> None:
    look = LOOKS[action]
    assert look.word
    assert not look.form or (TEMPLATES / "actions" / f"{look.form}.html").is_file()
    assert DONE[action]


def test_every_act_of_a_timeline_has_a_word() -> None:
    assert set(ACTS) == set(Action)


def test_whoever_is_waited_for_is_told_so_in_the_second_person() -> None:
    nobodys = {
        WaitReason.CHECKING_IMAGES,
        WaitReason.LATE_CHECKING,
        WaitReason.HOLD,
        WaitReason.WITH_PATIENT,
        WaitReason.NO_ACTIVE_LINK,
        WaitReason.OVER,
    }
    assert set(YOURS) == set(WaitReason) - nobodys
    assert all("you" in sentence.lower() for sentence in YOURS.values())
    assert all("%(reader)s" in sentence for sentence in NAMED.values())


async def test_every_state_is_somewhere_on_the_way_or_off_it(practice: Site) -> None:
    off = {State.REJECTED, State.CANCELLED, State.ENTERED_IN_ERROR}
    for state in State:
        assert bool(steps_of(state, looker(practice))) == (state not in off), state


async def test_a_clock_says_what_is_left_by_the_wall(practice: Site) -> None:
    state = opened(
        case_id="case_1", practice_id="p", patient_id="q", priority=Priority.URGENT, policy=DEFAULT_POLICY, now=MONDAY
    )
    assert clock_of(state, looker(practice, moment=MONDAY)).state == "not_started"
    running = state.model_copy(update={"clock": state.clock.start(MONDAY, Cause.SYSTEM)})
    shown = clock_of(running, looker(practice, moment=MONDAY + timedelta(hours=7)))
    assert shown.state == "running"
    assert shown.left == timedelta(hours=1)
    assert shown.level == "amber"
    assert shown.started is not None
    assert shown.amber_at == MONDAY + timedelta(hours=6.4)
    paused = state.model_copy(update={"clock": running.clock.pause(MONDAY + timedelta(hours=2), Cause.PRACTICE)})
    later = clock_of(paused, looker(practice, moment=MONDAY + timedelta(days=3)))
    assert later.state == "paused"
    assert later.left == timedelta(hours=6)


async def test_what_waits_is_the_same_for_a_row_and_for_a_count(practice: Site) -> None:
    """Every wait of the lifecycle, assigned and not, for every kind of person."""
    world = practice.world
    waits = {rule.reason: (rule.owner, state) for state, rule in STATES.items() if is_open(state)} | {
        WaitReason.IDENTITY_MISMATCH: (WaitOwner.PRACTICE, State.ATTENTION),
        WaitReason.IDENTITY_SECOND_PERSON: (WaitOwner.SECOND_PERSON, State.ATTENTION),
        WaitReason.HOLD: (WaitOwner.SYSTEM, State.SIGNED),
        WaitReason.NO_ACTIVE_LINK: (WaitOwner.NOBODY, State.RELEASED),
        WaitReason.LINK_LOCKED: (WaitOwner.PRACTICE, State.RELEASED),
        WaitReason.AMENDMENT_REQUESTED: (WaitOwner.RADIOLOGIST, State.SIGNED),
        WaitReason.LATE_CHECKING: (WaitOwner.SYSTEM, State.SIGNED),
        WaitReason.LATE_UNREADABLE: (WaitOwner.PRACTICE, State.RELEASED),
        WaitReason.LATE_IMAGES: (WaitOwner.RADIOLOGIST, State.RELEASED),
    }
    assert set(waits) == set(WaitReason) - {WaitReason.OVER}
    rows = [(world.add_case(), reason, reader) for reason in waits for reader in (None, "radiologist")]
    with world.database.write() as session:
        for row, reason, reader in rows:
            stored = session.get_one(Case, row.id)
            stored.wait_reason = reason
            stored.wait_owner, stored.state = waits[reason]
            stored.assignee_id = world.user_id(reader) if reader else None
            stored.approver_id = world.user_id("radiologist2") if reason is WaitReason.APPROVAL else None
    for name, person in world.people.items():
        with world.database.read() as session:
            seen, _ = worklist(session, person)
            owns = owns_practice(person, world.organizations["practice"])
            one_by_one = [
                row.id
                for row, held in seen
                if row.wait_reason != WaitReason.INTAKE and waits_for(row, held, is_owner=owns)
            ]
            assert len(one_by_one) == count_waiting(session, person), name


async def test_many_standings_are_those_of_each(practice: Site) -> None:
    world = practice.world
    patient = world.add_patient()
    rows = [world.add_case(patient) for _ in range(4)]
    with world.database.write() as session:
        for number, row in enumerate(rows):
            stored = session.get_one(Case, row.id)
            stored.state = State.IN_REVIEW if number else State.UNASSIGNED
            stored.assignee_id = world.user_id("radiologist") if number == 1 else None
    for person in world.people.values():
        with world.database.read() as session:
            stored_rows = [session.get_one(Case, row.id) for row in rows]
            together = standings_of(session, stored_rows, person)
            assert together == [standings_of(session, [row], person)[0] for row in stored_rows]
    radiologist = world.person("radiologist")
    with world.database.read() as session:
        stored_rows = [session.get_one(Case, row.id) for row in rows]
        held = [takers(radiologist, each) for each in standings_of(session, stored_rows, radiologist)]
    assert {taker.relation for taker in held[1]} == {"asg"}, "one's own case is not prior to itself"
    assert "prior" in {taker.relation for taker in held[2]}


@pytest.mark.parametrize("url", ["/", "/cases/case_1?part=head", "/?tab=pool"])
def test_paths_of_this_site_stay(url: str) -> None:
    assert same_site(url, "/fallback") == url


@pytest.mark.parametrize("url", ["", "//x", "/\\x", "\\x", "http://x", "x", "/a\nb", "/a\x00", "///x"])
def test_other_addresses_do_not(url: str) -> None:
    assert same_site(url, "/fallback") == "/fallback"


def test_a_report_on_a_page_writes_its_dates_as_its_reader_does() -> None:
    examination = {"modality": Modality.PANORAMIC, "acquired_on": date(2026, 11, 2)}
    told = {"recipient": "Dr Keller", "at": datetime(2026, 11, 2, 23, 30, tzinfo=UTC)}
    follow_up = {"text": "Check again", "follow_up": {"due_on": date(2027, 2, 1)}}
    content = ReportContent.model_validate(
        {"examination": examination, "communications": [told], "recommendations": [follow_up]}
    )
    german = "\n".join(section_texts(content, local_dates("Europe/Zurich", "de")).values())
    assert "2 Nov. 2026" in german
    assert "1 Feb. 2027" in german
    assert "3 Nov. 2026, 00:30 MEZ" in german, "the day and the hour of the reader's zone"
    assert "2026-11" not in german
