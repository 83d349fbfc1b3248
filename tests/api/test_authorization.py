"""Authorization over HTTP, made from the matrix: every route with a case in its path × every kind of person × every state.

The expectation is written here from ``schemas.access`` and ``schemas.lifecycle`` alone; the answers are the running
application's. Temporal is away, so a command that is allowed gets as far as "the engine cannot be reached".
"""

import itertools
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from activities.records.projection import project, state_of
from infra.database import now
from infra.migrate import upgrade
from infra.settings import Settings
from schemas.access import Member, OrganizationKind, Person, Right, Verdict, may, verdict
from schemas.forms import ACTION_FORMS, FreshForm
from schemas.ids import new_id
from schemas.lifecycle import TRANSITIONS, Action, Relation, Role, State, Taker, WaitReason, takers_of
from schemas.tables.case import Case
from schemas.tables.people import Membership, User
from tests.api.live import PASSWORD, Live, set_passwords
from tests.api.test_policies import all_routes, named
from tests.world import World, populate
from ui.app import create_app

ANONYMOUS = "nobody"
PEOPLE = (
    "dentist",
    "staff",
    "practice_scheduler",
    "dentist2",
    "radiologist",
    "radiologist2",
    "radiologist3",
    "scheduler",
    "admin",
    ANONYMOUS,
)
"""radiologist has the case where somebody has it, radiologist2 is its named approver, radiologist3 is neither."""

UNASSIGNED = {State.DRAFT, State.PROCESSING, State.ATTENTION, State.BILLING_HOLD, State.UNASSIGNED, State.CANCELLED}
SCHEDULING = takers_of(Action.ASSIGN)
NOT_CASES = {"/api/v1/cases/{case_id}/actions/{action}", "/cases/{case_id}/actions/{action}"}
"""Asked about an action each, below."""

Rule = Callable[[frozenset[Taker], State], bool]
OWN_DENTIST = Taker(Role.DENTIST, Relation.OWN)
SPECIAL: dict[str, Rule] = {
    "case: any relation": lambda held, state: True,
    "case: chat or chat_logistics": lambda held, state: (
        may(Right.CHAT, held, state) or may(Right.CHAT_LOGISTICS, held, state)
    ),
    "case: see_images or upload": lambda held, state: (
        may(Right.SEE_IMAGES, held, state) or may(Right.UPLOAD, held, state)
    ),
    "case: assigns or names an approver": lambda held, state: bool(
        held & (SCHEDULING | takers_of(Action.SUBMIT_FOR_APPROVAL))
    ),
    "case: own dentist": lambda held, state: OWN_DENTIST in held,
    "administrator": lambda held, state: any(taker.role is Role.ADMIN for taker in held),
}


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    policies: frozenset[str]

    def allows(self, held: frozenset[Taker], state: State) -> bool:
        for policy in self.policies - {"signed in", "case: any relation"}:
            name = policy.removeprefix("case: ")
            rule = SPECIAL.get(policy)
            if not (rule(held, state) if rule else may(Right(name), held, state)):
                return False
        return True

    @property
    def may_be_missing(self) -> bool:
        """An allowed request may find nothing: its child's id is invented, no report is signed, no workflow runs."""
        return self.path.count("{") > 1 or self.path.endswith(("/report.pdf", "/trace/temporal"))

    def url(self, case_id: str) -> str:
        return re.sub(r"{\w+}", "msg_" + "0" * 30, self.path.replace("{case_id}", case_id))


def case_routes(app: FastAPI) -> Iterator[Route]:
    for route in all_routes(app):
        if "{case_id}" in route.path and route.path not in NOT_CASES:
            for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
                yield Route(method, route.path, frozenset(named(route)))


@dataclass
class Hall:
    """The application without an engine, and one case in each state."""

    live: Live
    cases: dict[State, str]

    @property
    def world(self) -> World:
        return self.live.world

    def held(self, name: str, state: State) -> frozenset[Taker]:
        return frozenset() if name == ANONYMOUS else self.world.held(name, self.world.case(self.cases[state]))

    def client(self, name: str) -> httpx.AsyncClient:
        client = self.live.client(None if name == ANONYMOUS else name)
        if name == ANONYMOUS:
            # As a browser of this very site, so that it is the missing session that is answered and not the origin.
            client.headers["Origin"] = str(client.base_url).rstrip("/")
        return client


def put_into(world: World, case_id: str, state: State) -> None:
    """The case as it would stand in that state, with its reader and approver where it has them."""
    with world.database.write() as session:
        row = session.get_one(Case, case_id)
        before = state_of(row)
        read = state not in UNASSIGNED
        wait = before.wait.model_copy(
            update={"reason": WaitReason.IDENTITY_SECOND_PERSON if state is State.ATTENTION else before.wait.reason}
        )
        changes = {
            "state": state,
            "wait": wait,
            "assignee_id": world.user_id("radiologist") if read else None,
            "approver_id": world.user_id("radiologist2") if read else None,
        }
        project(row, before.model_copy(update=changes), now())


