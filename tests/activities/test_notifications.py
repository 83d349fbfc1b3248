"""Who is told: those whom a step concerns, and nobody for whom the case does not exist."""

from pathlib import Path

from activities.notifications import people_of
from activities.records.projection import project, state_of
from infra.database import now
from schemas.lifecycle import State
from schemas.state import Audience
from schemas.tables.case import Case
from tests.world import sqlite_world


def test_a_draft_is_the_practices_affair_and_later_the_groups_too(tmp_path: Path) -> None:
    with sqlite_world(tmp_path) as world:
        row = world.add_case()
        with world.database.write() as session:
            case = session.get_one(Case, row.id)
            told = {user.id for user in people_of(session, case, Audience.SCHEDULERS)}
            assert told == {world.user_id("practice_scheduler")}
            project(case, state_of(case).model_copy(update={"state": State.UNASSIGNED}), now())
            told = {user.id for user in people_of(session, case, Audience.SCHEDULERS)}
            assert told == {world.user_id("practice_scheduler"), world.user_id("scheduler")}
