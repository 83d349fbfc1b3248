"""Every route names a policy: one that forgot to ask who may use it fails here, before anybody finds it."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import Mount

from infra.settings import Settings
from ui.app import create_app

OPEN = {"/openapi.json": "a description of the API, without data", "/static": "style sheets, scripts and icons"}
"""What needs no policy, and why."""


@pytest.fixture(scope="module", params=["embedded", "production"])
def routes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[RouteContext]:
    app = create_app(Settings(mode=request.param, home=tmp_path_factory.mktemp("routes")))
    return list(all_routes(app))


def all_routes(app: FastAPI) -> Iterator[RouteContext]:
    """Those of the application and of the applications mounted in it, below whatever wraps them."""
    for route in iter_route_contexts(app.routes):
        inner = route.original_route.app if isinstance(route.original_route, Mount) else None
        while inner is not None and not isinstance(inner, FastAPI):
            inner = getattr(inner, "_app", None)
        if inner is not None:
            yield from all_routes(inner)
        elif route.path not in OPEN:
            yield route


def policies_of(dependant: Dependant) -> set[str]:
    policy = getattr(dependant.call, "policy", None)
    found = {policy} if policy else set()
    for inner in dependant.dependencies:
        found |= policies_of(inner)
    return found


def named(route: RouteContext) -> set[str]:
    dependant = getattr(route, "dependant", None)
    return policies_of(dependant) if dependant is not None else set()


def test_every_route_names_a_policy(routes: list[RouteContext]) -> None:
    assert [f"{sorted(route.methods or ())} {route.path}" for route in routes if not named(route)] == []


def test_no_route_is_public_and_guarded_at_once(routes: list[RouteContext]) -> None:
    assert [route.path for route in routes if "public" in named(route) and len(named(route)) > 1] == []


def test_pages_and_programs_are_among_them(routes: list[RouteContext]) -> None:
    assert {"/", "/cases/{case_id}", "/patients", "/board", "/api/v1/cases"} <= {route.path for route in routes}


def test_a_route_without_a_policy_would_be_found() -> None:
    app = create_app(Settings())
    app.get("/forgotten")(lambda: None)
    forgotten = [route for route in iter_route_contexts(app.routes) if route.path == "/forgotten"]
    assert [named(route) for route in forgotten] == [set()]