def add_radiologist(world: World, name: str) -> None:
    """Another radiologist of the group, who has nothing to do with the cases."""
    user_id, group = new_id("usr"), world.organizations["group"]
    with world.database.write() as session:
        session.add(User(id=user_id, email=f"{name}@demo.test", name=name, password_hash="", created_at=now()))
        session.flush()
        session.add(
            Membership(
                id=new_id("mem"), user_id=user_id, organization_id=group, role=Role.RADIOLOGIST, created_at=now()
            )
        )
    member = Member(group, OrganizationKind.READING_GROUP, Role.RADIOLOGIST)
    world.people[name] = Person(user_id=user_id, session_id=new_id("ses"), members=(member,))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    home: Path = tmp_path_factory.mktemp("hall")
    settings = Settings(home=home, temporal_address="127.0.0.1:9", argon2_memory_kib=8, argon2_time_cost=1)
    upgrade(settings)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        services = app.state.services
        world = populate(services.database, services.keys)
        add_radiologist(world, "radiologist3")
        set_passwords(world, services.passwords.hash(PASSWORD))
        live = Live(app, world, settings, {})
        async with live.client() as client:
            for name in world.people:
                body = {"email": f"{name}@demo.test", "password": PASSWORD}
                live.tokens[name] = (await client.post("/api/v1/auth/token", json=body)).json()["token"]
        cases = {}
        for state in State:
            cases[state] = world.add_case().id
            put_into(world, cases[state], state)
        yield Hall(live, cases)


async def test_every_route_answers_every_person_in_every_state_as_the_matrix_says(hall: Hall) -> None:
    routes = list(case_routes(hall.live.app))
    wrong: list[str] = []
    seen: Counter[str] = Counter()
    for name in PEOPLE:
        async with hall.client(name) as client:
            for state in State:
                held = hall.held(name, state)
                for route in routes:
                    answer = await client.request(route.method, route.url(hall.cases[state]), json={})
                    expected = _expected(name, held, allowed=route.allows(held, state))
                    seen[expected] += 1
                    if not _fits(expected, answer, may_be_missing=route.may_be_missing):
                        wrong.append(
                            f"{name} {route.method} {route.path} in {state}: {answer.status_code}, not {expected}"
                        )
    assert not wrong, f"{len(wrong)} wrong\n" + "\n".join(wrong)
    assert sum(seen.values()) > 2000
    assert min(seen.values()) > 100, seen


def _expected(name: str, held: frozenset[Taker], *, allowed: bool) -> str:
    if name == ANONYMOUS:
        return "unknown person"
    if not held:
        return "not there"
    return "allowed" if allowed else "forbidden"


def _fits(expected: str, answer: httpx.Response, *, may_be_missing: bool) -> bool:
    """An allowed request may still fail, for its body is empty."""
    status = answer.status_code
    if expected == "unknown person":
        return status == 401 or (status == 303 and "/sign-in" in answer.headers.get("location", ""))
    if expected == "allowed":
        return status not in {401, 403} and (status != 404 or may_be_missing)
    return status == {"not there": 404, "forbidden": 403}[expected]


ONE_FORM: dict[str, Any] = {
    "reason": "x",
    "text": "x",
    "radiologist_id": "usr_" + "0" * 30,
    "approver_id": "usr_" + "0" * 30,
    "grant_id": "grt_" + "0" * 30,
    "kind": "appended",
    "password": PASSWORD,
}


async def test_every_action_answers_every_person_in_every_state_as_the_table_says(hall: Hall) -> None:
    wrong: list[str] = []
    seen: Counter[str] = Counter()
    for name in PEOPLE:
        async with hall.client(name) as client:
            for state, action in itertools.product(State, ACTION_FORMS):
                held = hall.held(name, state)
                fields = ACTION_FORMS[action].model_fields
                answer = await client.post(
                    f"/api/v1/cases/{hall.cases[state]}/actions/{action}",
                    json={field: value for field, value in ONE_FORM.items() if field in fields},
                    headers={"Idempotency-Key": f"{name}-{state}-{action}"},
                )
                expected = _expected_of_action(name, held, action, state)
                seen[expected] += 1
                if _STATUS[expected] != answer.status_code:
                    wrong.append(
                        f"{name} {action} in {state}: {answer.status_code}, not {expected}: {answer.text[:80]}"
                    )
    assert not wrong, f"{len(wrong)} wrong\n" + "\n".join(wrong)
    assert sum(seen.values()) > 2000
    assert set(seen) == set(_STATUS)


_STATUS = {"unknown person": 401, "not there": 404, "forbidden": 403, "not now": 409, "allowed": 503}


def _expected_of_action(name: str, held: frozenset[Taker], action: Action, state: State) -> str:
    if name == ANONYMOUS:
        return "unknown person"
    if not held:
        return "not there"
    is_owner = name in {"dentist", "dentist2"}
    return {Verdict.ALLOWED: "allowed", Verdict.FORBIDDEN: "forbidden", Verdict.NOT_NOW: "not now"}[
        verdict(action, held, state, is_owner=is_owner)
    ]


def test_the_forms_of_the_table_ask_for_a_password_where_it_says_fresh() -> None:
    for row in TRANSITIONS:
        if not row.by_system:
            assert issubclass(ACTION_FORMS[row.action], FreshForm) == row.fresh, row.action
