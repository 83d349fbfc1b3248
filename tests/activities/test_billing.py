"""The plan's places: a case takes one when it passes to the readers, once, and what is held takes none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.billing import BillingActivities
from schemas.lifecycle import Action
from schemas.messages import BillingInput, SystemStep
from schemas.state import IdentityStanding
from schemas.tables.case import Case
from schemas.tables.people import Plan
from tests.activities.records.steps import step, take
from tests.world import World, sqlite_world

CLEAN = IdentityStanding.MATCHED


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with sqlite_world(tmp_path) as made:
        yield made


def allow(world: World, cases: int | None, *, is_paid: bool = True) -> None:
    with world.database.write() as session:
        plan = session.get_one(Plan, world.organizations["practice"])
        plan.cases_per_month, plan.is_paid = cases, is_paid


def covered(world: World, row: Case) -> bool:
    return BillingActivities(world.database).check(BillingInput(case_id=row.id)).covered


def submitted(world: World, then: Action | None = None) -> Case:
    row = world.add_case()
    assert take(world, row.id, "dentist", Action.SUBMIT).applied
    if then is not None:
        assert step(world, row.id, SystemStep(action=then, identity=CLEAN)).applied
    return row


def test_held_cases_do_not_hold_one_another(world: World) -> None:
    """Two places, one taken, two cases held: the free place is for either."""
    allow(world, 2)
    submitted(world, Action.PASS_PROCESSING)
    first, second = (submitted(world, Action.HOLD_FOR_BILLING) for _ in range(2))
    assert take(world, first.id, "dentist", Action.RETRY_BILLING).applied
    assert covered(world, first)
    assert covered(world, second), "nobody has taken the place yet"
    assert step(world, first.id, SystemStep(action=Action.PASS_PROCESSING, identity=CLEAN)).applied
    assert not covered(world, second)


def test_a_case_that_needs_attention_takes_no_place(world: World) -> None:
    allow(world, 1)
    submitted(world, Action.HOLD_FOR_ATTENTION)
    assert covered(world, submitted(world))


def test_what_was_covered_once_stays_so_and_takes_one_place(world: World) -> None:
    """New images for a reader's question are no second case."""
    allow(world, 1)
    row = submitted(world, Action.PASS_PROCESSING)
    assert take(world, row.id, "radiologist", Action.CLAIM).applied
    assert take(world, row.id, "radiologist", Action.REQUEST_MODIFICATION, text="More?").applied
    world.add_file(row)
    assert take(world, row.id, "dentist", Action.ANSWER_MODIFICATION, text="Here.").new_images
    assert covered(world, row)
    allow(world, 0)
    assert covered(world, row)
    allow(world, 1)
    assert step(world, row.id, SystemStep(action=Action.RESUME_REVIEW, identity=CLEAN)).applied
    assert not covered(world, submitted(world))
    allow(world, 2)
    assert covered(world, submitted(world))


def test_a_cancelled_case_gives_its_place_back(world: World) -> None:
    allow(world, 1)
    row = submitted(world, Action.PASS_PROCESSING)
    other = submitted(world)
    assert not covered(world, other)
    assert take(world, row.id, "dentist", Action.CANCEL).applied
    assert covered(world, other)


def test_an_unpaid_plan_covers_nothing_and_one_without_a_limit_everything(world: World) -> None:
    allow(world, None)
    row = submitted(world)
    assert covered(world, row)
    allow(world, None, is_paid=False)
    assert not covered(world, row)
