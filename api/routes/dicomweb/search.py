"""QIDO-RS (PS3.18 §10.6): studies, series and instances that the requester may see."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api.deps import ServicesDep
from api.imaging import media, qido
from api.imaging.access import ImageAccess, ImageAccessDep
from api.imaging.lookup import need_instances, studies
from api.routes.dicomweb.serving import PRIVATE, DicomwebRoute, Uid, root_of
from api.services import Services
from schemas.errors import NotFound

router = APIRouter(route_class=DicomwebRoute)


@router.get("/studies")
def search_studies(request: Request, access: ImageAccessDep, services: ServicesDep) -> Response:
    """The studies that the requester may see. Keys: StudyInstanceUID, StudyDate, AccessionNumber, ModalitiesInStudy."""
    query = query_of(request)
    with services.database.read() as session:
        return _found(qido.search_studies(session, access, query, root_of(request)), query)


@router.get("/series")
def search_all_series(request: Request, access: ImageAccessDep, services: ServicesDep) -> Response:
    """Series across studies, each with the attributes of its study. Keys: those of studies and series."""
    query = query_of(request)
    with services.database.read() as session:
        return _found(qido.search_all_series(session, access, query, root_of(request)), query)


@router.get("/instances")
def search_all_instances(request: Request, access: ImageAccessDep, services: ServicesDep) -> Response:
    """Instances across studies, each with the attributes of its study and series. Keys: those of all levels."""
    query = query_of(request)
    with services.database.read() as session:
        return _found(qido.search_all_instances(session, access, query, root_of(request)), query)


@router.get("/studies/{study}/series")
def search_series(study: Uid, request: Request, access: ImageAccessDep, services: ServicesDep) -> Response:
    """The series of a study. Keys: SeriesInstanceUID, Modality, SeriesNumber."""
    query = query_of(request)
    with services.database.read() as session:
        there = list(studies(session, access, study))
        for found in there:
            series = qido.search_series(session, found, query, root_of(request))
            if series or query.match:
                return _found(series, query)
    raise NotFound()


@router.get("/studies/{study}/instances")
def search_instances(study: Uid, request: Request, access: ImageAccessDep, services: ServicesDep) -> Response:
    """The instances of a study. Keys: SeriesInstanceUID, SOPInstanceUID, SOPClassUID, InstanceNumber."""
    return _search_instances(request, access, services, study, None)


@router.get("/studies/{study}/series/{series}/instances")
def search_instances_of_series(
    study: Uid, series: Uid, request: Request, access: ImageAccessDep, services: ServicesDep
) -> Response:
    """The instances of a series."""
    return _search_instances(request, access, services, study, series)


def _search_instances(
    request: Request, access: ImageAccess, services: Services, study: str, series: str | None
) -> Response:
    query = query_of(request)
    with services.database.read() as session:
        there = need_instances(session, access, study, series)
    return _found(qido.search_instances(there, query, root_of(request)), query)


def query_of(request: Request) -> qido.Query:
    # A browser that opens such an address is shown the same.
    if not media.accepts(media.accept_of(request), media.JSON, "application/json", "text/html"):
        raise media.NotAcceptable()
    return qido.Query.of(request.query_params.multi_items())


def _found(found: list[qido.Attributes], query: qido.Query) -> Response:
    return JSONResponse(found, media_type=media.JSON, headers={**PRIVATE, **query.warning})
