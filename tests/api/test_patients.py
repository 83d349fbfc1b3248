"""A patient's details under cases that were let pass with them: no edit takes them away from their images (invariant 12)."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from activities.records.opening import demographics_of
from api.patient_edits import ImagesSayOtherwise, edit_patient
from schemas.clinical import Sex
from schemas.lifecycle import State
from schemas.messages import Actor
from schemas.state import IdentityStanding
from schemas.tables.case import Case
from schemas.tables.people import Patient
from schemas.tables.wires import AuditRow
from tests.checked_images import add_checked_image, put_through
from tests.world import World, sqlite_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with sqlite_world(tmp_path) as made:
        yield made


def edit(world: World, patient_id: str, **changes: Any) -> Patient:
    dentist = world.person("dentist")
    with world.database.read() as session:
        patient = session.get_one(Patient, patient_id)
        person = demographics_of(world.keys, patient).model_copy(update=changes)
    actor = Actor(user_id=dentist.user_id, role="dentist", relation="own", session_id=dentist.session_id)
    return edit_patient(
        world.database,
        world.keys,
        patient_id,
        patient.practice_id,
        person,
        revision=patient.revision,
        actor=actor,
    )


def edits(world: World, outcome: str) -> list[dict[str, str]]:
    with world.database.read() as session:
        wanted = select(AuditRow).where(AuditRow.act == "patient.edit", AuditRow.outcome == outcome)
        return [json.loads(row.detail) for row in session.exec(wanted.order_by(col(AuditRow.id))).all()]


def family_name(world: World, patient_id: str) -> str:
    with world.database.read() as session:
        return demographics_of(world.keys, session.get_one(Patient, patient_id)).family_name


def let_pass(world: World, state: State = State.IN_REVIEW, **image: str) -> Case:
    case = world.add_case(world.add_patient(patient_number="A-1", issuer="Practice"))
    add_checked_image(world, case, **{"number": "A-1", "issuer": "Practice", **image})
    put_through(world, case, state)
    return case


def test_the_record_cannot_be_turned_into_a_stranger_and_back(world: World) -> None:
    """The way round the two people: match the foreign images, be let pass, and put the patient back."""
    case = world.add_case()
    add_checked_image(world, case, name="Brandt^Zoe", born="19910203")
    edit(world, case.patient_id, family_name="Brandt", given_name="Zoe", birth_date=date(1991, 2, 3))
    put_through(world, case)
    with pytest.raises(ImagesSayOtherwise) as refused:
        edit(world, case.patient_id, family_name="Moreau", given_name="Anna", birth_date=date(1980, 5, 4))
    assert case.number in refused.value.detail
    assert family_name(world, case.patient_id) == "Brandt"


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"family_name": "Brandt"}, ("family_name",)),
        ({"given_name": "Zoe", "family_name": "Brandt"}, ("given_name", "family_name")),
        ({"birth_date": date(1980, 5, 5), "phone": "1"}, ("birth_date",)),
        ({"sex": Sex.MALE}, ("sex",)),
        ({"patient_number": "A-2"}, ("patient_number",)),
    ],
)
def test_each_part_of_the_identity_is_held_by_the_images(
    world: World, changes: dict[str, Any], fields: tuple[str, ...]
) -> None:
    case = let_pass(world)
    with pytest.raises(ImagesSayOtherwise) as refused:
        edit(world, case.patient_id, **changes)
    assert refused.value.fields == fields
    assert edits(world, "done") == []
    (denial,) = edits(world, "denied")
    assert denial == {"code": "images_say_otherwise", "cases": case.id, "fields": " ".join(fields)}


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"given_name": "Anna Maria"}, "given_name"),
        ({"family_name": "Moreaux"}, "family_name"),
        ({"sex": Sex.UNKNOWN}, "sex"),
        ({"patient_number": "", "issuer": ""}, "patient_number issuer"),
        ({"phone": "+41 44 000", "notes": "Penicillin."}, "phone notes"),
        ({}, ""),
    ],
)
def test_what_the_images_tolerate_is_saved_and_the_fields_are_named_without_their_values(
    world: World, changes: dict[str, Any], fields: str
) -> None:
    case = let_pass(world)
    edit(world, case.patient_id, **changes)
    assert edits(world, "done") == [{"fields": fields}]


@pytest.mark.parametrize("state", [State.DRAFT, State.ATTENTION, State.CANCELLED, State.CLOSED])
def test_a_case_that_is_compared_later_or_is_over_holds_nothing(world: World, state: State) -> None:
    case = let_pass(world, state)
    edit(world, case.patient_id, family_name="Brandt")
    assert family_name(world, case.patient_id) == "Brandt"


@pytest.mark.parametrize(
    "state", [State.PROCESSING, State.BILLING_HOLD, State.UNASSIGNED, State.SIGNED, State.RELEASED]
)
def test_every_other_case_holds_the_identity(world: World, state: State) -> None:
    case = let_pass(world, state)
    with pytest.raises(ImagesSayOtherwise):
        edit(world, case.patient_id, family_name="Brandt")


def test_a_signed_case_names_its_own_way_out(world: World) -> None:
    case = let_pass(world, State.SIGNED)
    with world.database.write() as session:
        session.get_one(Case, case.id).version = 1
    with pytest.raises(ImagesSayOtherwise, match="withdraw the report"):
        edit(world, case.patient_id, family_name="Brandt")


def test_every_image_counts_and_every_case_is_named(world: World) -> None:
    """The first image of the set has no birth date; the last one has."""
    case = let_pass(world, born="")
    other = world.add_case(world_patient(world, case))
    for born in ("", "19800504"):
        add_checked_image(world, other, born=born)
    put_through(world, other)
    with pytest.raises(ImagesSayOtherwise) as refused:
        edit(world, case.patient_id, birth_date=date(1980, 5, 5))
    assert [each.case_id for each in refused.value.found] == [other.id]
    with pytest.raises(ImagesSayOtherwise) as refused:
        edit(world, case.patient_id, family_name="Brandt")
    assert {case.number, other.number} == set(refused.value.numbers.split(", "))


def world_patient(world: World, case: Case) -> Patient:
    with world.database.read() as session:
        return session.get_one(Patient, case.patient_id)


def test_what_two_people_agreed_to_stays_agreed(world: World) -> None:
    case = let_pass(world, name="Brandt^Zoe")
    put_through(world, case, standing=IdentityStanding.OVERRIDDEN)
    edit(world, case.patient_id, family_name="Morel")
    with pytest.raises(ImagesSayOtherwise):
        edit(world, case.patient_id, birth_date=date(1980, 5, 5))
