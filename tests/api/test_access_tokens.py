"""Access tokens: each opens what it was made for, until its end, and nothing else of what its person may do."""

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from infra.access_tokens import MOST_TOKENS
from infra.database import now
from schemas.lifecycle import State
from schemas.tables.people import Session
from schemas.token_forms import Scope
from tests.api.asking import Answer, ask
from tests.api.hall import Hall, open_hall
from tests.api.live import PASSWORD
from tests.api.routes import Route, routes_of


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    async with open_hall(tmp_path_factory.mktemp("hall")) as made:
        yield made


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def guarded(hall: Hall) -> list[Route]:
    """Every route for people who are signed in."""
    return [route for route in routes_of(hall.app) if "signed in" in route.policies]


async def asked(hall: Hall, route: Route, token: str) -> Answer:
    thing = hall.things[State.MODIFICATION_REQUESTED]
    values = dict.fromkeys(route.parameters, "x") | {"case_id": thing.case_id, "study": thing.study}
    values |= {"series": thing.series, "instance": thing.instance, "frame": "1", "frames": "1"}
    values |= {"patient_id": hall.patient_id, "file_id": thing.file_id}
    return await ask(hall.app, route.method, route.path.format(**values), bearer(token), fields={})


@pytest.mark.parametrize("scope", [Scope.IMAGES_READ, Scope.IMAGES_WRITE, Scope.UPLOADS])
async def test_a_narrow_token_opens_what_is_listed_and_no_other_route(hall: Hall, scope: Scope) -> None:
    token = hall.access_token("dentist", scope).token
    opened = {
        str(route).split(" (")[0]
        for route in guarded(hall)
        if (await asked(hall, route, token)).status not in {401, 403}
    }
    read = {
        f"{method} {path}"
        for method, path in (route.split() for route in opened)
        if "/dicomweb/" in path or path == "/api/v1/me" or path.startswith("/api/v1/cases/{case_id}/files")
    }
    if scope is Scope.IMAGES_READ:
        assert opened == read
        assert {route.split()[0] for route in opened} == {"GET", "HEAD"}
        everything = {str(route).split(" (")[0] for route in guarded(hall) if "/dicomweb/" in route.path}
        assert {route for route in everything if not route.startswith("POST")} <= opened
    elif scope is Scope.IMAGES_WRITE:
        assert all(
            re.fullmatch(r"POST (/cases/\{case_id\})?/dicomweb/studies(/\{study\})?", route)
            for route in opened - {"GET /api/v1/me"}
        )
    else:
        assert opened == {
            "GET /api/v1/me",
            "POST /api/v1/uploads",
            "HEAD /api/v1/uploads/{upload_id}",
            "PATCH /api/v1/uploads/{upload_id}",
            "DELETE /api/v1/uploads/{upload_id}",
            "POST /api/v1/cases/{case_id}/files/settled",
        }


async def test_a_token_to_read_changes_nothing(hall: Hall) -> None:
    token = hall.access_token("dentist", Scope.IMAGES_READ).token
    unsafe = [route for route in guarded(hall) if route.method not in {"GET", "HEAD", "OPTIONS"}]
    assert len(unsafe) > 50
    for route in unsafe:
        assert (await asked(hall, route, token)).status == 403, route


async def test_a_token_for_everything_is_worth_a_sign_in_until_it_ends(hall: Hall) -> None:
    made = hall.access_token("dentist", Scope.ALL)
    assert (await ask(hall.app, "GET", "/api/v1/cases", bearer(made.token))).status == 200
    with hall.world.database.write() as session:
        session.get_one(Session, made.id).expires_at = now() - timedelta(seconds=1)
    assert (await ask(hall.app, "GET", "/api/v1/cases", bearer(made.token))).status == 401


async def test_a_token_is_made_with_the_password_shown_once_and_revoked_by_its_person(hall: Hall) -> None:
    form = {"label": "archive", "scopes": ["images:read"], "days": 90, "password": PASSWORD}

    async def make(who: str, **changed: object) -> Answer:
        return await ask(hall.app, "POST", "/api/v1/auth/tokens", hall.headers(who), fields=form | changed)

    assert (await make("staff", password="wrong")).status == 403
    wrong: list[dict[str, object]] = [{"days": 91}, {"scopes": []}, {"scopes": ["everything"]}, {"label": " "}]
    for changed in wrong:
        assert (await make("staff", **changed)).status == 422
    made = json.loads((await make("staff")).body)
    assert (made["scopes"], made["label"]) == (["images:read"], "archive")
    listed = await ask(hall.app, "GET", "/api/v1/auth/tokens", hall.headers("staff"))
    assert [item["id"] for item in json.loads(listed.body)["items"]] == [made["id"]]
    assert made["token"].encode() not in listed.body
    # A token cannot make or see others, and nobody else revokes it.
    for method, url in (("GET", "/api/v1/auth/tokens"), ("DELETE", f"/api/v1/auth/tokens/{made['id']}")):
        assert (await ask(hall.app, method, url, bearer(made["token"]))).status == 403
    url = f"/api/v1/auth/tokens/{made['id']}"
    assert (await ask(hall.app, "DELETE", url, hall.headers("dentist"))).status == 404
    assert (await ask(hall.app, "GET", "/dicomweb/studies", bearer(made["token"]))).status == 200
    assert (await ask(hall.app, "DELETE", url, hall.headers("staff"))).status == 204
    over = await ask(hall.app, "GET", "/dicomweb/studies", bearer(made["token"]))
    assert (over.status, json.loads(over.body)["code"]) == (401, "token_invalid")
    assert over.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    nobody = await ask(hall.app, "GET", "/dicomweb/studies", {})
    assert (nobody.status, json.loads(nobody.body)["code"]) == (401, "not_signed_in")


async def test_nobody_gathers_tokens_without_end(hall: Hall) -> None:
    form = {"label": "one of many", "scopes": ["uploads"], "password": PASSWORD}
    headers = hall.headers("associate")
    for _ in range(MOST_TOKENS):
        assert (await ask(hall.app, "POST", "/api/v1/auth/tokens", headers, fields=form)).status == 201
    refused = await ask(hall.app, "POST", "/api/v1/auth/tokens", headers, fields=form)
    assert (refused.status, json.loads(refused.body)["code"]) == (409, "too_many_tokens")
