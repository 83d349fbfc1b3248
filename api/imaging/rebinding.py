"""The same routes for another kind of requester.

FastAPI's ``dependency_overrides`` would do it, too, and look at the signatures of all dependencies anew with each request:
that takes longer than to serve a frame.
"""

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Annotated, Any, Final, get_args

from fastapi import APIRouter
from fastapi.params import Depends
from fastapi.routing import APIRoute

from api.imaging.access import image_access

Call = Callable[..., Any]


def for_requesters(routers: Iterable[APIRouter], access: Call) -> APIRouter:
    """Their routes, which ask ``access`` where they asked ``image_access``."""
    rebinding = _Rebinding(access)
    made = APIRouter()
    for router in routers:
        for route in router.routes:
            if not isinstance(route, APIRoute):
                raise TypeError("a router of plain routes")
            made.add_api_route(
                route.path,
                rebinding.of(route.endpoint),
                methods=route.methods,
                name=route.name,
                response_class=route.response_class,
                route_class_override=type(route),
            )
    return made


class _Rebinding:
    def __init__(self, access: Call) -> None:
        self._known: Final[dict[Call, Call]] = {image_access: access}

    def of(self, call: Call) -> Call:
        """What ``call`` becomes: itself where it does not ask who may see images, else the same with another signature."""
        if call not in self._known:
            self._known[call] = self._rebound(call)
        return self._known[call]

    def _rebound(self, call: Call) -> Call:
        signature = inspect.signature(call, eval_str=True)
        parameters = [
            parameter.replace(annotation=self._annotation(parameter.annotation))
            for parameter in signature.parameters.values()
        ]
        changed = signature.replace(parameters=parameters)
        if changed == signature:
            return call
        rebound = _another_async(call) if inspect.iscoroutinefunction(call) else _another(call)
        rebound.__signature__ = changed  # type: ignore[attr-defined] # inspect's own way to say it
        return rebound

    def _annotation(self, annotation: Any) -> Any:
        kind, *marks = get_args(annotation) if hasattr(annotation, "__metadata__") else (annotation,)
        rebound = [
            Depends(self.of(mark.dependency), use_cache=mark.use_cache)
            if isinstance(mark, Depends) and inspect.isfunction(mark.dependency)
            else mark
            for mark in marks
        ]
        return annotation if rebound == marks else Annotated[kind, *rebound]


def _another(call: Call) -> Call:
    @wraps(call)
    def the_same(*arguments: Any, **named: Any) -> Any:
        return call(*arguments, **named)

    return the_same


def _another_async(call: Call) -> Call:
    @wraps(call)
    async def the_same(*arguments: Any, **named: Any) -> Any:
        return await call(*arguments, **named)

    return the_same
