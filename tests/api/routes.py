"""The routes that the application has, those of applications mounted in it too, each with the policies that it names."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import Mount

OPEN = {
    "/openapi.json": "a description of the API, without data",
    "/static": "style sheets, scripts and icons",
    "/ohif": "the advanced viewer's scripts, without data",
}
"""What needs no policy, and why."""

Overrides = Mapping[Callable[..., Any], Callable[..., Any]]


@dataclass(frozen=True)
class Route:
    """One method of one address. ``path`` is whole, as the application at the root sees it."""

    method: str
    path: str
    policies: frozenset[str]

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({', '.join(sorted(self.policies)) or 'no policy'})"

    @property
    def parameters(self) -> frozenset[str]:
        return frozenset(name for _, name, _, _ in Formatter().parse(self.path) if name)


def routes_of(app: FastAPI, prefix: str = "") -> Iterator[Route]:
    for route in iter_route_contexts(app.routes):
        path = prefix + (route.path or "")
        inner = route.original_route.app if isinstance(route.original_route, Mount) else None
        while inner is not None and not isinstance(inner, FastAPI):
            inner = getattr(inner, "_app", None)
        if inner is not None:
            yield from routes_of(inner, path)
        elif path not in OPEN:
            named = _named(route, app.dependency_overrides)
            for method in sorted(route.methods or {"?"}):
                yield Route(method, path, named)


def _named(route: RouteContext, overrides: Overrides) -> frozenset[str]:
    dependant = getattr(route, "dependant", None)
    return frozenset(_policies_of(dependant, overrides)) if dependant is not None else frozenset()


def _policies_of(dependant: Dependant, overrides: Overrides) -> Iterator[str]:
    """Of what is asked for, and of what an application has put in its place."""
    instead = overrides.get(dependant.call) if dependant.call else None
    if instead is not None:
        dependant = get_dependant(path=dependant.path or "/", call=instead)
    policy = getattr(dependant.call, "policy", None)
    if policy:
        yield policy
    for inner in dependant.dependencies:
        yield from _policies_of(inner, overrides)
