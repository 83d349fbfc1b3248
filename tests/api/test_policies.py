"""Every route names a policy: one that forgot to ask who may use it fails here, before anybody finds it."""

from pathlib import Path

import pytest

from infra.settings import Settings
from tests.api.policies import PAGE, decided, found
from tests.api.routes import Route, routes_of
from ui.app import create_app


@pytest.fixture(scope="module", params=["embedded", "production"])
def routes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Route]:
    return list(routes_of(create_app(Settings(mode=request.param, home=tmp_path_factory.mktemp("routes")))))


def test_every_route_names_a_policy(routes: list[Route]) -> None:
    assert [str(route) for route in routes if not route.policies] == []


def test_every_route_has_the_policy_that_was_decided(routes: list[Route]) -> None:
    """In production some of the embedded mode's routes are not there; none has another policy."""
    unlike = sorted(set(found(routes)) - set(decided()))
    assert not unlike, f"not as in {PAGE.name} (if it is meant so: python -m tests.api.policies): {unlike}"


def test_the_page_of_policies_names_no_route_that_is_gone(tmp_path: Path) -> None:
    assert set(decided()) == set(found(list(routes_of(create_app(Settings(home=tmp_path))))))


def test_no_route_is_public_and_guarded_at_once(routes: list[Route]) -> None:
    assert [str(route) for route in routes if "public" in route.policies and len(route.policies) > 1] == []


def test_pages_programs_and_mounted_images_are_among_them(routes: list[Route]) -> None:
    known = {"/", "/cases/{case_id}", "/patients", "/board", "/api/v1/cases", "/r/{token}/dicomweb/studies"}
    assert known <= {route.path for route in routes}


def test_a_patients_images_are_behind_the_links_factors_and_not_behind_a_session(routes: list[Route]) -> None:
    mounted = [route for route in routes if route.path.startswith("/r/{token}/dicomweb")]
    assert mounted
    assert {policy for route in mounted for policy in route.policies} == {"release link: both factors"}


def test_a_route_without_a_policy_would_be_found() -> None:
    app = create_app(Settings())
    app.get("/forgotten")(lambda: None)
    assert [route.policies for route in routes_of(app) if route.path == "/forgotten"] == [frozenset()]
