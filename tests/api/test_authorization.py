"""Authorization over HTTP, made from the matrix: every route of the application × every kind of person × every state.

The expectations are written in ``tests.api.kinds`` from ``schemas.access`` and ``schemas.lifecycle`` alone; the answers
are the running application's.
"""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from api.deps import SESSION_COOKIE
from schemas.access import Right, Verdict, may, verdict
from schemas.forms import ACTION_FORMS, FreshForm
from schemas.lifecycle import TRANSITIONS, Action, State
from tests.api.asking import ask
from tests.api.hall import PEOPLE, WITHOUT_SESSION, Hall, open_hall
from tests.api.kinds import Expected, Question, UnknownKind, cells, questions
from tests.api.live import PASSWORD
from tests.api.routes import Route, routes_of


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    async with open_hall(tmp_path_factory.mktemp("hall")) as made:
        yield made


async def wrong_answer(hall: Hall, question: Question) -> str | None:
    """What is wrong with the application's answer, if anything is."""
    answer = await ask(
        hall.app,
        question.route.method,
        question.url,
        (hall.headers(question.who) if question.who in PEOPLE else {}) | dict(question.headers),
        fields=None if question.route.method in {"GET", "HEAD"} else question.fields,
        as_form=question.as_form,
    )
    return None if question.is_answered_by(answer) else question.told(answer)


@pytest.mark.timeout(900)  # some ten thousand questions
async def test_every_route_answers_every_kind_of_person_as_its_policy_says(hall: Hall) -> None:
    wrong: list[str] = []
    seen: Counter[Expected] = Counter()
    for route in routes_of(hall.app):
        for question in questions(hall, route):
            seen[question.expected] += 1
            found = await wrong_answer(hall, question)
            wrong += [found] if found else []
    assert not wrong, f"{len(wrong)} wrong\n" + "\n".join(wrong)
    assert sum(seen.values()) > 2000
    assert all(seen[expected] > 20 for expected in Expected), seen


@pytest.mark.parametrize(
    "route",
    [
        Route("GET", "/forgotten", frozenset()),
        Route("GET", "/api/v1/new", frozenset({"signed in", "a policy of its own"})),
        Route("GET", "/api/v1/cases/{case_id}/new", frozenset({"signed in", "case: any relation", "case: own cat"})),
        Route("GET", "/api/v1/invoices/{invoice_id}", frozenset({"signed in"})),
        Route("GET", "/api/v1/invoices/{invoice_id}", frozenset({"signed in", "practice: billing"})),
        Route("GET", "/api/v1/cases/{case_id}", frozenset({"signed in"})),
    ],
    ids=str,
)
def test_a_route_of_a_kind_that_nobody_described_fails_by_name(hall: Hall, route: Route) -> None:
    with pytest.raises(UnknownKind, match=re.escape(route.path)):
        list(questions(hall, route))


ONE_FORM: dict[str, Any] = {
    "reason": "x",
    "text": "x",
    "radiologist_id": "usr_" + "0" * 30,
    "approver_id": "usr_" + "0" * 30,
    "grant_id": "grt_" + "0" * 30,
    "kind": "appended",
    "password": PASSWORD,
    "draft_hash": "0" * 64,
    "image_set": 1,
}
_BY_VERDICT = {
    Verdict.ALLOWED: Expected.ALLOWED,
    Verdict.FORBIDDEN: Expected.FORBIDDEN,
    Verdict.NOT_NOW: Expected.NOT_NOW,
}


def questions_about(hall: Hall, action: Action) -> Iterator[Question]:
    route = Route("POST", "/api/v1/cases/{case_id}/actions/{action}", frozenset({"case: any relation", "signed in"}))
    fields = ACTION_FORMS[action].model_fields
    form = {name: value for name, value in ONE_FORM.items() if name in fields}

    def answer(who: str, state: State) -> Expected:
        if who in WITHOUT_SESSION:
            return Expected.SIGN_IN
        held = hall.held(who, state)
        if not held:
            return Expected.NOT_THERE
        return _BY_VERDICT[verdict(action, held, state, is_owner=hall.is_owner(who))]

    for who, state, expected in cells(answer):
        url = route.path.format(case_id=hall.things[state].case_id, action=action)
        headers = {"Idempotency-Key": f"{who}-{state}-{action}"}
        yield Question(who, route, url, expected, f"{action} in {state}", headers, form)


async def test_every_action_answers_every_kind_of_person_in_every_state_as_the_table_says(hall: Hall) -> None:
    wrong: list[str] = []
    seen: Counter[Expected] = Counter()
    for action in ACTION_FORMS:
        for question in questions_about(hall, action):
            seen[question.expected] += 1
            found = await wrong_answer(hall, question)
            wrong += [found] if found else []
    assert not wrong, f"{len(wrong)} wrong\n" + "\n".join(wrong)
    assert sum(seen.values()) > 1000
    assert set(seen) == set(Expected) - {Expected.BOTH_FACTORS}


async def test_lists_hold_what_there_is_for_each_person_and_nothing_else(hall: Hall) -> None:
    for who in PEOPLE:
        if who in WITHOUT_SESSION:
            continue
        cases = {thing.case_id: state for state, thing in hall.things.items()}
        listed = await ask(hall.app, "GET", "/api/v1/cases?limit=200", hall.headers(who))
        # Drafts that the questions opened are among the practice's own.
        found = {item["id"] for item in json.loads(listed.body)["items"]} & set(cases)
        assert found == {case_id for case_id, state in cases.items() if hall.held(who, state)}, who
        studies = json.loads((await ask(hall.app, "GET", "/dicomweb/studies", hall.headers(who))).body)
        assert {study["0020000D"]["Value"][0] for study in studies} == {
            thing.study for state, thing in hall.things.items() if may(Right.SEE_IMAGES, hall.held(who, state), state)
        }, who


@pytest.mark.parametrize(
    "marks",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://elsewhere.test"}, {}],
    ids=["another site", "a neighbour of this site", "another origin", "no origin"],
)
async def test_no_route_changes_anything_for_another_site(hall: Hall, marks: dict[str, str]) -> None:
    """The browser brings the session's cookie along, whoever sent it here."""
    headers = {"Cookie": f"{SESSION_COOKIE}={hall.live.tokens['dentist']}", **marks}
    accepted = []
    for route in routes_of(hall.app):
        # A program signs in without a browser's marks, and has no cookie that another site could use.
        if route.method in {"GET", "HEAD", "OPTIONS"} or (not marks and route.path == "/api/v1/auth/token"):
            continue
        url = route.path.format(**dict.fromkeys(route.parameters, "x"))
        answer = await ask(hall.app, route.method, url, headers, fields={})
        if answer.status != 403 or json.loads(answer.body)["code"] != "cross_site":
            accepted.append(f"{route}: {answer.status}")
    assert accepted == []


def test_the_forms_of_the_table_ask_for_a_password_where_it_says_fresh() -> None:
    for row in TRANSITIONS:
        if not row.by_system:
            assert issubclass(ACTION_FORMS[row.action], FreshForm) == row.fresh, row.action
