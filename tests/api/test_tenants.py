"""Each list keeps to its own practice by itself, whatever is looked at once more behind it: its page and its cursor too."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.listing import CaseFilter, list_cases, search_cases, with_standing, worklist
from api.patients import find_patients, load_patient
from api.realms import Realm
from api.users import find_users
from infra.database import now
from schemas.errors import NotFound
from schemas.ids import new_id
from schemas.lifecycle import Role
from schemas.people_forms import UserSearch
from schemas.tables.case import Case
from schemas.tables.people import Membership
from tests.world import World, sqlite_world

MORNING = datetime(2026, 11, 2, 9, tzinfo=UTC)
STRANGER = "dentist2"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with sqlite_world(tmp_path) as made:
        yield made


@pytest.fixture
def ours(world: World) -> list[str]:
    """Two old cases of the second practice; the first practice has newer and more urgent ones, before and between them."""
    for hour in range(5):
        world.add_case(at=MORNING + timedelta(hours=hour))
    mine = [world.add_case(at=MORNING + timedelta(minutes=minute)).id for minute in (1, 90)]
    with world.database.write() as session:
        for case_id in mine:
            session.get_one(Case, case_id).practice_id = world.organizations["practice2"]
    return mine


def test_a_page_is_filled_with_ones_own_cases_and_ends_with_them(world: World, ours: list[str]) -> None:
    with world.database.read() as session:
        rows, following = list_cases(session, world.person(STRANGER), CaseFilter(limit=2))
        assert ([row.id for row, _ in rows], following) == (ours[::-1], None)
        rows, place = worklist(session, world.person(STRANGER), limit=2)
        assert ([row.id for row, _ in rows], place) == (ours, "")


def test_a_search_by_number_is_among_ones_own_cases(world: World, ours: list[str]) -> None:
    with world.database.read() as session:
        own, foreign = session.get_one(Case, ours[0]), world.add_case()
        person = world.person(STRANGER)
        assert [row.id for row, _ in search_cases(session, world.keys, person, own.number)] == [own.id]
        assert search_cases(session, world.keys, person, foreign.number) == []


def test_a_row_to_which_somebody_stands_in_no_way_is_left_out(world: World) -> None:
    foreign = world.add_case()
    with world.database.read() as session:
        assert with_standing(session, world.person(STRANGER), [session.get_one(Case, foreign.id)]) == []


def test_patients_are_those_of_the_practice_with_and_without_words(world: World) -> None:
    world.add_patient("practice")
    mine = world.add_patient("practice2")
    second = world.organizations["practice2"]
    with world.database.read() as session:
        assert [patient.id for patient in find_patients(session, world.keys, second)] == [mine.id]
        with pytest.raises(NotFound):
            load_patient(session, mine.id, [world.organizations["practice"]])


def test_an_owner_learns_of_no_other_organization_of_their_people(world: World) -> None:
    """Neither from what is shown nor from what a search finds."""
    with world.database.write() as session:
        session.add(
            Membership(
                id=new_id("mem"),
                user_id=world.user_id("staff"),
                organization_id=world.organizations["practice2"],
                role=Role.STAFF,
                created_at=now(),
            )
        )
    owner = Realm(world.person("dentist"), world.organizations["practice"])
    with world.database.read() as session:
        names = {
            member.organization
            for user in find_users(session, Realm(world.person("admin")), UserSearch())[0]
            for member in user.memberships
            if member.organization_id == world.organizations["practice2"]
        }
        (elsewhere,) = names
        assert find_users(session, owner, UserSearch(text=elsewhere))[0] == []
        everybody = find_users(session, owner, UserSearch())[0]
        assert {member.organization_id for user in everybody for member in user.memberships} == {owner.organization_id}
