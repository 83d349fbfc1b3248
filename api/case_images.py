"""One case's images as a DICOMweb service of its own, for a viewer that is to see this case and nothing else.

Mounted at ``/cases/{case_id}/dicomweb``: the routes of ``/dicomweb``, for whoever may see the case's images or add to them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from sqlmodel import Session, col

from api import errors
from api.deps import LookAgainDep, ServicesDep, require
from api.imaging import media, qido
from api.imaging.access import CASE_ROOT, CaseImages, ImageAccess, Value, images_of
from api.imaging.rebinding import for_requesters
from api.routes import dicomweb
from api.routes.dicomweb import store
from api.routes.dicomweb.search import query_of
from api.routes.dicomweb.serving import PRIVATE, DicomwebRoute, root_of
from api.services import Services
from api.standing import CaseAccess, load_case
from schemas.access import Person, Right
from schemas.tables.case import Case

PREFIX: Final = CASE_ROOT
_PATIENT_ID: Final = "00100020"


@dataclass(frozen=True)
class OneCase:
    """Somebody who may see the images of the case."""

    access: CaseAccess
    services: Services
    look_again: Callable[[], Person]

    def remembered(self, name: str, look_up: Callable[[], Value]) -> Value:
        return look_up()

    def again(self) -> ImageAccess:
        with self.services.database.read() as session:
            fresh = load_case(session, self.services.keys, self.access.row.id, self.look_again())
        fresh.need(Right.SEE_IMAGES)
        return replace(self, access=fresh)

    def narrow(self, statement: Any) -> Any:
        return statement.where(col(Case.id) == self.access.row.id)

    def opens(self, session: Session, cases: Sequence[Case]) -> dict[str, CaseImages]:
        own = self.access.row.id
        return {case.id: images_of(self.access) for case in cases if case.id == own}


def one_case(
    access: Annotated[CaseAccess, Depends(require(Right.SEE_IMAGES))], services: ServicesDep, look_again: LookAgainDep
) -> ImageAccess:
    return OneCase(access, services, look_again)


OneCaseDep = Annotated[ImageAccess, Depends(one_case)]
search: Final = APIRouter(route_class=DicomwebRoute)


@search.get("/studies")
def search_studies(request: Request, access: OneCaseDep, services: ServicesDep) -> Response:
    """Without the patient's number: a viewer that has it asks for it in an address, and addresses are kept in logs."""
    query = query_of(request)
    with services.database.read() as session:
        found = qido.search_studies(session, access, query, root_of(request))
    named_less = [{tag: value for tag, value in study.items() if tag != _PATIENT_ID} for study in found]
    return JSONResponse(named_less, media_type=media.JSON, headers={**PRIVATE, **query.warning})


def case_images(parent: FastAPI) -> FastAPI:
    """The application to be mounted at :data:`PREFIX`."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state = parent.state
    app.include_router(search)
    app.include_router(for_requesters(dicomweb.READING, one_case))
    app.include_router(store.router)
    errors.install(app)
    return app
