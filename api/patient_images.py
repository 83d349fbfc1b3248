"""DICOMweb for a patient: the same routes as for people, read only, over the images of one released case.

Mounted at ``/r/{token}``, so that the portal's cookie, whose path that is, reaches it and nothing else does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.routing import APIRoute
from sqlmodel import Session, col
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import errors
from api.deps import PortalDep, VisitDep, portal_visit
from api.imaging.access import CaseImages, ImageAccess, image_access
from api.portal_facts import Visit
from api.routes import dicomweb
from schemas.tables.case import Case

PREFIX: Final = "/r/{token}"


@dataclass(frozen=True)
class VisitImages:
    """A patient behind both factors of a link: the submitted images of the link's case."""

    visit: Visit
    look_again: Callable[[], Visit]

    def again(self) -> ImageAccess:
        return replace(self, visit=self.look_again())

    def narrow(self, statement: Any) -> Any:
        return statement.where(col(Case.id) == self.visit.link.case.id)

    def opens(self, session: Session, cases: Sequence[Case]) -> dict[str, CaseImages]:
        own = self.visit.link.case.id
        return {case.id: CaseImages(case, self.visit.key, submitted_only=True) for case in cases if case.id == own}


def visit_images(request: Request, visit: VisitDep, portal: PortalDep) -> ImageAccess:
    return VisitImages(visit, lambda: portal_visit(request, portal))


VisitImagesDep = Annotated[ImageAccess, Depends(visit_images)]


class NoStore:
    """Nothing of a patient's visit stays in the browser's cache: the phone may be somebody else's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_without_cache(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Cache-Control"] = "no-store"
                del headers["ETag"]
            await send(message)

        await self._app(scope, receive, send_without_cache)


def patient_images(parent: FastAPI) -> ASGIApp:
    """The application to be mounted at :data:`PREFIX`."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state = parent.state
    reading = APIRouter()
    reading.routes.extend(
        route for route in dicomweb.router.routes if isinstance(route, APIRoute) and route.methods == {"GET"}
    )
    app.include_router(reading)
    app.dependency_overrides[image_access] = visit_images
    errors.install(app)
    return NoStore(app)
