"""Images for a patient: DICOMweb by the same routes as for people, read only, and the photographs, of one released case.

Mounted at ``/r/{token}``, so that the portal's cookie, whose path that is, reaches it and nothing else does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request, Response
from sqlmodel import Session, col
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import errors
from api.deps import PortalDep, ServicesDep, VisitDep, portal_visit
from api.imaging.access import CaseImages, ImageAccess, Value
from api.imaging.downloads import INERT
from api.imaging.files import FilesView, need_file, photographs_of
from api.imaging.parsers import in_images
from api.imaging.pixels import Pictures
from api.imaging.rebinding import for_requesters
from api.portal_facts import Visit
from api.reading_order import Telling, reading_order, series_view
from api.routes import dicomweb
from api.routes.dicomweb.serving import PicturesDep
from api.services import Services
from schemas.errors import NotFound
from schemas.files import FileKind
from schemas.series_forms import SeriesView
from schemas.tables.case import Case

PREFIX: Final = "/r/{token}"


@dataclass(frozen=True)
class VisitImages:
    """A patient behind both factors of a link: the submitted images of the link's case."""

    visit: Visit
    look_again: Callable[[], Visit]

    def remembered(self, name: str, look_up: Callable[[], Value]) -> Value:
        return look_up()

    def again(self) -> ImageAccess:
        return replace(self, visit=self.look_again())

    def narrow(self, statement: Any) -> Any:
        return statement.where(col(Case.id) == self.visit.link.case.id)

    def opens(self, session: Session, cases: Sequence[Case]) -> dict[str, CaseImages]:
        own = self.visit.link.case.id
        return {case.id: shown_to_patient(self.visit) for case in cases if case.id == own}


def visit_images(request: Request, visit: VisitDep, portal: PortalDep) -> ImageAccess:
    return VisitImages(visit, lambda: portal_visit(request, portal))


photographs: Final = APIRouter(prefix="/photographs")
series: Final = APIRouter(prefix="/series")


@photographs.get("")
def list_photographs(request: Request, visit: VisitDep, services: ServicesDep) -> FilesView:
    """What the viewer shows beside the series."""
    token = request.path_params["token"]
    with services.database.read() as session:
        return FilesView(items=photographs_of(session, shown_to_patient(visit), f"/r/{token}/photographs"), uploads=[])


@series.get("")
def list_series(request: Request, visit: VisitDep, services: ServicesDep) -> SeriesView:
    """The order in which the images are read; not the practice's words for them."""
    root, images = f"/r/{request.path_params['token']}", shown_to_patient(visit)
    telling = Telling(
        root=f"{root}/dicomweb", files=f"{root}/photographs", shown="", teeth=lambda _: [], is_patients=True
    )
    with services.database.read() as session:
        return series_view(images, reading_order(session, images), telling)


@photographs.get("/{file_id}", response_class=Response)
async def read_photograph(file_id: str, visit: VisitDep, services: ServicesDep, pictures: PicturesDep) -> Response:
    """Drawn anew as JPEG: upright, without metadata, at most 2,560 pixels wide and high."""
    return await in_images(_draw, file_id, visit, services, pictures, small=False)


@photographs.get("/{file_id}/thumbnail", response_class=Response)
async def read_thumbnail(file_id: str, visit: VisitDep, services: ServicesDep, pictures: PicturesDep) -> Response:
    return await in_images(_draw, file_id, visit, services, pictures, small=True)


def shown_to_patient(visit: Visit) -> CaseImages:
    """What the latest signed version covers: images that came after it are not the patient's to see yet."""
    return CaseImages(visit.link.case, visit.key, visit.link.case.signed_set)


def _draw(file_id: str, visit: Visit, services: Services, pictures: Pictures, *, small: bool) -> Response:
    with services.database.read() as session:
        file = need_file(session, shown_to_patient(visit), file_id)
    if file.kind != FileKind.PHOTO:
        raise NotFound()
    return Response(pictures.photo(visit.key, file, small=small), media_type="image/jpeg", headers=INERT)


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
    app.include_router(for_requesters(dicomweb.READING, visit_images), prefix="/dicomweb")
    app.include_router(photographs)
    app.include_router(series)
    errors.install(app)
    return NoStore(app)
